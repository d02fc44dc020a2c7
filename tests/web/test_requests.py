"""Request ids, the limit on bodies, access lines: what holds for every route."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from app.settings import Settings
from app.web.requests import stack

LIMIT = 1024


async def echo(request: Request) -> JSONResponse:
    body = await request.body()
    context = structlog.contextvars.get_contextvars()
    return JSONResponse({"bytes": len(body), "id": request.state.request_id, "context": context})


async def broken(_request: Request) -> JSONResponse:
    raise RuntimeError("the secret is 42")


async def broken_halfway(_request: Request) -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("broken")

    return StreamingResponse(parts())


@pytest.fixture
def app() -> Starlette:
    return Starlette(
        routes=[
            Route("/echo", echo, methods=["GET", "POST"]),
            Route("/broken", broken),
            Route("/halfway", broken_halfway),
            Route("/healthz", echo),
        ],
        middleware=stack(Settings(max_request_bytes=LIMIT, request_seconds=0.05)),
    )


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def in_parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize("sane", ["a", "0123-4.5_6", "x" * 64])
async def test_a_sane_request_id_is_kept(client: httpx.AsyncClient, sane: str) -> None:
    response = await client.get("/echo", headers={"X-Request-Id": sane})
    assert response.headers["x-request-id"] == sane
    assert response.json() == {"bytes": 0, "id": sane, "context": {"request_id": sane}}


@pytest.mark.parametrize("strange", ["", "x" * 65, "a b", "a\tb", "é", '"', "a;b"])
async def test_any_other_request_id_is_replaced(client: httpx.AsyncClient, strange: str) -> None:
    response = await client.get("/echo", headers={"X-Request-Id": strange.encode()})
    assert len(response.headers["x-request-id"]) == 16
    assert response.json()["id"] == response.headers["x-request-id"]


async def test_ids_differ_and_do_not_outlive_their_request(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.get("/echo") for _ in range(20)))
    assert len({answer.headers["x-request-id"] for answer in answers}) == 20
    assert structlog.contextvars.get_contextvars() == {}


async def test_a_body_up_to_the_limit_arrives_whole(client: httpx.AsyncClient) -> None:
    announced = await client.post("/echo", content=b"x" * LIMIT)
    streamed = await client.post("/echo", content=in_parts(b"x" * 1000, b"", b"x" * 24))
    assert announced.json()["bytes"] == streamed.json()["bytes"] == LIMIT


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_larger_body_is_refused_in_graphqls_shape(
    client: httpx.AsyncClient, streamed: bool
) -> None:
    body = b"x" * (LIMIT + 1)
    response = await client.post("/echo", content=in_parts(body, b"y") if streamed else body)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.json() == {
        "errors": [
            {
                "message": "The request body has more than 1024 bytes. Send less at once, for "
                "example an edit of the canvas in parts.",
                "extensions": {"code": "PAYLOAD_TOO_LARGE", "limit": LIMIT},
            }
        ]
    }


async def test_a_body_that_does_not_come_is_given_up(client: httpx.AsyncClient) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    response = await client.post("/echo", content=stuck())
    assert response.status_code == 408
    assert response.json()["errors"][0]["extensions"] == {"code": "REQUEST_TIMEOUT"}


async def test_the_unexpected_is_logged_in_full_and_answered_with_its_id(
    client: httpx.AsyncClient,
) -> None:
    with structlog.testing.capture_logs() as lines:
        response = await client.get("/broken", headers={"X-Request-Id": "abc"})
    assert response.status_code == 500
    assert response.headers["x-request-id"] == "abc"
    assert response.json() == {
        "errors": [
            {
                "message": "Something went wrong on the server. Report it with the id abc.",
                "extensions": {"code": "INTERNAL", "requestId": "abc"},
            }
        ]
    }
    assert [line["event"] for line in lines] == ["unexpected error", "request"]
    assert lines[0]["exc_info"]


async def test_an_answer_that_breaks_off_is_never_finished(app: Starlette) -> None:
    sent: list[Message] = []

    body: list[Message] = [{"type": "http.request"}]

    async def receive() -> Message:
        return body.pop() if body else await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/halfway", "headers": []}
    with structlog.testing.capture_logs() as lines:
        await app(scope, receive, send)
    assert [message.get("more_body") for message in sent] == [None, True]
    assert [(line["event"], line.get("status")) for line in lines] == [
        ("unexpected error", None),
        ("request", 200),
    ]


async def test_the_access_line_has_no_query_and_no_control_characters(
    client: httpx.AsyncClient,
) -> None:
    with structlog.testing.capture_logs() as lines:
        await client.get("/no%0Asuch%1B[31m/" + "x" * 1000 + "?token=secret")
    (line,) = lines
    assert line.pop("milliseconds") >= 0
    assert line.pop("path").startswith("/no%0Asuch%1B%5B31m/xxx")
    assert line == {"event": "request", "log_level": "info", "method": "GET", "status": 404}
    assert "secret" not in json.dumps(lines)


async def test_probes_are_quiet(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as lines:
        await client.get("/healthz")
    assert [line["log_level"] for line in lines] == ["debug"]
