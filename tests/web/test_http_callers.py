"""Who calls over HTTP, and how long a query may run for them."""

import asyncio

import pytest

from app.web.callers import network_of
from tests.web.serving import live

ME = "{ me }"


async def test_a_good_token_is_its_person_and_no_token_is_nobody() -> None:
    async with live() as server:
        headers = {"authorization": f"bearer {server.world.token('ada')}"}
        signed_in = await server.ask(ME, headers=headers)
        nobody = await server.ask(ME)
    assert signed_in == {"data": {"me": "ada"}}
    assert nobody["errors"][0]["message"] == "Sign in first: send a valid access token."
    assert nobody["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Bearer stale", "The access token has expired. Refresh the session."),
        ("Bearer", "Send the access token as `Authorization: Bearer <token>`."),
        ("Basic YTpi", "Send the access token as `Authorization: Bearer <token>`."),
        ("stale", "Send the access token as `Authorization: Bearer <token>`."),
    ],
)
async def test_a_bad_token_hinders_only_what_needs_a_good_one(header: str, reason: str) -> None:
    async with live() as server:
        refused = await server.ask(ME, headers={"authorization": header})
        allowed = await server.ask("mutation { add }", headers={"authorization": header})
    assert [error["message"] for error in refused["errors"]] == [reason]
    assert refused["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert allowed == {"data": {"add": 1}}


async def test_a_document_that_cannot_run_costs_no_question_to_the_database() -> None:
    async with live() as server:
        await server.post("{ unknown }", headers={"authorization": "Bearer x"})
        assert server.world.asked == 0


async def test_a_query_past_its_deadline_is_cancelled() -> None:
    async with live(operation_seconds=0.05) as server:
        answer = await server.post(
            "{ wait }", headers={"accept": "application/graphql-response+json"}
        )
        assert server.world.ended == ["wait cancelled"]
    assert answer.status_code == 504
    assert answer.json() == {
        "errors": [
            {
                "message": "The query was stopped after 0.05 s. Ask for less at once.",
                "extensions": {"code": "TIMEOUT"},
            }
        ]
    }


async def test_a_mutation_past_the_deadline_is_finished() -> None:
    async with live(operation_seconds=0.01) as server:
        asking = asyncio.create_task(server.ask("mutation { addSlowly }"))
        await server.world.entered.wait()
        done, _ = await asyncio.wait({asking}, timeout=0.05)
        assert not done
        server.world.gate.set()
        assert await asking == {"data": {"addSlowly": 1}}


async def test_a_query_is_cancelled_when_its_client_leaves() -> None:
    async with live() as server:
        asking = asyncio.create_task(server.post("{ wait }"))
        await server.world.entered.wait()
        asking.cancel()
        async with asyncio.timeout(5):
            await server.world.left.wait()
        assert server.world.ended == ["wait cancelled"]


async def test_a_mutation_is_finished_when_its_client_leaves() -> None:
    async with live() as server:
        asking = asyncio.create_task(server.post("mutation { addSlowly }"))
        await server.world.entered.wait()
        asking.cancel()
        await asyncio.wait({asking})
        assert await server.edge.finish(0.01) == 1
        server.world.gate.set()
        async with asyncio.timeout(5):
            await server.world.left.wait()
            assert await server.edge.finish(5) == 0
        assert server.world.total == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_host_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
