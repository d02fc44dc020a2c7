"""Calls as they go over the wire: who we say we are, what is tried again, what is refused."""

import base64
import json
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from app.domain.access import BearerToken, ClientCertificate
from app.domain.errors import ClusterError, ClusterFault
from app.kube.client import APPLY, MERGE, KubeClient
from app.kube.kubeconfig import read_kubeconfig
from tests.kube.provider import id_token
from tests.kube.serving import Server, context, serving
from tests.kube.test_kubeconfig import kubeconfig
from tests.kubernetes.certificates import Authority

Open = Callable[..., Awaitable[KubeClient]]
TOKEN = "a-token-of-tests"


async def test_a_token_is_sent_as_it_is(server: Server, connect: Open) -> None:
    """Read off the wire, because a client that sends none looks the same from inside."""
    server.answers("GET /version", {"gitVersion": "v1.36.2"})
    client = await connect(BearerToken(token=TOKEN))

    answer = await client.get("/version")

    assert answer.body == {"gitVersion": "v1.36.2"}
    assert [asked.headers["Authorization"] for asked in server.asked] == [f"Bearer {TOKEN}"]
    assert server.asked[0].headers["User-Agent"].startswith("kubeorch/")
    assert "Cookie" not in server.asked[0].headers


async def test_a_service_account_is_the_token_that_was_given(
    server: Server, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never the identity of this server, were it inside a cluster itself."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    token = id_token("system:serviceaccount:a:deployer", ends=-1)
    server.answers("GET /version", {"gitVersion": "v1.36.2"})

    await (await connect(BearerToken(token=token))).get("/version")

    assert server.asked[0].headers["Authorization"] == f"Bearer {token}"


async def test_a_token_that_is_revoked(server: Server, connect: Open) -> None:
    server.answers("GET /version", {"gitVersion": "v1.36.2"})
    client = await connect()
    await client.get("/version")
    server.allow = lambda _: False

    with pytest.raises(ClusterError, match="does not accept the credentials") as failed:
        await client.get("/version")

    assert failed.value.fault is ClusterFault.UNAUTHORIZED
    assert len(server.asked) == 2


async def test_what_rbac_denies(server: Server, connect: Open) -> None:
    told = 'pods is forbidden: User "alice" cannot list resource "pods" in API group ""'
    server.refuses("GET /api/v1/pods", 403, told)

    with pytest.raises(ClusterError, match='User "alice" cannot list resource "pods"') as failed:
        await (await connect()).get("/api/v1/pods")

    assert failed.value.fault is ClusterFault.FORBIDDEN
    assert "The credentials are good" in failed.value.message


async def test_a_kubeconfig_leads_to_the_cluster(
    server: Server, authority: Authority, connect: Open
) -> None:
    server.answers("GET /version", {"gitVersion": "v1.36.2"})
    access = read_kubeconfig(kubeconfig(server=server.url, ca=authority.pem, token=TOKEN))
    client = await connect(access.proof, url=access.server, ca=access.ca)

    await client.get("/version")

    assert server.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_a_certificate_proves_who_we_are(
    authority: Authority, tmp_path: Path, connect: Open
) -> None:
    """Mutual TLS: the server takes nobody without a certificate of its authority."""
    people = Authority("people")
    tls = context(authority.server("127.0.0.1"), tmp_path, clients=people.pem)
    pair = people.client("alice", "developers")
    proof = ClientCertificate(certificate=pair.certificate.decode(), key=pair.key.decode())
    mutual = Server()
    mutual.answers("GET /version", {"gitVersion": "v1.36.2"})

    async with serving(mutual, tls):
        client = await connect(proof, url=mutual.url)
        await client.get("/version")
        await client.close()

    assert mutual.asked[0].certificate is not None
    assert (("commonName", "alice"),) in mutual.asked[0].certificate["subject"]
    assert "Authorization" not in mutual.asked[0].headers


async def test_a_key_leaves_no_file(
    authority: Authority, tmp_path: Path, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    pair = authority.client("alice")

    await connect(ClientCertificate(certificate=pair.certificate.decode(), key=pair.key.decode()))

    assert list(folder.iterdir()) == []


async def test_an_encrypted_key_is_an_error_at_once(authority: Authority, connect: Open) -> None:
    """Without a password OpenSSL would ask for one on the terminal, and wait."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    pair = authority.client("alice")
    key = form.load_pem_private_key(pair.key, None).private_bytes(
        form.Encoding.PEM,
        form.PrivateFormat.TraditionalOpenSSL,
        form.BestAvailableEncryption(b"secret"),
    )
    proof = ClientCertificate(certificate=pair.certificate.decode(), key=key.decode())

    with pytest.raises(ClusterError, match="client certificate") as failed:
        await connect(proof)

    assert failed.value.fault is ClusterFault.TLS_FAILED


async def test_a_body_and_its_type_arrive(server: Server, connect: Open) -> None:
    server.answers("PATCH /api/v1/namespaces/a/configmaps/b", {"kind": "ConfigMap"}, status=201)
    client = await connect()
    path = "/api/v1/namespaces/a/configmaps/b"

    applied = await client.patch(
        path, {"data": {"ü": "& +"}}, content_type=APPLY, params={"fieldManager": "a b&c=d+e/f"}
    )
    await client.patch(path, {"data": {"a": None}}, content_type=MERGE)
    json_patch = [{"op": "remove", "path": "/data/a"}]
    await client.patch(path, json_patch, content_type="application/json-patch+json")

    assert applied.status == 201
    assert [(asked.headers["Content-Type"], asked.json) for asked in server.asked] == [
        (APPLY, {"data": {"ü": "& +"}}),
        (MERGE, {"data": {"a": None}}),
        ("application/json-patch+json", json_patch),
    ]
    assert server.asked[0].query == {"fieldManager": "a b&c=d+e/f"}


async def test_warnings_are_handed_on(server: Server, connect: Open) -> None:
    async def warn(_: web.Request) -> web.Response:
        response = web.json_response({"kind": "Pod"})
        response.headers.add("Warning", '299 - "policy/v1beta1 is \\"old\\""')
        response.headers.add("Warning", '299 - "second", 299 - "third"')
        response.headers.add("Warning", "nonsense")
        return response

    server.routes["GET /x"] = warn
    client = await connect()

    assert (await client.get("/x")).warnings == ['policy/v1beta1 is "old"', "second", "third"]


@pytest.mark.parametrize("code", [429, 502, 503, 504])
async def test_a_busy_cluster_is_asked_again(server: Server, connect: Open, code: int) -> None:
    busy = web.json_response({}, status=code, headers={"Retry-After": "0"})
    again = web.json_response({}, status=code, headers={"Retry-After": "0"})
    server.answers("GET /x", busy, again, {"ok": True})
    client = await connect()

    assert (await client.get("/x")).body == {"ok": True}
    assert len(server.asked) == 3


async def test_an_internal_error_is_asked_again_only_when_invited(
    server: Server, connect: Open
) -> None:
    invited = web.json_response({}, status=500, headers={"Retry-After": "0"})
    server.answers("GET /invited", invited, {"ok": True})
    server.refuses("GET /broken", 500, "broken")
    client = await connect()

    await client.get("/invited")
    with pytest.raises(ClusterError, match="broken") as failed:
        await client.get("/broken")

    assert failed.value.fault is ClusterFault.UNAVAILABLE
    assert [asked.path for asked in server.asked] == ["/invited", "/invited", "/broken"]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 410, 422])
async def test_a_refusal_is_final(server: Server, connect: Open, code: int) -> None:
    server.refuses("GET /x", code)
    client = await connect()

    with pytest.raises(ClusterError) as failed:
        await client.get("/x")

    assert (failed.value.status, len(server.asked)) == (code, 1)


async def test_waiting_ends_with_the_deadline(server: Server, connect: Open) -> None:
    """A cluster that asks for an hour is not waited for."""
    server.refuses("GET /x", 429, headers={"Retry-After": "3600"})
    client = await connect()

    with pytest.raises(ClusterError) as failed:
        await client.get("/x")

    assert failed.value.fault is ClusterFault.THROTTLED
    assert failed.value.retry_after == 3600
    assert len(server.asked) == 1


async def test_only_what_may_be_repeated_is_repeated(server: Server, connect: Open) -> None:
    server.refuses("POST /x", 503)
    server.refuses("PATCH /x", 503)
    server.refuses("DELETE /x", 503)
    client = await connect()

    async def tries(call: Awaitable[object]) -> int:
        before = len(server.asked)
        with pytest.raises(ClusterError):
            await call
        return len(server.asked) - before

    assert await tries(client.post("/x", {"a": 1})) == 1
    assert await tries(client.post("/x", {"a": 1}, repeatable=True)) == 3
    assert await tries(client.patch("/x", {"a": 1}, content_type=MERGE)) == 1
    assert await tries(client.patch("/x", {"a": 1}, content_type=APPLY)) == 3
    assert await tries(client.delete("/x")) == 1
    assert await tries(client.delete("/x", {"preconditions": {"uid": "u"}})) == 3


async def test_a_connection_that_was_closed_meanwhile_is_no_failure(
    server: Server, connect: Open
) -> None:
    """An apply on a kept connection that the other side has closed finds out by writing."""
    cut = False

    async def answer(request: web.Request) -> web.Response:
        nonlocal cut
        if not cut:
            cut = True
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"ok": True})

    server.routes["PATCH /x"] = answer
    client = await connect()

    assert (await client.patch("/x", {"a": 1}, content_type=APPLY)).body == {"ok": True}
    assert len(server.asked) == 2


async def test_a_path_prefix_is_kept(server: Server, connect: Open) -> None:
    server.answers("GET /k8s/clusters/c-1/version", {"gitVersion": "v1"})
    client = await connect(url=f"{server.url}/k8s/clusters/c-1/")

    assert (await client.get("/version")).body == {"gitVersion": "v1"}


async def test_a_closed_client_says_so(server: Server, connect: Open) -> None:
    client = await connect()
    await client.close()

    with pytest.raises(ClusterError, match="closed"):
        await client.get("/version")

    assert server.asked == []


async def test_no_secret_is_repeated(server: Server, connect: Open) -> None:
    """Not even when the server says it to our face."""
    encoded = base64.b64encode(b"hunter2").decode()
    server.refuses("GET /x", 403, f"token {TOKEN} is bad\x1b[31m\u202e{'x' * 2_000}")
    server.refuses("PATCH /api/v1/namespaces/a/secrets/b", 422, f"data: {encoded} is bad")
    client = await connect(BearerToken(token=TOKEN))

    with pytest.raises(ClusterError) as forbidden:
        await client.get("/x")
    with pytest.raises(ClusterError) as invalid:
        await client.patch("/api/v1/namespaces/a/secrets/b", {"a": 1}, content_type=APPLY)

    said = forbidden.value.message
    assert "token *** is bad [31m xxx" in said
    assert len(said) < 700
    assert encoded not in invalid.value.message
    assert json.dumps(TOKEN) not in repr(vars(client))


async def test_nothing_is_logged(
    server: Server, connect: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """However much a log wants to know."""
    caplog.set_level("DEBUG")
    server.refuses("GET /x", 403, f"token {TOKEN} is bad")
    client = await connect(BearerToken(token=TOKEN))
    for call in (client.get("/x"), client.post("/x", {"data": TOKEN}), client.get("/y", tries=1)):
        with pytest.raises(ClusterError) as failed:
            await call
        assert TOKEN not in "".join(traceback.format_exception(failed.value))
    await client.close()

    assert TOKEN not in caplog.text
