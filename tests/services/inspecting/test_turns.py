"""A person's looks wait for each other, and for nobody else's."""

import asyncio

from app.domain.ids import Id
from app.services.inspecting.turns import AT_ONCE, Turns

ANN, BOB = Id("1" * 24), Id("2" * 24)


async def test_a_few_looks_at_a_time() -> None:
    turns = Turns()
    inside: list[Id] = []
    bob, done = asyncio.Event(), asyncio.Event()

    async def look(person: Id) -> None:
        async with turns.taken(person):
            inside.append(person)
            if person == BOB:
                bob.set()
            await done.wait()

    async with asyncio.TaskGroup() as group:
        for person in [ANN] * (AT_ONCE + 3) + [BOB]:
            group.create_task(look(person))
        await asyncio.wait_for(bob.wait(), 5)
        assert inside.count(ANN) == AT_ONCE
        done.set()
    assert inside.count(ANN) == AT_ONCE + 3
