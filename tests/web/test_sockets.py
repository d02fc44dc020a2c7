"""graphql-transport-ws: every message, and every way in which a client can be wrong."""

import asyncio
import json
from typing import Any

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from tests.web.serving import PROTOCOL, Talk, live

TICKS = "subscription { ticks }"


async def test_operations_of_every_kind_on_one_socket() -> None:
    async with live() as server, server.talk() as talk:
        await talk.subscribe("q", "query A($n: String!) { hello(name: $n) }", variables={"n": "x"})
        assert await talk.hear() == {
            "id": "q",
            "type": "next",
            "payload": {"data": {"hello": "hello x"}},
        }
        assert await talk.hear() == {"id": "q", "type": "complete"}
        await talk.subscribe("m", "mutation { add(number: 2) }", operationName=None)
        assert (await talk.hear())["payload"] == {"data": {"add": 2}}
        assert await talk.hear() == {"id": "m", "type": "complete"}
        await talk.subscribe("q", "subscription { count(to: 2) }")
        heard = [await talk.hear() for _ in range(3)]
        assert [each.get("payload") for each in heard] == [
            {"data": {"count": 1}},
            {"data": {"count": 2}},
            None,
        ]


async def test_ping_is_answered_with_pong() -> None:
    async with live() as server, server.socket() as talk:
        await talk.say("ping", payload={"any": "thing"})
        assert await talk.hear() == {"type": "pong"}
        await talk.say("pong")
        await talk.say("connection_init")
        assert await talk.hear() == {"type": "connection_ack"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("{ unknown }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", "OPERATION_UNCLEAR"),
        ("query ($n: String!) { hello(name: $n) }", "BAD_USER_INPUT"),
        ("subscription ($n: Int!) { count(to: $n) }", "BAD_USER_INPUT"),
        ("{ " + "items { " * 20 + "id" + " }" * 21, "QUERY_TOO_DEEP"),
    ],
)
async def test_what_cannot_run_is_an_error_and_the_socket_stays(query: str, code: str) -> None:
    async with live() as server, server.talk() as talk:
        await talk.subscribe("1", query)
        heard = await talk.hear()
        assert (heard["id"], heard["type"]) == ("1", "error")
        assert heard["payload"][0]["extensions"]["code"] == code
        await talk.subscribe("1", "{ hello }")
        assert (await talk.hear())["type"] == "next"


SUBSCRIBE = {"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}}

INVALID: list[Any] = [
    b"binary",
    "",
    "{",
    "[]",
    "null",
    "1",
    '"text"',
    "[" * 10_000,
    '{"type": "\\ud800"}',
    {},
    {"type": None},
    {"type": 1},
    {"type": []},
    {"type": {"a": 1}},
    {"type": "unknown"},
    {"type": "x" * 10_000},
    {"type": "connection_ack"},
    {"type": "next", "id": "1", "payload": {}},
    {"type": "start", "id": "1", "payload": {"query": "{ hello }"}},
    {"type": "connection_init", "payload": []},
    {"type": "connection_init", "payload": "token"},
    {"type": "ping", "payload": 1},
    {"type": "pong", "payload": [1]},
    {"type": "complete"},
    {"type": "complete", "id": 1},
    {"type": "complete", "id": {"a": 1}},
    {"type": "complete", "id": ""},
    {"type": "subscribe"},
    {**SUBSCRIBE, "id": None},
    {**SUBSCRIBE, "id": 1},
    {**SUBSCRIBE, "id": ["1"]},
    {**SUBSCRIBE, "id": {"a": 1}},
    {**SUBSCRIBE, "id": "x" * 257},
    {"type": "subscribe", "id": "1"},
    {**SUBSCRIBE, "payload": None},
    {**SUBSCRIBE, "payload": "{ hello }"},
    {**SUBSCRIBE, "payload": [{"query": "{ hello }"}]},
    {**SUBSCRIBE, "payload": {}},
    {**SUBSCRIBE, "payload": {"query": None}},
    {**SUBSCRIBE, "payload": {"query": 1}},
    {**SUBSCRIBE, "payload": {"query": ["{ hello }"]}},
    {**SUBSCRIBE, "payload": {"query": "{ hello }", "variables": []}},
    {**SUBSCRIBE, "payload": {"query": "{ hello }", "variables": "{}"}},
    {**SUBSCRIBE, "payload": {"query": "{ hello }", "operationName": 1}},
    {**SUBSCRIBE, "payload": {"query": "{ hello }", "extensions": []}},
    {**SUBSCRIBE, "payload": {"query": "{ hello }", "variables": {"a": "\0"}}},
]


async def test_an_invalid_message_closes_with_4400() -> None:
    with capture_logs() as logs:
        async with live() as server:
            for message in INVALID:
                opened = server.socket() if "init" in str(message) else server.talk()
                async with opened as talk:
                    raw = message if isinstance(message, str | bytes) else json.dumps(message)
                    await talk.connection.send(raw)
                    code, reason = await talk.closed()
                    assert code == 4400, message
                    assert len(reason) > 10
    assert logs == [], "a client's mistake is no incident"


async def opened_twice(talk: Talk) -> None:
    await talk.say("connection_init")
    await talk.say("connection_init")


async def too_early(talk: Talk) -> None:
    await talk.subscribe("1", "{ hello }")


async def same_id(talk: Talk) -> None:
    await talk.say("connection_init")
    await talk.subscribe("é" * 200, TICKS)
    await talk.subscribe("é" * 200, TICKS)


async def silent(talk: Talk) -> None:
    pass


async def bad_token(talk: Talk) -> None:
    await talk.say("connection_init", payload={"authorization": "Bearer stale"})


async def no_token(talk: Talk) -> None:
    await talk.say("connection_init", payload={"authorization": 7})


@pytest.mark.parametrize(
    ("act", "code", "reason"),
    [
        (opened_twice, 4429, "Too many initialisation requests"),
        (too_early, 4401, "Unauthorized: the connection is not acknowledged yet."),
        (same_id, 4409, "Subscriber for " + "é" * 54),
        (silent, 4408, "Connection initialisation timeout"),
        (bad_token, 4403, "Forbidden: The access token has expired. Refresh the session."),
        (no_token, 4403, "Forbidden: Send the access token as `Authorization: Bearer <token>`."),
    ],
)
async def test_the_protocols_close_codes(act: Any, code: int, reason: str) -> None:
    async with live(connection_init_seconds=0.1) as server, server.socket() as talk:
        await act(talk)
        assert await talk.closed() == (code, reason)


@pytest.mark.parametrize("offered", [("graphql-ws",), ("x",), ()])
async def test_other_protocols_are_not_spoken(offered: tuple[str, ...]) -> None:
    async with live() as server, server.socket(subprotocols=offered) as talk:
        assert await talk.closed() == (4406, f"Speak {PROTOCOL}.")


async def test_ours_is_chosen_among_several() -> None:
    async with live() as server, server.socket(subprotocols=("graphql-ws", PROTOCOL)) as talk:
        assert talk.connection.subprotocol == PROTOCOL


@pytest.mark.parametrize("server_limit", [2048, 2**24])
async def test_a_message_over_the_limit_closes_with_1009(server_limit: int) -> None:
    """By the server in front of us, where it knows the limit, and by ourselves."""
    options = {"max_request_bytes": 2048, "max_message": server_limit}
    async with live(**options) as server, server.talk() as talk:
        just_below = "{ hello }".ljust(2048 - len(json.dumps(SUBSCRIBE)) + len("{ hello }"))
        await talk.subscribe("1", just_below)
        assert (await talk.hear())["type"] == "next"
        await talk.subscribe("2", just_below + "é")
        code, _ = await talk.closed()
    assert code == 1009


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"origin": "https://elsewhere.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://["}, False),
        ({}, True),
        ({"origin": "https://editor.example"}, True),
        ({"origin": "https://elsewhere.example", "sec-fetch-site": "same-origin"}, True),
    ],
)
async def test_pages_of_a_foreign_origin_stay_outside(
    headers: dict[str, str], allowed: bool
) -> None:
    async with live(allowed_origins=["https://editor.example"]) as server:
        opened = server.talk(additional_headers=headers)
        if allowed:
            async with opened:
                return
        with pytest.raises(InvalidStatus) as refused:
            await opened.__aenter__()
    assert refused.value.response.status_code == 403
    assert b"FOREIGN_ORIGIN" in refused.value.response.body


async def test_our_own_pages_come_in() -> None:
    async with live() as server, server.talk(origin=f"http://{server.address}"):
        pass


async def test_complete_ends_the_source_and_frees_the_id() -> None:
    async with live() as server, server.talk() as talk:
        await talk.subscribe("1", TICKS)
        await talk.hear()
        await server.world.entered.wait()
        await talk.say("complete", id="1")
        async with asyncio.timeout(5):
            await server.world.left.wait()
        assert server.world.ended == ["ticks closed"]
        await talk.say("complete", id="1")
        await talk.subscribe("1", "{ hello }")
        assert (await talk.hear())["payload"] == {"data": {"hello": "hello world"}}


async def test_complete_cancels_a_query_but_never_a_mutation() -> None:
    async with live() as server, server.talk() as talk:
        await talk.subscribe("q", "{ wait }")
        await server.world.entered.wait()
        await talk.say("complete", id="q")
        async with asyncio.timeout(5):
            await server.world.left.wait()
        assert server.world.ended == ["wait cancelled"]
        server.world.entered.clear()
        server.world.left.clear()
        await talk.subscribe("m", "mutation { addSlowly }")
        await server.world.entered.wait()
        await talk.say("complete", id="m")
        await talk.say("ping")
        assert await talk.hear() == {"type": "pong"}
        server.world.gate.set()
        async with asyncio.timeout(5):
            await server.world.left.wait()
        assert server.world.total == 1
        await talk.say("ping")
        assert await talk.hear() == {"type": "pong"}, "the result is not sent"


async def test_errors_in_a_stream_are_masked() -> None:
    with capture_logs() as logs:
        async with live() as server, server.talk() as talk:
            await talk.subscribe("1", "subscription { items { id broken } }")
            event = await talk.hear()
            assert await talk.hear() == {"id": "1", "type": "complete"}
            await talk.subscribe("2", "subscription { fails }")
            await talk.hear()
            failure = await talk.hear()
            await talk.subscribe("3", "subscription { refuses }")
            refusal = await talk.hear()
    assert event["payload"]["data"] == {"items": {"id": 1, "broken": None}}
    assert event["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert (failure["type"], failure["payload"][0]["extensions"]["code"]) == ("error", "INTERNAL")
    assert refusal["payload"][0]["message"] == "Only the owner may watch."
    assert "secret" not in json.dumps([event, failure])
    ids = [failure["payload"][0]["extensions"]["requestId"]]
    assert [line["request_id"] for line in logs][1:] == ids
