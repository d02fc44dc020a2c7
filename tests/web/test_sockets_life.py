"""How long a websocket lives, for whom, and how many there are."""

import json

import pytest

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


async def test_the_socket_closes_soon_after_the_session_ends() -> None:
    async with live(ping_seconds=0.05) as server:
        async with server.talk({"token": server.world.token("ada")}) as talk:
            await talk.subscribe("1", TICKS)
            await talk.hear()
            server.world.tokens.clear()
            while json.loads(await talk.connection.recv())["type"] == "ping":
                await talk.say("pong")
