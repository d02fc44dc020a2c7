"""Connections go where the policy lets them, whatever names, numbers and answers say."""

import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from app.domain.access import ClientCertificate
from app.domain.errors import ClusterError, ClusterFault
from app.kube import dialling
from app.kube.addresses import AddressPolicy
from app.kube.client import KubeClient
from tests.kube.serving import Server, serving
from tests.kubernetes.certificates import Authority

Open = Callable[..., Awaitable[KubeClient]]
STRICT = AddressPolicy()
METADATA = "169.254.169.254"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """A name service: for each name, the addresses of each lookup in turn; the last stays."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host not in known:
            return real(host, port, *rest, **more)
        turns = known[host]
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def named(server: Server, name: str = "cluster.test") -> str:
    return f"https://{name}:{server.port}"


async def fault(call: Awaitable[object]) -> ClusterFault:
    with pytest.raises(ClusterError) as failed:
        await call
    return failed.value.fault


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(
    server: Server, tls: ssl.SSLContext, connect: Open, code: int
) -> None:
    async with serving(Server(), tls) as elsewhere:

        async def redirect(_: web.Request) -> web.Response:
            return web.Response(status=code, headers={"Location": f"{elsewhere.url}/x"})

        server.routes["GET /x"] = server.routes["PATCH /x"] = redirect
        client = await connect()
        content = "application/merge-patch+json"
        for call in (client.get("/x"), client.patch("/x", {"a": 1}, content_type=content)):
            with pytest.raises(ClusterError, match=f"redirect .HTTP {code}.") as failed:
                await call
            assert failed.value.fault is ClusterFault.NOT_KUBERNETES
        with pytest.raises(ClusterError, match="redirect"):
            async with client.stream("/x"):
                pass

    assert elsewhere.asked == []
    assert len(server.asked) == 3


async def test_a_redirect_without_a_place_is_none(server: Server, connect: Open) -> None:
    server.refuses("GET /x", 304)
    client = await connect()

    assert await fault(client.get("/x")) is ClusterFault.NOT_KUBERNETES


async def test_a_name_is_dialled(
    server: Server, connect: Open, names: dict[str, list[list[str]]]
) -> None:
    names["cluster.test"] = [["127.0.0.1"]]
    server.answers("GET /x", {"ok": True})

    assert (await (await connect(url=named(server))).get("/x")).body == {"ok": True}
    assert server.asked[0].headers["Host"] == f"cluster.test:{server.port}"


async def test_a_name_that_leads_to_a_forbidden_address(
    server: Server, connect: Open, names: dict[str, list[list[str]]]
) -> None:
    names["cluster.test"] = [[METADATA]]
    names["local.test"] = [["127.0.0.1"]]
    metadata = await connect(url=named(server))
    local = await connect(url=named(server, "local.test"), policy=STRICT)

    with pytest.raises(ClusterError, match=f"The address {METADATA} is never dialled") as failed:
        await metadata.get("/x")

    assert failed.value.fault is ClusterFault.ADDRESS_FORBIDDEN
    assert await fault(local.get("/x")) is ClusterFault.ADDRESS_FORBIDDEN
    assert server.asked == []


async def test_a_name_that_changes_its_mind(
    server: Server, connect: Open, names: dict[str, list[list[str]]]
) -> None:
    """What was good yesterday is asked anew for every connection."""
    names["cluster.test"] = [["127.0.0.1"], [METADATA]]

    async def once(_: web.Request) -> web.Response:
        response = web.json_response({"ok": True})
        response.force_close()
        return response

    server.routes["GET /x"] = once
    client = await connect(url=named(server))

    assert (await client.get("/x")).body == {"ok": True}
    assert await fault(client.get("/x")) is ClusterFault.ADDRESS_FORBIDDEN
    assert len(server.asked) == 1


async def test_only_the_allowed_answers_are_dialled(
    server: Server, connect: Open, names: dict[str, list[list[str]]]
) -> None:
    names["cluster.test"] = [[METADATA, "127.0.0.1", "0.0.0.0"]]  # noqa: S104
    server.answers("GET /x", {"ok": True})
    client = await connect(url=named(server))

    assert (await client.get("/x", seconds=5)).body == {"ok": True}


async def test_the_resolver_hands_on_only_what_is_allowed(
    names: dict[str, list[list[str]]],
) -> None:
    names["cluster.test"] = [[METADATA, "127.0.0.1", "10.0.0.1"]]
    resolver = dialling.GuardedResolver(dialling.Guard(AddressPolicy(loopback=True)))

    found = await resolver.resolve("cluster.test", 6443)

    assert [(one["host"], one["port"]) for one in found] == [("127.0.0.1", 6443)]


async def test_many_forbidden_answers_are_one_refusal(
    connect: Open, names: dict[str, list[list[str]]]
) -> None:
    names["cluster.test"] = [[METADATA, "0.0.0.0", "10.0.0.1"]]  # noqa: S104
    client = await connect(url="https://cluster.test")

    assert await fault(client.get("/x")) is ClusterFault.ADDRESS_FORBIDDEN


async def test_no_cookies_are_kept(
    server: Server, connect: Open, names: dict[str, list[list[str]]]
) -> None:
    names["cluster.test"] = [["127.0.0.1"]]
    server.answers("GET /x", {"ok": True}, **{"Set-Cookie": "a=b; Path=/"})
    client = await connect(url=named(server))

    await client.get("/x")
    await client.get("/x")

    assert ["Cookie" in asked.headers for asked in server.asked] == [False, False]


async def test_a_name_that_does_not_resolve(connect: Open) -> None:
    client = await connect(url="https://cluster.invalid:6443")

    with pytest.raises(ClusterError, match=r"The name of cluster\.invalid:6443 does not") as failed:
        await client.get("/x")

    assert failed.value.fault is ClusterFault.NAME_NOT_FOUND


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1:1", "https://[::1]:1", f"https://{METADATA}", "https://10.1.1.1"],
)
async def test_a_forbidden_literal_is_not_even_prepared(connect: Open, url: str) -> None:
    assert await fault(connect(url=url, policy=STRICT)) is ClusterFault.ADDRESS_FORBIDDEN


async def test_every_socket_is_checked(server: Server, authority: Authority) -> None:
    """Addresses written as numbers are not resolved, so the resolver never sees them."""
    connector = dialling.connector(dialling.Guard(STRICT), authority.trusted())
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as failed:
            await session.get(server.url)

    assert isinstance(failed.value.os_error, dialling.ForbiddenAddress)
    assert server.asked == []


async def test_plain_http_stays_on_this_machine(
    connect: Open, names: dict[str, list[list[str]]]
) -> None:
    names["localhost"] = [["127.0.0.1"], ["10.0.0.1"]]
    policy = AddressPolicy(loopback=True, private=True, plain_http_loopback=True)
    async with serving(Server(), None) as plain:

        async def once(_: web.Request) -> web.Response:
            response = web.json_response({"ok": True})
            response.force_close()
            return response

        plain.routes["GET /x"] = once
        client = await connect(url=f"http://localhost:{plain.port}", policy=policy)
        assert (await client.get("/x")).body == {"ok": True}
        assert await fault(client.get("/x")) is ClusterFault.ADDRESS_FORBIDDEN
        refused = connect(url=plain.url, policy=AddressPolicy(loopback=True))
        assert await fault(refused) is ClusterFault.ADDRESS_FORBIDDEN


async def test_the_environment_decides_nothing(
    server: Server,
    authority: Authority,
    connect: Open,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither its proxies nor its passwords nor its authorities."""
    (tmp_path / "netrc").write_text("default login l password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.answers("GET /x", {"ok": True})
    pair = authority.client("alice")
    proof = ClientCertificate(certificate=pair.certificate.decode(), key=pair.key.decode())
    async with serving(Server(), None) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.upper(), proxy.url)
        client = await connect(proof)
        assert (await client.get("/x")).body == {"ok": True}

    assert proxy.asked == []
    assert "Authorization" not in server.asked[0].headers
