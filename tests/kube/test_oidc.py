"""Sessions of OpenID Connect, renewed with a real provider over TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from app.domain.access import OidcSession
from app.domain.errors import ClusterError, ClusterFault
from app.kube.addresses import AddressPolicy
from app.kube.client import KubeClient
from tests.kube import keeping
from tests.kube.provider import Provider, id_token
from tests.kube.serving import Asked, Server, serving
from tests.kubernetes.certificates import Authority

Open = Callable[..., Awaitable[KubeClient]]
HERE = AddressPolicy(loopback=True)


@dataclass
class Store:
    """Where sessions are kept, as a database would: compare, and set."""

    stored: OidcSession
    calls: int = 0
    fails: list[Exception] = field(default_factory=list)

    async def renewed(self, before: OidcSession, after: OidcSession) -> OidcSession:
        self.calls += 1
        if self.fails:
            raise self.fails.pop()
        if self.stored == before:
            self.stored = after
        return self.stored


@pytest.fixture
async def provider(tls: ssl.SSLContext) -> AsyncIterator[Provider]:
    async with serving(Server(), tls) as server:
        yield Provider(server)


@pytest.fixture
def session(provider: Provider, authority: Authority) -> OidcSession:
    """A session whose id token is yet to be fetched."""
    return OidcSession(
        issuer_url=provider.url,
        client_id="kubernetes",
        client_secret="p&ss",
        refresh_token="refresh-0",
        issuer_ca=authority.pem.decode(),
    )


@pytest.fixture(autouse=True)
def cluster(server: Server, provider: Provider) -> None:
    """The API server believes what the provider issued last."""
    server.answers("GET /x", {"ok": True})
    server.allow = lambda asked: bool(provider.issued) and bearer(asked) == provider.issued[-1]


def bearer(asked: Asked) -> str:
    return asked.headers["Authorization"].removeprefix("Bearer ")


async def failure(call: Awaitable[object]) -> ClusterError:
    failed = await keeping.failure(call)
    for secret in ("refresh-0", "p&ss", "p%26ss"):
        assert secret not in failed.message
    return failed


async def test_an_id_token_is_fetched_once(
    server: Server, provider: Provider, session: OidcSession, connect: Open
) -> None:
    store = Store(session)
    client = await connect(session, renewed=store.renewed)

    await asyncio.gather(*(client.get("/x") for _ in range(20)))

    [renewal] = provider.renewals
    assert renewal.body == (
        b"grant_type=refresh_token&refresh_token=refresh-0&client_id=kubernetes"
        b"&client_secret=p%26ss"
    )
    assert {bearer(asked) for asked in server.asked} == set(provider.issued)
    assert store.stored == session.model_copy(update={"id_token": provider.issued[0]})
    assert store.calls == 1


async def test_an_id_token_is_used_until_it_ends(
    server: Server, provider: Provider, session: OidcSession, connect: Open
) -> None:
    """That is, until a minute before."""
    fresh = session.model_copy(update={"id_token": id_token("alice", ends=90)})
    provider.issued.append(fresh.id_token or "")

    await (await connect(fresh)).get("/x")
    assert provider.renewals == []

    stale = session.model_copy(update={"id_token": id_token("alice", ends=50)})
    await (await connect(stale)).get("/x")
    assert len(provider.renewals) == 1
    assert bearer(server.asked[-1]) == provider.issued[-1]


@pytest.mark.parametrize(
    "token", ["opaque", "a.b.c", "a.W10.c", "a.eyJleHAiOiJ4In0.c", "", "a.!.c"]
)
async def test_a_token_that_says_nothing_is_renewed(
    provider: Provider, session: OidcSession, connect: Open, token: str
) -> None:
    client = await connect(session.model_copy(update={"id_token": token}))

    assert (await client.get("/x")).body == {"ok": True}
    assert len(provider.renewals) == 1


async def test_short_lives_are_no_endless_renewal(
    provider: Provider, session: OidcSession, connect: Open
) -> None:
    """Id tokens of less than a minute, or clocks that differ by more."""
    provider.lifetime = -30
    client = await connect(session)

    for _ in range(5):
        await client.get("/x")

    assert len(provider.renewals) == 1


async def test_rotated_tokens_are_stored(
    provider: Provider, session: OidcSession, connect: Open
) -> None:
    provider.rotates = True
    store = Store(session)
    client = await connect(session, renewed=store.renewed)

    await client.get("/x")
    assert store.stored.refresh_token == "refresh-1"
    provider.issued.append("revoked")  # the cluster believes the one we have no more
    await client.get("/x")

    assert store.stored.refresh_token == "refresh-3"
    assert store.stored.id_token == provider.issued[-1]


async def test_a_token_that_is_rejected_is_renewed_once(
    server: Server, provider: Provider, session: OidcSession, connect: Open
) -> None:
    """And when the new one is rejected as well, that is the answer."""
    client = await connect(session)
    await client.get("/x")
    server.allow = lambda _: False

    failed = await failure(client.get("/x"))

    assert failed.fault is ClusterFault.UNAUTHORIZED
    for _ in range(5):
        await failure(client.get("/x"))
    assert len(provider.renewals) == 2
    assert [bearer(asked) for asked in server.asked[:3]] == [
        provider.issued[0],
        provider.issued[0],
        provider.issued[1],
    ]


async def test_many_that_are_rejected_share_one_renewal(
    provider: Provider, session: OidcSession, connect: Open
) -> None:
    client = await connect(session)
    await client.get("/x")
    provider.issued.append("revoked")

    await asyncio.gather(*(client.get("/x") for _ in range(20)))

    assert len(provider.renewals) == 2


async def test_streams_renew_too(provider: Provider, session: OidcSession, connect: Open) -> None:
    client = await connect(session)
    await client.get("/x")
    provider.issued.append("revoked")

    async with client.stream("/x") as lines:
        assert [line async for line in lines] == [b'{"ok": true}']


async def test_two_replicas_and_a_token_for_one_use(
    provider: Provider, session: OidcSession, connect: Open
) -> None:
    """The slower one finds its refresh token used, and takes over what the faster one stored."""
    provider.rotates = True
    store = Store(session)
    first = await connect(session, renewed=store.renewed)
    second = await connect(session, renewed=store.renewed)

    await first.get("/x")
    await second.get("/x")
    assert len(provider.issued) == 1

    provider.issued.append("revoked")
    await second.get("/x")
    await first.get("/x")
    assert len(provider.issued) == 3
    assert store.stored.id_token == provider.issued[-1]


async def test_two_replicas_at_once(
    provider: Provider, session: OidcSession, connect: Open
) -> None:
    """Both were served, one was stored; both go on with that one."""
    store = Store(session)
    winner = session.model_copy(
        update={"refresh_token": "refresh-w", "id_token": id_token("w", ends=3_600)}
    )
    provider.refreshes.add("refresh-w")
    client = await connect(session, renewed=store.renewed)
    store.stored = winner

    await client.get("/x")
    provider.issued.append(winner.id_token or "")
    await client.get("/x")
    provider.issued.append("revoked")
    await client.get("/x")

    assert b"refresh-w" in provider.renewals[-1].body
    assert store.stored.refresh_token == "refresh-w"
    assert store.stored.id_token == provider.issued[-1]


async def test_what_could_not_be_stored_is_stored_later(
    provider: Provider, session: OidcSession, connect: Open
) -> None:
    """A rotated token that is lost would lock everybody out."""
    provider.rotates = True
    store = Store(session, fails=[RuntimeError("the database is away")])
    client = await connect(session, renewed=store.renewed)

    with pytest.raises(RuntimeError):
        await client.get("/x")
    await client.get("/x")

    assert len(provider.renewals) == 1
    assert store.stored.refresh_token == "refresh-1"


async def test_who_gives_up_does_not_stop_a_renewal(
    provider: Provider, session: OidcSession, connect: Open
) -> None:
    store = Store(session)
    asked, go_on = asyncio.Event(), asyncio.Event()
    answer = provider.server.routes["POST /token"]

    async def slowly(request: web.Request) -> web.StreamResponse:
        asked.set()
        await go_on.wait()
        return await answer(request)

    provider.server.routes["POST /token"] = slowly
    client = await connect(session, renewed=store.renewed)

    failed = await failure(client.get("/x", seconds=0.3))
    await asked.wait()
    go_on.set()
    await client.close()

    assert failed.fault is ClusterFault.TIMED_OUT
    assert store.stored.id_token == provider.issued[0]


async def test_a_session_that_ended(
    server: Server, provider: Provider, session: OidcSession, connect: Open
) -> None:
    provider.refreshes.clear()

    failed = await failure((await connect(session, renewed=Store(session).renewed)).get("/x"))

    assert failed.fault is ClusterFault.SIGN_IN_AGAIN
    assert "invalid_grant" in failed.message
    assert "Sign in again" in failed.message
    assert server.asked == []


async def test_a_wrong_client_secret(
    provider: Provider, session: OidcSession, connect: Open
) -> None:
    wrong = session.model_copy(update={"client_secret": "wr0ng"})

    failed = await failure((await connect(wrong)).get("/x"))

    assert failed.fault is ClusterFault.SIGN_IN_AGAIN
    assert "invalid_client" in failed.message
    assert "wr0ng" not in failed.message


@pytest.mark.parametrize("methods", [None, ["client_secret_basic"]])
async def test_a_secret_in_the_header(
    provider: Provider, session: OidcSession, connect: Open, methods: list[str] | None
) -> None:
    provider.methods = methods

    assert (await (await connect(session)).get("/x")).body == {"ok": True}

    [renewal] = provider.renewals
    assert b"client_secret" not in renewal.body
    assert renewal.headers["Authorization"].startswith("Basic ")


async def test_a_public_client(provider: Provider, session: OidcSession, connect: Open) -> None:
    public = session.model_copy(update={"client_secret": None})

    assert (await (await connect(public)).get("/x")).body == {"ok": True}
    assert b"client_secret" not in provider.renewals[0].body


async def test_the_providers_certificate_is_always_checked(
    provider: Provider, session: OidcSession, connect: Open
) -> None:
    """Also when no authority is given: refresh token and secret would go to anybody."""
    for ca in (None, Authority("other").pem.decode()):
        stranger = session.model_copy(update={"issuer_ca": ca})
        failed = await failure((await connect(stranger)).get("/x"))
        assert failed.fault is ClusterFault.TLS_FAILED
        assert failed.message.startswith("Identity provider: ")

    assert provider.server.asked == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://169.254.169.254/token",
        "https://10.0.0.1/token",
        "http://127.0.0.1/token",
        "https://u:p@127.0.0.1/token",
        "file:///etc/passwd",
        "nonsense",
    ],
)
async def test_where_tokens_are_not_sent(
    provider: Provider, session: OidcSession, connect: Open, endpoint: str
) -> None:
    """The address is chosen by whoever runs the issuer."""
    provider.endpoint = endpoint

    failed = await failure((await connect(session)).get("/x"))

    assert failed.fault is ClusterFault.ADDRESS_FORBIDDEN
    assert provider.renewals == []


async def test_an_issuer_that_may_not_be_dialled(session: OidcSession, connect: Open) -> None:
    for url in ("https://169.254.169.254", "http://127.0.0.1:1", "https://10.0.0.1/x"):
        failed = await failure(
            (await connect(session.model_copy(update={"issuer_url": url}))).get("/x")
        )
        assert failed.fault is ClusterFault.ADDRESS_FORBIDDEN


async def test_a_provider_is_not_followed_elsewhere(
    provider: Provider, session: OidcSession, connect: Open, server: Server
) -> None:
    async def redirect(_: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"{server.url}/token"})

    provider.server.routes["POST /token"] = redirect

    failed = await failure((await connect(session)).get("/x"))

    assert "redirect" in failed.message
    assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (web.json_response({"access_token": "x"}), ClusterFault.SIGN_IN_AGAIN),
        (web.json_response({"id_token": 7}), ClusterFault.SIGN_IN_AGAIN),
        (web.json_response({"id_token": "a\nb"}), ClusterFault.SIGN_IN_AGAIN),
        (web.json_response([]), ClusterFault.UNAVAILABLE),
        (web.Response(body=b"[" * 50_000), ClusterFault.UNAVAILABLE),
        (web.Response(body=b"x" * 1_000_000), ClusterFault.NOT_KUBERNETES),
        (web.Response(status=502, body=b"<html>"), ClusterFault.UNAVAILABLE),
        (web.json_response({"error": "refresh-0 p&ss"}, status=400), ClusterFault.UNAVAILABLE),
        (web.json_response({"error": ["x"]}, status=400), ClusterFault.UNAVAILABLE),
    ],
)
async def test_providers_that_answer_otherwise(
    provider: Provider,
    session: OidcSession,
    connect: Open,
    answer: web.Response,
    fault: ClusterFault,
) -> None:
    provider.server.answers("POST /token", answer)

    assert (await failure((await connect(session)).get("/x"))).fault is fault


async def test_no_provider_at_all(
    session: OidcSession, connect: Open, unused_tcp_port: int
) -> None:
    url = f"https://127.0.0.1:{unused_tcp_port}"
    failed = await failure(
        (await connect(session.model_copy(update={"issuer_url": url}))).get("/x")
    )

    assert failed.fault is ClusterFault.UNREACHABLE
    assert failed.message.startswith("Identity provider: Nobody listens")
