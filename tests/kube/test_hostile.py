"""Servers that mean harm, or are no Kubernetes: bounded in bytes, depth and time."""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from app.domain.errors import ClusterError, ClusterFault
from app.kube.client import KubeClient, Limits, LineTooLong
from tests.kube.serving import Server

Open = Callable[..., Awaitable[KubeClient]]
SMALL = Limits(body=2**20, line=2**10)


async def failure(call: Awaitable[object]) -> ClusterError:
    with pytest.raises(ClusterError) as failed:
        await call
    assert len(failed.value.message) < 1_000
    return failed.value


def endless(
    chunk: bytes, ended: asyncio.Event
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Send the chunk until the client is gone."""

    async def send(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(chunk)
                await asyncio.sleep(0)  # the client has the same loop
        except (ConnectionError, asyncio.CancelledError):
            ended.set()
            raise

    return send


def silent(
    ended: asyncio.Event, *first: bytes
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Send the beginning of an answer, and then nothing."""

    async def send(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if first:
            await response.prepare(request)
        for chunk in first:
            await response.write(chunk)
        await ended.wait()
        return response

    return send


@asynccontextmanager
async def raw(tls: ssl.SSLContext, answer: bytes) -> AsyncIterator[str]:
    """The URL of a server that sends these bytes, whatever it is asked."""

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(send, "127.0.0.1", 0, ssl=tls)
    async with listening:
        yield f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_an_answer_without_end(server: Server, connect: Open) -> None:
    ended = asyncio.Event()
    server.routes["GET /x"] = endless(b'{"a":' + b" " * 65_536, ended)
    client = await connect(limits=SMALL)

    failed = await failure(client.get("/x"))

    assert failed.fault is ClusterFault.NOT_KUBERNETES
    assert "more than 1048576 bytes" in failed.message
    await asyncio.wait_for(ended.wait(), 5)


async def test_an_answer_that_swells(server: Server, connect: Open) -> None:
    """100 MiB of zeros are 100 KiB on the wire."""
    bomb = gzip.compress(bytes(100 * 2**20), 9)

    async def send(_: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    server.routes["GET /x"] = send
    client = await connect(limits=SMALL)

    assert (await failure(client.get("/x"))).fault is ClusterFault.NOT_KUBERNETES


async def test_a_compressed_answer_is_read(server: Server, connect: Open) -> None:
    async def send(_: web.Request) -> web.Response:
        body = gzip.compress(json.dumps({"items": ["x" * 1_000]}).encode())
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    server.routes["GET /x"] = send

    assert (await (await connect()).get("/x")).body == {"items": ["x" * 1_000]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>It works!</html>",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
    ],
)
async def test_what_is_no_object(server: Server, connect: Open, body: bytes) -> None:
    async def send(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    server.routes["GET /x"] = send

    assert (await failure((await connect()).get("/x"))).fault is ClusterFault.NOT_KUBERNETES


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 422, 429, 500])
@pytest.mark.parametrize(
    "body",
    [
        b"<html>no</html>",
        b"x" * 2_000_000,
        b"[" * 100_000,
        b'{"kind":"Status","message":7,"details":{"causes":7}}',
        b'{"kind":"Status","message":["x"],"details":[]}',
        b'{"kind":"Status","details":{"causes":[7,{"field":7},{"message":{}}]}}',
        json.dumps(
            {
                "kind": "Status",
                "message": "x" * 100_000,
                "details": {"causes": [{"field": "y" * 9_000, "message": "z" * 9_000}] * 1_000},
            }
        ).encode(),
    ],
)
async def test_refusals_of_any_form(server: Server, connect: Open, code: int, body: bytes) -> None:
    async def send(_: web.Request) -> web.Response:
        return web.Response(body=body, status=code)

    server.routes["GET /x"] = send

    failed = await failure((await connect()).get("/x", tries=1))

    assert failed.status == code
    assert len(failed.causes) <= 50
    assert all(len(cause.message) <= 300 for cause in failed.causes)
    assert all(cause.field is None or len(cause.field) <= 300 for cause in failed.causes)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", ClusterFault.NOT_KUBERNETES),
        (b"HTTP/1.1 abc\r\n\r\n", ClusterFault.NOT_KUBERNETES),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", ClusterFault.NOT_KUBERNETES),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", ClusterFault.UNREACHABLE),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            ClusterFault.NOT_KUBERNETES,
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
            ClusterFault.UNREACHABLE,
        ),
        (b"", ClusterFault.UNREACHABLE),
    ],
)
async def test_what_is_no_http(
    tls: ssl.SSLContext, connect: Open, answer: bytes, fault: ClusterFault
) -> None:
    async with raw(tls, answer) as url:
        client = await connect(url=url)
        failed = await failure(client.get("/x", tries=1))

    assert failed.fault is fault


async def test_a_server_that_never_answers(server: Server, connect: Open) -> None:
    ended = asyncio.Event()
    server.routes["GET /mute"] = silent(ended)
    server.routes["GET /half"] = silent(ended, b'{"a":')
    client = await connect()

    for path in ("/mute", "/half"):
        failed = await failure(client.get(path, seconds=0.2))
        assert failed.fault is ClusterFault.TIMED_OUT
    ended.set()


async def test_a_server_that_drips(server: Server, connect: Open) -> None:
    """A byte now and then keeps no deadline off."""
    gone = asyncio.Event()

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.01)
        except (ConnectionError, asyncio.CancelledError):
            gone.set()
            raise

    server.routes["GET /x"] = drip

    failed = await failure((await connect()).get("/x", seconds=0.3))

    assert failed.fault is ClusterFault.TIMED_OUT
    await asyncio.wait_for(gone.wait(), 5)


async def lines(client: KubeClient, **arguments: object) -> list[bytes]:
    async with client.stream("/log", **arguments) as found:  # type: ignore[arg-type]
        return [line async for line in found]


async def test_lines_of_a_stream(server: Server, connect: Open) -> None:
    async def send(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in (b"one\ntw", b"o\n\n\xff\x00", b"three\nfour", b"\n", b"rest"):
            await response.write(chunk)
        return response

    server.routes["GET /log"] = send
    client = await connect()

    assert await lines(client) == [b"one", b"two", b"", b"\xff\x00three", b"four", b"rest"]
    cut = await lines(client, longest_line=3, cut=True)
    assert cut == [b"one", b"two", b"", b"\xff\x00t", b"fou", b"res"]


async def test_a_line_without_end(server: Server, connect: Open) -> None:
    ended = asyncio.Event()
    server.routes["GET /log"] = endless(b"x" * 65_536, ended)
    client = await connect(limits=SMALL)

    with pytest.raises(LineTooLong, match="1024 bytes"):
        await lines(client)

    await asyncio.wait_for(ended.wait(), 5)


async def test_a_stream_that_falls_silent(server: Server, connect: Open) -> None:
    ended = asyncio.Event()
    server.routes["GET /log"] = silent(ended, b"one\ntwo")
    client = await connect()
    found: list[bytes] = []

    with pytest.raises(ClusterError) as failed:
        async with client.stream("/log", quiet=0.2) as read:
            async for line in read:
                found.append(line)
    ended.set()

    assert failed.value.fault is ClusterFault.TIMED_OUT
    assert found == [b"one"]


async def test_a_stream_that_lasts_too_long(server: Server, connect: Open) -> None:
    ended = asyncio.Event()
    server.routes["GET /log"] = endless(b"x\n", ended)
    client = await connect()

    with pytest.raises(ClusterError) as failed:
        await lines(client, total=0.3)

    assert failed.value.fault is ClusterFault.TIMED_OUT
    await asyncio.wait_for(ended.wait(), 5)


async def test_who_stops_reading_hangs_up(server: Server, connect: Open) -> None:
    ended = asyncio.Event()
    server.routes["GET /log"] = endless(b"x\n", ended)
    client = await connect()

    async with client.stream("/log") as read:
        async for line in read:
            assert line == b"x"
            break

    await asyncio.wait_for(ended.wait(), 5)


async def test_a_stream_that_is_refused(server: Server, connect: Open) -> None:
    server.refuses("GET /log", 400, 'container "a" is waiting to start: ContainerCreating')

    with pytest.raises(ClusterError, match="waiting to start: ContainerCreating") as failed:
        await lines(await connect())

    assert failed.value.fault is ClusterFault.INVALID
