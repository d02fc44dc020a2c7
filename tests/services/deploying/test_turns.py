"""Turns: so many at once, a quarter for each, and whoever has waited the longest is next."""

import asyncio

import pytest

from app.domain.ids import Id
from app.services.deploying.turns import Turn, Turns


def turns(at_once: int) -> Turns:
    return Turns(at_once, freed=lambda: None)


def id_of(name: str) -> Id:
    return Id(name.encode().hex().rjust(24, "0"))


def turn(of: Turns, person: str, cluster: str = "") -> Turn:
    """A run's; on a cluster of the person's own when nothing is said."""
    return Turn(of, person=id_of(person), cluster=id_of(cluster or f"{person}'s"))


def test_one_person_has_a_quarter() -> None:
    eight = turns(8)
    assert [turn(eight, "a", f"c{number}").begin() for number in range(3)] == [True, True, False]
    assert eight.busy_people == [id_of("a")]
    assert eight.busy_clusters == []
    assert turn(eight, "b").begin()


def test_one_cluster_has_a_quarter() -> None:
    eight = turns(8)
    assert [turn(eight, person, "c").begin() for person in "abc"] == [True, True, False]
    assert eight.busy_clusters == [id_of("c")]


def test_of_few_everybody_has_one() -> None:
    two = turns(2)
    assert [turn(two, "a").begin(), turn(two, "a").begin()] == [True, False]
    assert two.are_left
    assert turn(two, "b").begin()
    assert not two.are_left
    assert not turn(two, "c").begin()


async def test_the_tasks_of_a_run_share_its_turn() -> None:
    freed = asyncio.Event()
    one = Turns(1, freed=freed.set)
    mine = turn(one, "a")
    async with mine.at_work(), mine.at_work():
        assert not one.are_left
    assert one.are_left
    assert freed.is_set()


async def test_who_waits_gets_it_in_turn() -> None:
    one = turns(1)
    mine, order = turn(one, "me"), list[str]()
    mine.begin()

    async def wait(name: str) -> None:
        async with turn(one, name).at_work():
            order.append(name)

    tasks = [asyncio.create_task(wait(name)) for name in "abc"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == []
    mine.left()
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c"]
    assert one.are_left


async def test_who_may_not_have_it_yet_holds_nobody_up() -> None:
    eight = turns(8)
    mine = [turn(eight, "a", f"c{number}") for number in range(3)]
    assert [each.begin() for each in mine] == [True, True, False]
    waiting = asyncio.create_task(mine[2].entered())
    await asyncio.sleep(0)
    assert turn(eight, "b").begin()
    mine[0].left()
    await waiting
    assert eight.busy_people == [id_of("a")]


async def test_who_stops_waiting_takes_nothing_with_it() -> None:
    one = turns(1)
    mine, other = turn(one, "a"), turn(one, "b")
    mine.begin()
    granted = asyncio.create_task(other.entered())
    given_up = asyncio.create_task(turn(one, "c").entered())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    given_up.cancel()
    mine.left()
    granted.cancel()  # at the very moment that it is given
    with pytest.raises(asyncio.CancelledError):
        await granted
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert one.are_left


async def test_two_tasks_that_enter_at_once_take_one_turn() -> None:
    eight = turns(8)
    full = [turn(eight, "x", f"c{number}") for number in range(2)]
    assert [each.begin() for each in full] == [True, True]
    mine = turn(eight, "x", "mine")
    entering = asyncio.create_task(mine.entered())
    await asyncio.sleep(0)
    full[0].left()
    assert mine.begin() is False
    full[1].left()
    assert mine.begin()
    await entering
    mine.left()
    mine.left()
    assert eight.busy_people == []
    assert [turn(eight, name).begin() for name in "abcdefgh"] == [True] * 8


def test_what_is_over_has_no_turn() -> None:
    one = turns(1)
    mine = turn(one, "a")
    mine.begin()
    mine.begin()
    mine.close()
    mine.close()
    assert one.are_left


async def test_what_is_reserved_is_for_who_enters_next() -> None:
    one = turns(1)
    mine = turn(one, "a")
    mine.reserve()
    assert not one.are_left
    async with mine.at_work():
        assert not one.are_left
    assert one.are_left
    mine.reserve()
    mine.close()
    assert one.are_left
