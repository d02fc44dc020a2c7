"""How long a websocket lives, for whom, and how many there are."""

import asyncio
import json

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidStatus

from tests.web.serving import live

TICKS = "subscription { ticks }"


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "Bearer token-of-ada"},
        {"Authorization": "bearer token-of-ada"},
        {"headers": {"Authorization": "Bearer token-of-ada"}},
        {"headers": {"authorization": "Bearer token-of-ada"}},
        {"token": "token-of-ada"},
    ],
)
async def test_the_token_is_found_where_clients_put_it(payload: dict[str, object]) -> None:
    async with live() as server:
        server.world.token("ada")
        async with server.talk(payload) as talk:
            await talk.subscribe("1", "{ me }")
            assert (await talk.hear())["payload"] == {"data": {"me": "ada"}}


async def test_a_client_that_is_no_browser_may_use_the_header() -> None:
    async with live() as server:
        headers = {"authorization": f"Bearer {server.world.token('ada')}"}
        async with server.talk(additional_headers=headers) as talk:
            await talk.subscribe("1", "{ me }")
            assert (await talk.hear())["payload"] == {"data": {"me": "ada"}}


async def test_nobody_may_open_a_socket_and_sign_in_on_it() -> None:
    async with live() as server, server.talk({"authorization": ""}) as talk:
        await talk.subscribe("1", "{ me }")
        (error,) = (await talk.hear())["payload"]["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_every_operation_asks_anew_and_has_its_own_context() -> None:
    async with live() as server, server.talk({"token": server.world.token("ada")}) as talk:
        ids = []
        for number in range(3):
            await talk.subscribe(str(number), "{ requestId }")
            ids.append((await talk.hear())["payload"]["data"]["requestId"])
            await talk.hear()
        assert len(set(ids)) == 3
        assert server.world.asked == 4
        server.world.tokens.clear()
        await talk.subscribe("late", "{ me }")
        code, reason = await talk.closed()
    assert (code, reason[:10]) == (4403, "Forbidden:")


async def test_the_socket_closes_when_its_token_expires() -> None:
    async with live() as server:
        async with server.talk({"token": server.world.token("ada", seconds=0.2)}) as talk:
            await talk.subscribe("1", TICKS)
            await talk.hear()
            assert await talk.closed() == (4403, "Token expired")
        assert server.world.ended == ["ticks closed"]


async def test_a_stream_says_that_the_token_has_expired_before_the_socket_closes() -> None:
    async with (
        live() as server,
        server.talk({"token": server.world.token("ada", seconds=0.2)}) as talk,
    ):
        await talk.subscribe("1", "subscription { polite }")
        heard = [await talk.hear() for _ in range(3)]
        assert await talk.closed() == (4403, "Token expired")
    told = [message["payload"]["data"]["polite"] for message in heard[:2]]
    assert told == ["hello", "token_expired"]
    assert heard[2] == {"id": "1", "type": "complete"}


async def test_sockets_close_at_once_when_the_session_ends() -> None:
    async with live() as server:
        payload = {"token": server.world.token("ada")}
        async with server.talk(payload) as idle, server.talk(payload) as watching:
            await watching.subscribe("1", "subscription { polite }")
            await watching.hear()
            server.world.signed_out.set()
            assert (await watching.hear())["payload"] == {"data": {"polite": "session_ended"}}
            ends = [await watching.closed(), await idle.closed()]
    assert ends == [(4403, "Forbidden: The session has ended. Sign in again.")] * 2


async def test_a_database_that_does_not_answer_closes_no_socket() -> None:
    with capture_logs() as logs:
        async with live(ping_seconds=0.3) as server:
            server.world.blind = 1
            async with server.talk({"token": server.world.token("ada")}) as talk:
                await talk.subscribe("1", TICKS)
                await talk.hear()
                server.world.signed_out.set()
                assert (await talk.closed())[0] == 4403
    assert [line["event"] for line in logs] == ["the session cannot be watched"]


async def test_pings_keep_a_silent_subscriber_as_long_as_it_answers() -> None:
    async with live(ping_seconds=0.05) as server, server.talk() as talk:
        for _ in range(5):
            assert json.loads(await talk.connection.recv()) == {"type": "ping"}
            await talk.say("pong")


async def test_a_client_that_answers_no_ping_is_dropped() -> None:
    async with live(ping_seconds=0.05) as server, server.talk() as talk:
        await talk.subscribe("1", TICKS)
        assert await talk.closed() == (4408, "No answer to pings")
        assert server.world.ended == ["ticks closed"]


async def test_operations_at_once_are_limited() -> None:
    async with live(max_operations_per_socket=2) as server, server.talk() as talk:
        for id_ in "12":
            await talk.subscribe(id_, TICKS)
            await talk.hear()
        await talk.subscribe("3", "{ hello }")
        refused = await talk.hear()
        assert (refused["id"], refused["type"]) == ("3", "error")
        assert refused["payload"][0]["extensions"] == {"code": "TOO_MANY_OPERATIONS"}
        await talk.say("complete", id="1")
        await talk.subscribe("3", "{ hello }")
        assert (await talk.hear())["type"] == "next"


async def test_sockets_of_one_user_are_limited() -> None:
    async with live(max_sockets_per_user=1) as server:
        ada, eve = server.world.token("ada"), server.world.token("eve")
        async with server.talk({"token": ada}), server.talk({"token": eve}):
            async with server.socket() as talk:
                await talk.say("connection_init", payload={"token": ada})
                code, reason = await talk.closed()
            assert code == 4429
            assert reason == "Too many open connections of your account: the limit is 1."
        await server.until_open(0)
        async with server.talk({"token": ada}):
            pass


async def test_sockets_from_one_address_are_limited_before_the_handshake() -> None:
    async with live(max_sockets_per_address=1) as server:
        async with server.socket():
            with pytest.raises(InvalidStatus) as refused:
                await server.socket().__aenter__()
        await server.until_open(0)
        async with server.talk():
            pass
    assert refused.value.response.status_code == 429
    assert b"TOO_MANY_CONNECTIONS" in refused.value.response.body


async def test_a_server_that_stops_says_so() -> None:
    async with live() as server, server.talk() as talk, server.socket() as uninitialised:
        await talk.subscribe("1", TICKS)
        await talk.hear()
        server.edge.stopping.set()
        assert await talk.closed() == (1012, "Server is restarting")
        assert await uninitialised.closed() == (1012, "Server is restarting")
        await server.until_open(0)
        assert server.world.ended == ["ticks closed"]


async def test_a_client_that_vanishes_ends_its_sources() -> None:
    async with live() as server, server.talk() as talk:
        await talk.subscribe("1", TICKS)
        await talk.hear()
        await server.world.entered.wait()
        talk.connection.transport.abort()
        async with asyncio.timeout(5):
            await server.world.left.wait()
        await server.until_open(0)


async def test_a_mutation_is_finished_when_the_socket_closes() -> None:
    async with live() as server:
        async with server.talk() as talk:
            await talk.subscribe("1", "mutation { addSlowly }")
            await server.world.entered.wait()
        await server.until_open(0)
        server.world.gate.set()
        assert await server.edge.finish(5) == 0
        assert server.world.total == 1


async def test_a_slow_reader_holds_up_its_source_and_is_dropped() -> None:
    async with live(ping_seconds=0.2) as server, server.talk() as talk:
        talk.connection.transport.pause_reading()
        await talk.subscribe("1", "subscription { flood(size: 100000) }")
        await server.until_open(0)
        assert server.world.produced < 500, "what is not read must not be made"
        talk.connection.transport.abort()


async def test_a_source_that_never_waits_leaves_time_for_others() -> None:
    async with live() as server, server.talk() as talk:
        await talk.subscribe("1", "subscription { flood(size: 1) }")
        reading = asyncio.create_task(talk.closed())
        for _ in range(5):
            assert (await server.ask("{ hello }"))["data"] == {"hello": "hello world"}
        await talk.say("complete", id="1")
        reading.cancel()
