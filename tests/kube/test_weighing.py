"""What clusters say is measured by what it takes in memory, and work has a budget of that."""

import tracemalloc
from collections.abc import Awaitable, Callable

import aiohttp
import orjson
import pytest
from aiohttp import web

from app.domain.errors import ClusterError, ClusterFault
from app.kube.client import AnswerTooLarge, KubeClient, Limits, Request
from app.kube.weighing import MIB, Budget, TooMuch, swells, weight, weight_of
from tests.kube.serving import Server

Open = Callable[..., Awaitable[KubeClient]]

FIELDS = {
    "f:metadata": {"f:labels": {".": {}, "f:app": {}}, "f:generateName": {}},
    "f:spec": {
        "f:containers": {
            'k:{"name":"web"}': {".": {}, "f:image": {}, "f:name": {}, "f:ports": {".": {}}}
        },
        "f:dnsPolicy": {},
    },
}
POD = {
    "metadata": {"name": "web-5d9c7b8f6-abcde", "managedFields": [{"fieldsV1": FIELDS}] * 3},
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "nginx:1.25",
                "env": [{"name": f"SETTING_{n}", "value": str(n)} for n in range(20)],
                "ports": [{"containerPort": 80, "protocol": "TCP"}],
            }
        ]
    },
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}] * 4},
}


def test_the_weight_is_about_what_is_held() -> None:
    raw = orjson.dumps({"items": [POD] * 200})
    tracemalloc.start()
    body = orjson.loads(raw)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert held <= weight(raw) <= 2.5 * held
    assert weight_of(body) == weight(raw)
    assert not swells(raw, weight(raw))


@pytest.mark.parametrize("filler", [b'{"":0},', b'{"a":0},', b'{"name":"x"},', b"[[]],", b'[""],'])
def test_what_no_cluster_says(filler: bytes) -> None:
    raw = b'{"items": [' + filler * 20_000 + b"0]}"

    assert swells(raw, weight(raw))


async def test_work_has_a_budget(server: Server, connect: Open) -> None:
    server.answers("GET /x", {"a": "x" * 1_000})
    client = await connect()
    one = (await client.get("/x")).weight
    outer = client.within(Budget(3 * one))
    inner = outer.within(Budget(one))

    assert (await inner.get("/x")).weight == one
    with pytest.raises(TooMuch) as failed:
        await inner.get("/x")
    assert failed.value.fault is ClusterFault.UNAVAILABLE
    await outer.get("/x")
    with pytest.raises(TooMuch):
        await outer.get("/x")
    await client.get("/x")


async def test_an_object_is_never_larger_than_kubernetes_lets_it_be(
    server: Server, connect: Open
) -> None:
    sizes = iter((4 * MIB - 100, 4 * MIB))

    async def send(_: web.Request) -> web.Response:
        return web.json_response({"a": "x" * next(sizes)})

    server.routes["GET /x"] = send
    client = await connect()

    assert len((await client.get("/x")).body["a"]) == 4 * MIB - 100
    with pytest.raises(AnswerTooLarge) as failed:
        await client.get("/x")
    assert failed.value.fault is ClusterFault.NOT_KUBERNETES
    assert Limits().line == 3 * MIB


async def test_a_refusal_is_no_answer(server: Server, connect: Open) -> None:
    server.refuses("GET /x", 403)
    bounded = (await connect()).within(Budget(0))

    with pytest.raises(ClusterError) as failed:
        await bounded.get("/x")
    assert failed.value.fault is ClusterFault.FORBIDDEN


async def test_little_is_read_ahead(server: Server, connect: Open) -> None:
    """An answer that nobody reads is what many followed logs and watches are."""
    server.answers("GET /x", {})
    client = await connect()

    waits = aiohttp.ClientTimeout(total=10)
    response, _ = await client._calls._transport.send(Request("GET", "/x"), waits)
    try:
        assert response.content.get_read_buffer_limits() == (2**16, 2**17)
    finally:
        response.release()


async def test_lines_are_cut_as_they_are_taken(server: Server, connect: Open) -> None:
    """However many lines came at once, no more than one of them is held besides what came."""
    many = b"x\n" * 2**20

    async def send(request: web.Request) -> web.StreamResponse:
        return web.Response(body=many)

    server.routes["GET /x"] = send
    client = await connect()
    async with client.stream("/x") as lines:
        await anext(aiter(lines))
        tracemalloc.start()
        count = 1
        async for _ in lines:
            count += 1
            if count == 2**19:
                break
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert count == 2**19
    assert peak < 2**21
