"""What costs the sender little and would cost this process much, or repeats our secrets."""

import asyncio
import base64
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.domain.access import Access, BearerToken
from app.domain.errors import ClusterError, ClusterFault, Invalid
from app.kube import discovery
from app.kube.addresses import AddressPolicy
from app.kube.answers import parse
from app.kube.certificates import LONGEST_KEY, read_pair
from app.kube.client import KubeClient
from app.kube.endpoint import Endpoint
from tests.kube.serving import Server
from tests.kubernetes.certificates import Authority

Open = Callable[..., Awaitable[KubeClient]]
TOKEN = "s3cret/token+of=tests-0123456789"
P, Q = 2**2203 - 1, 2**2281 - 1
"""Primes, of a key that is a little longer than is accepted."""


def problem(certificate: str, key: str) -> str:
    with pytest.raises(Invalid) as refused:
        read_pair(certificate, key, certificate_path=("cert",), key_path=("key",))
    [found] = refused.value.problems
    assert found.path == ("key",)
    return found.message


def pem(p: int, q: int, *, d: int | None = None) -> str:
    """An RSA key of two factors, which nothing has checked."""
    d = d or pow(65_537, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65_537, p * q)
    )
    key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()


def test_keys_that_take_minutes_to_check(authority: Authority) -> None:
    certificate = authority.client("alice").certificate.decode()
    sentence = "The key is too long: send one of at most 4096 bits, and nothing else."

    began = time.perf_counter()
    assert problem(certificate, pem(P, Q)) == sentence
    assert problem(certificate, pem(2**9689 - 1, 2**9941 - 1)) == sentence
    assert problem(certificate, "-----BEGIN " + "a" * LONGEST_KEY) == sentence
    assert time.perf_counter() - began < 5


def test_a_key_whose_numbers_do_not_belong_together(authority: Authority) -> None:
    certificate = authority.client("alice").certificate.decode()
    p, q = 2**1279 - 1, 2**607 - 1
    d = pow(65_537, -1, (p - 1) * (q - 1))

    unreadable = "This holds no private key that can be read."
    assert problem(certificate, pem(p, q)) == "The key does not belong to the certificate."
    assert problem(certificate, pem(p, q, d=d + 2)) == unreadable


@pytest.mark.parametrize("filler", [b"[],", b"{},", b"0,"])
def test_answers_that_grow_thirtyfold(filler: bytes) -> None:
    raw = b'{"items": [' + filler * 20_000 + b"0]}"

    with pytest.raises(ClusterError) as failed:
        parse(raw, Endpoint("cluster.test"))
    assert failed.value.fault is ClusterFault.NOT_KUBERNETES


def test_an_answer_full_of_managed_fields_is_read() -> None:
    raw = b'{"metadata": {' + b'"f:a":{},' * 20_000 + b'"f:b":{}}}'

    assert parse(raw, Endpoint("cluster.test")) == {"metadata": {"f:a": {}, "f:b": {}}}


@asynccontextmanager
async def flooding(flood: bytes) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server that says the same without end; its URL, and an event for when it is cut off.

    In a loop of its own: it is as fast as it can be.
    """
    begun, ended = threading.Event(), asyncio.Event()
    here = asyncio.get_running_loop()
    port = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            while True:
                writer.write(flood)
                await writer.drain()
        except ConnectionError:
            here.call_soon_threadsafe(ended.set)
        finally:
            writer.close()

    async def serve() -> None:
        nonlocal port
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        begun.set()
        await asyncio.to_thread(stop.wait)
        server.close()

    stop = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        await asyncio.to_thread(begun.wait)
        yield f"http://127.0.0.1:{port}", ended
    finally:
        stop.set()
        await asyncio.to_thread(thread.join)


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"],
)
async def test_interim_answers_without_end(answer: bytes) -> None:
    async with flooding(answer * 1_000) as (url, cut_off):
        access = Access(server=url, proof=BearerToken(token=TOKEN))
        policy = AddressPolicy(loopback=True, plain_http_loopback=True)
        client = await KubeClient.open(access, policy)
        try:
            with pytest.raises(ClusterError) as failed:
                await client.get("/version", tries=1, seconds=20)
            await asyncio.wait_for(cut_off.wait(), 20)
        finally:
            await client.close()
    assert failed.value.fault is ClusterFault.NOT_KUBERNETES


@pytest.mark.parametrize(
    "said",
    [
        TOKEN,
        f"{TOKEN[:5]}\x00{TOKEN[5:]}",
        f"{TOKEN[:5]}\u200b{TOKEN[5:]}",
        base64.b64encode(TOKEN.encode()).decode(),
        "s3cret%2Ftoken%2Bof%3Dtests-0123456789",
        " " * (65_537 - len(TOKEN)) + TOKEN,
    ],
)
def test_secrets_in_disguise(said: str) -> None:
    cleaned = Endpoint.of("cluster.test", [TOKEN]).clean(f"no: {said}")

    assert "***" in cleaned
    assert "0123456789" not in cleaned
    assert "0123456789" not in base64.b64decode(cleaned.split()[-1] + "==").decode(errors="replace")


async def test_a_version_and_names_that_repeat_our_token(server: Server, connect: Open) -> None:
    token = "token-of-tests"
    listed = {"items": [{"metadata": {"name": name}} for name in (token, "shop", "a.b", "c" * 64)]}
    server.answers("GET /version", {"gitVersion": f"v1.36.2+{token}"})
    server.answers("GET /api/v1/namespaces", listed)
    server.answers("GET /apis/storage.k8s.io/v1/storageclasses", listed)
    for path in ("/api/v1/nodes", "/apis", "/apis/networking.k8s.io/v1/ingressclasses"):
        server.answers(f"GET {path}", {"items": []})
    client = await connect(BearerToken(token=token))

    found = await discovery.discover(client)

    assert found.version == "v1.36.2+***"
    assert found.namespaces == ["shop"]
    assert found.capabilities == [
        "storage-class:a.b",
        f"storage-class:{'c' * 64}",
        "storage-class:shop",
    ]
