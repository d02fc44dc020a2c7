"""Password hashes: no character is lost, and nobody can fill the server with hashing."""

import asyncio

import pytest

from app.domain.errors import RateLimited
from app.identity.passwords import Passwords


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(rounds=4, threads=2)


async def matches(passwords: Passwords, password: str, stored: str | None) -> bool:
    async with passwords.turn() as turn:
        return await turn.matches(password, stored)


async def test_a_hash_matches_its_password_and_no_other(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$2b$04$")
    assert await matches(passwords, "correct horse", stored)
    assert not await matches(passwords, "correct horsf", stored)


async def test_two_hashes_of_one_password_differ(passwords: Passwords) -> None:
    assert await passwords.hash("correct horse") != await passwords.hash("correct horse")


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("a" * 72 + "b", "a" * 72 + "c"),
        ("\U0001f40e" * 100 + "b", "\U0001f40e" * 100 + "c"),
        ("before\0after", "before\0other"),
        ("\ud800 half a pair", "\ud801 half a pair"),
    ],
)
async def test_every_character_counts(passwords: Passwords, password: str, other: str) -> None:
    stored = await passwords.hash(password)
    assert await matches(passwords, password, stored)
    assert not await matches(passwords, other, stored)


async def test_a_password_is_the_same_from_every_keyboard(passwords: Passwords) -> None:
    composed, decomposed = "Zo\u00eb likes caf\u00e9s", "Zoe\u0308 likes cafe\u0301s"
    assert await matches(passwords, decomposed, await passwords.hash(composed))


async def test_nobody_has_no_password(passwords: Passwords) -> None:
    assert not await matches(passwords, "", None)
    assert not await matches(passwords, "anything", None)


async def test_it_tells_todays_work_factor(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert passwords.is_current(stored)
    assert not Passwords(rounds=5).is_current(stored)


async def test_as_many_turns_at_once_as_threads(passwords: Passwords) -> None:
    running: list[int] = []
    both, go_on = asyncio.Barrier(3), asyncio.Event()

    async def take(number: int) -> None:
        async with passwords.turn():
            running.append(number)
            if number < 2:
                await both.wait()
                await go_on.wait()

    taking = [asyncio.create_task(take(number)) for number in range(10)]
    await both.wait()
    assert running == [0, 1]
    go_on.set()
    await asyncio.gather(*taking)
    assert sorted(running) == list(range(10))


async def test_a_full_queue_refuses_and_recovers() -> None:
    passwords = Passwords(rounds=4, threads=1, queue=2)
    async with passwords.turn():
        waiting = [asyncio.create_task(passwords.hash("correct horse")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RateLimited) as refused:
            await passwords.hash("correct horse")
        assert refused.value.retry_after > 0
        waiting[0].cancel()
    assert (await asyncio.gather(*waiting, return_exceptions=True))[1].startswith("$2b$")
    assert await passwords.hash("correct horse")


async def test_a_flood_leaves_everybody_elses_threads_alone() -> None:
    passwords = Passwords(rounds=10, threads=1)
    flood = [asyncio.create_task(passwords.hash("correct horse")) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.to_thread(lambda: None)
    assert not all(task.done() for task in flood)
    await asyncio.gather(*flood)
