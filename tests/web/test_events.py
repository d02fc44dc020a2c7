"""Server-sent events: one stream, one operation."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from tests.web.serving import Live, live

TICKS = "subscription { ticks }"
EVENTS = {"accept": "text/event-stream"}


class Reader:
    """Reads a stream event by event; comments are heard as `{"comment": …}`."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def hear(self, *, comments: bool = False) -> dict[str, Any] | None:
        """The next event; None at the end of the stream."""
        heard: dict[str, Any] = {}
        async with asyncio.timeout(5):
            async for line in self._lines:
                name, _, value = line.partition(":")
                if line == "" and heard:
                    if comments or "event" in heard:
                        return heard
                    heard = {}
                elif line:
                    heard[name or "comment"] = value.strip()
        return None

    async def rest(self) -> list[str]:
        """The names of all further events."""
        names = []
        while (heard := await self.hear()) is not None:
            names.append(heard["event"])
        return names


@asynccontextmanager
async def stream(
    server: Live, query: str, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Reader]:
    async with server.http.stream(
        "POST", "/graphql", json={"query": query}, headers={**EVENTS, **(headers or {})}
    ) as response:
        yield Reader(response)


async def test_a_subscription_is_next_events_and_a_complete() -> None:
    async with live() as server, stream(server, "subscription { count(to: 2) }") as reader:
        assert reader.response.status_code == 200
        assert reader.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert reader.response.headers["cache-control"] == "no-cache, no-transform"
        heard = [await reader.hear() for _ in range(4)]
    assert heard == [
        {"event": "next", "data": '{"data":{"count":1}}'},
        {"event": "next", "data": '{"data":{"count":2}}'},
        {"event": "complete", "data": ""},
        None,
    ]


async def test_a_browsers_event_source_asks_by_get() -> None:
    async with live() as server:
        answer = await server.http.get(
            "/graphql", params={"query": "subscription { count(to: 1) }"}, headers=EVENTS
        )
    assert "event: next" in answer.text


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{ hello }", {"data": {"hello": "hello world"}}),
        ("mutation { add }", {"data": {"add": 1}}),
    ],
)
async def test_queries_and_mutations_are_one_next_event(query: str, data: Any) -> None:
    async with live() as server, stream(server, query) as reader:
        event = await reader.hear()
        assert event is not None
        assert json.loads(event["data"]) == data
        assert await reader.rest() == ["complete"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("subscription { unknown }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { refuses }", "FORBIDDEN"),
        ("subscription ($n: Int!) { count(to: $n) }", "BAD_USER_INPUT"),
    ],
)
async def test_an_event_source_is_told_of_errors_in_the_stream(query: str, code: str) -> None:
    async with live() as server, stream(server, query) as reader:
        assert reader.response.status_code == 200
        event = await reader.hear()
        assert event is not None
        assert json.loads(event["data"])["errors"][0]["extensions"]["code"] == code
        assert await reader.rest() == ["complete"]


async def test_a_source_that_breaks_is_masked() -> None:
    with capture_logs() as logs:
        async with live() as server, stream(server, "subscription { fails }") as reader:
            await reader.hear()
            event = await reader.hear()
            assert await reader.rest() == ["complete"]
    assert event is not None
    assert json.loads(event["data"])["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "secret" not in event["data"]
    assert [line["event"] for line in logs] == ["unexpected error"]


async def test_a_client_that_leaves_ends_the_source() -> None:
    async with live() as server:
        async with stream(server, TICKS) as reader:
            await reader.hear()
            await server.world.entered.wait()
        async with asyncio.timeout(5):
            await server.world.left.wait()
        assert server.world.ended == ["ticks closed"]


async def test_heartbeats_while_nothing_happens() -> None:
    async with live(ping_seconds=0.05) as server, stream(server, TICKS) as reader:
        heard = [await reader.hear(comments=True) for _ in range(4)]
    assert [list(each or {}) for each in heard] == [
        ["comment"],
        ["event", "data"],
        ["comment"],
        ["comment"],
    ]


async def test_a_stream_ends_when_its_token_does() -> None:
    async with live() as server:
        headers = {"authorization": f"Bearer {server.world.token('ada', seconds=0.2)}"}
        async with stream(server, TICKS, headers) as reader:
            await reader.hear()
            event = await reader.hear()
            assert await reader.rest() == ["complete"]
        assert server.world.ended == ["ticks closed"]
    assert event is not None
    (error,) = json.loads(event["data"])["errors"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "expired" in error["message"]


async def test_a_stream_ends_when_its_session_does() -> None:
    async with live() as server:
        headers = {"authorization": f"Bearer {server.world.token('ada')}"}
        async with stream(server, TICKS, headers) as reader:
            await reader.hear()
            server.world.signed_out.set()
            event = await reader.hear()
            assert await reader.rest() == ["complete"]
    assert event is not None
    assert "UNAUTHENTICATED" in event["data"]


async def test_a_stream_says_itself_why_it_ends() -> None:
    async with live() as server:
        headers = {"authorization": f"Bearer {server.world.token('ada', seconds=0.2)}"}
        async with stream(server, "subscription { polite }", headers) as reader:
            events = [await reader.hear() for _ in range(2)]
            assert await reader.rest() == ["complete"]
    told = [json.loads(event["data"])["data"]["polite"] for event in events if event]
    assert told == ["hello", "token_expired"]


async def test_a_server_that_stops_ends_streams_so_that_clients_come_back() -> None:
    async with live() as server:
        async with stream(server, TICKS) as reader:
            await reader.hear()
            server.edge.stopping.set()
            assert await reader.rest() == [], "complete would mean that nothing more will come"
        async with stream(server, TICKS) as reader:
            assert reader.response.status_code == 503


async def test_open_streams_are_counted_by_address_and_by_user() -> None:
    async with live(max_sockets_per_address=2, max_sockets_per_user=1) as server:
        ada = {"authorization": f"Bearer {server.world.token('ada')}"}
        async with stream(server, TICKS, ada) as first:
            await first.hear()
            async with stream(server, TICKS, ada) as again:
                assert again.response.status_code == 429
                body = json.loads(await again.response.aread())
            assert body["errors"][0]["extensions"]["code"] == "TOO_MANY_CONNECTIONS"
            assert "your account" in body["errors"][0]["message"]
            async with stream(server, TICKS) as second:
                await second.hear()
                async with stream(server, TICKS) as third:
                    assert third.response.status_code == 429
                    assert "your address" in (await third.response.aread()).decode()
        await server.until_open(0)
        async with stream(server, TICKS, ada) as later:
            assert later.response.status_code == 200


async def test_a_reader_that_stops_reading_holds_up_the_source_and_is_dropped() -> None:
    async with live(ping_seconds=0.2) as server:
        reader, writer = await asyncio.open_connection(*server.address.split(":"), limit=1)
        body = json.dumps({"query": "subscription { flood(size: 100000) }"}).encode()
        writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )
        await reader.readexactly(1)
        await server.until_open(1)
        await server.until_open(0)
        assert server.world.produced < 500, "what is not read must not be made"
        writer.transport.abort()
