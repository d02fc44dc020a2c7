"""Turns: nobody can take those of everybody."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from app.bootstrap import utc_now
from app.domain.cluster import AuthType, Cluster
from app.domain.errors import RateLimited
from app.domain.ids import Id
from app.services.watching.turns import Turns

ALICE, BOB = Id("a" * 24), Id("b" * 24)


def cluster(number: int, owner: Id) -> Cluster:
    now = utc_now()
    return Cluster(
        id=Id(f"{number:024x}"),
        name=f"c-{number}",
        display_name="",
        server="https://c.example.com",
        auth_type=AuthType.TOKEN,
        owner_id=owner,
        created_at=now,
        updated_at=now,
    )


async def refused(turns: Turns, one: Cluster) -> bool:
    try:
        async with turns.turn(one):
            return False
    except RateLimited as error:
        assert error.retry_after == 10
        return True


async def test_a_cluster_and_an_owner_have_a_part() -> None:
    turns = Turns(most=12, patience=0.05)
    async with AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(turns.turn(cluster(1, ALICE)))
        assert await refused(turns, cluster(1, ALICE))
        await held.enter_async_context(turns.turn(cluster(2, ALICE)))
        assert await refused(turns, cluster(2, ALICE))  # three of twelve are Alice's
        assert not await refused(turns, cluster(3, BOB))
    assert not await refused(turns, cluster(1, ALICE))


async def test_all_together_have_no_more() -> None:
    turns = Turns(most=1, patience=0.05)
    async with turns.turn(cluster(1, ALICE)):
        assert await refused(turns, cluster(2, BOB))
    assert not await refused(turns, cluster(2, BOB))


async def test_who_gives_up_leaves_the_line() -> None:
    turns = Turns(most=1, patience=None)
    async with turns.turn(cluster(1, ALICE)):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), turns.turn(cluster(1, ALICE)):
                pass
    async with asyncio.timeout(5), turns.turn(cluster(1, ALICE)):
        pass


async def test_what_takes_long_in_its_turn_is_not_called_busy() -> None:
    turns = Turns(most=1, patience=0.01)
    with pytest.raises(TimeoutError):
        async with turns.turn(cluster(1, ALICE)):
            raise TimeoutError
