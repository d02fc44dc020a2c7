"""TLS that fails, each failure with its own sentence; and who may be whom."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.access import BearerToken, ClientCertificate
from app.domain.errors import ClusterError, ClusterFault
from app.kube.client import KubeClient
from tests.kube import keeping
from tests.kube.handshakes import handshaking
from tests.kube.serving import Server, context, serving
from tests.kubernetes.certificates import Authority

Open = Callable[..., Awaitable[KubeClient]]
VERSION = {"gitVersion": "v1.36.2"}


async def failure(client: KubeClient) -> tuple[ClusterFault, str]:
    """How `GET /version` fails."""
    failed = await keeping.failure(client.get("/version", seconds=10))
    return failed.fault, failed.message


async def test_an_authority_that_did_not_sign(server: Server, connect: Open) -> None:
    for ca in (Authority("other").pem.decode(), None):
        fault, said = await failure(await connect(ca=ca))

        assert fault is ClusterFault.TLS_FAILED
        assert said == (
            f"The certificate of 127.0.0.1:{server.port} is not trusted. Give the certificate "
            "authority (CA) of the cluster."
        )
    assert server.asked == []


async def test_a_certificate_that_expired(
    authority: Authority, tmp_path: Path, connect: Open
) -> None:
    pair = authority.server("127.0.0.1", valid=timedelta(days=-1))
    async with serving(Server(), context(pair, tmp_path)) as old:
        fault, said = await failure(await connect(url=old.url))

    assert fault is ClusterFault.TLS_FAILED
    assert "has expired" in said
    assert old.asked == []


async def test_a_certificate_for_another_host(
    authority: Authority, tmp_path: Path, connect: Open
) -> None:
    pair = authority.server("other.example", "10.0.0.1")
    async with serving(Server(), context(pair, tmp_path)) as other:
        fault, said = await failure(await connect(url=other.url))
        named, _ = await failure(await connect(url=other.url.replace("127.0.0.1", "localhost")))

    assert fault is named is ClusterFault.TLS_FAILED
    assert "is for another host" in said
    assert other.asked == []


async def test_a_tls_server_name(authority: Authority, tmp_path: Path, connect: Open) -> None:
    """The name that a certificate is for may be another than the one that is dialled."""
    pair = authority.server("kubernetes.default")
    async with serving(Server(), context(pair, tmp_path)) as other:
        other.answers("GET /version", VERSION)
        client = await connect(url=other.url, tls_server_name="kubernetes.default")
        assert (await client.get("/version")).body == VERSION
        wrong, _ = await failure(await connect(url=other.url, tls_server_name="x.example"))

    assert wrong is ClusterFault.TLS_FAILED


@pytest.mark.parametrize("name", [".x", "a b", "\u00fc", "a" * 64])
async def test_a_tls_server_name_that_is_none(connect: Open, name: str) -> None:
    with pytest.raises(ClusterError, match="The TLS server name is wrong") as failed:
        await connect(tls_server_name=name)

    assert failed.value.fault is ClusterFault.TLS_FAILED


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX: y", "t\u00f6ken"])
async def test_a_token_that_cannot_be_sent(connect: Open, token: str) -> None:
    with pytest.raises(ClusterError, match=r"[Tt]oken") as failed:
        await connect(BearerToken(token=token))

    assert failed.value.fault is ClusterFault.UNAUTHORIZED


async def test_a_client_certificate_that_nobody_trusts(
    authority: Authority, tmp_path: Path, connect: Open
) -> None:
    tls = context(authority.server("127.0.0.1"), tmp_path, clients=Authority("people").pem)
    pair = Authority("strangers").client("mallory")
    proof = ClientCertificate(certificate=pair.certificate.decode(), key=pair.key.decode())
    with handshaking(tls) as url:
        stranger = await failure(await connect(proof, url=url))
        nobody = await failure(await connect(BearerToken(token="t"), url=url))

    for fault, said in (stranger, nobody):
        assert fault is ClusterFault.UNAUTHORIZED
        assert "refuses the client certificate" in said


async def test_a_client_certificate_that_expired(
    authority: Authority, tmp_path: Path, server: Server, connect: Open
) -> None:
    """Whether TLS refuses it or, as API servers do, the answer is a 401."""
    people = Authority("people")
    pair = people.client("alice", valid=timedelta(days=-1))
    proof = ClientCertificate(certificate=pair.certificate.decode(), key=pair.key.decode())
    tls = context(authority.server("127.0.0.1"), tmp_path, clients=people.pem)
    server.refuses("GET /version", 401, "Unauthorized")
    with handshaking(tls) as url:
        by_alert = await failure(await connect(proof, url=url))
    async with serving(Server(), tls) as mutual:
        by_silence = await failure(await connect(proof, url=mutual.url))

    by_answer = await failure(await connect(proof))

    for fault, said in (by_alert, by_silence, by_answer):
        assert fault is ClusterFault.UNAUTHORIZED
        assert "expired" in said


async def test_a_port_that_speaks_no_tls(connect: Open) -> None:
    async with serving(Server(), None) as plain:
        fault, said = await failure(await connect(url=plain.url.replace("http://", "https://")))

    assert fault is ClusterFault.TLS_FAILED
    assert "does not speak TLS" in said


async def test_a_server_that_hangs_up(connect: Open) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listening = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        fault, said = await failure(await connect(url=f"https://127.0.0.1:{port}"))

    assert fault is ClusterFault.UNREACHABLE
    assert f"127.0.0.1:{port}" in said


async def test_a_server_that_says_nothing(connect: Open) -> None:
    """Not even in the TLS handshake."""
    ended = asyncio.Event()

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    listening = await asyncio.start_server(wait, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        client = await connect(url=f"https://127.0.0.1:{port}")
        with pytest.raises(ClusterError, match="within 1 s") as failed:
            await client.get("/version", seconds=0.2)
        ended.set()

    assert failed.value.fault is ClusterFault.TIMED_OUT


async def test_nobody_listens(server: Server, connect: Open, unused_tcp_port: int) -> None:
    fault, said = await failure(await connect(url=f"https://127.0.0.1:{unused_tcp_port}"))

    assert fault is ClusterFault.UNREACHABLE
    assert "refused" in said


async def test_an_old_protocol_is_not_spoken(
    authority: Authority, tmp_path: Path, connect: Open
) -> None:
    tls = context(authority.server("127.0.0.1"), tmp_path)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("AES128-SHA")
    with handshaking(tls) as url:
        fault, said = await failure(await connect(url=url))

    assert fault is ClusterFault.TLS_FAILED
    assert "No TLS connection" in said
