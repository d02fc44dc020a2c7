"""Work for all who want it at the same time, as long as anybody waits for it."""

import asyncio

import pytest

from app.domain.ids import Id
from app.services.watching.together import Together

ABOUT, OTHER = Id("a" * 24), Id("b" * 24)


class Work:
    """Work that goes on until it is let go."""

    def __init__(self) -> None:
        self.begun, self.broken = 0, 0
        self.is_begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        self.is_begun.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.broken += 1
            raise
        return self.begun


async def begun(work: Work, together: Together[int], times: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(together.do(ABOUT, work)) for _ in range(times)]
    await work.is_begun.wait()
    return tasks


async def test_once_for_all() -> None:
    work, together = Work(), Together[int]()
    tasks = await begun(work, together, 20)
    work.go_on.set()
    assert await asyncio.gather(*tasks) == [1] * 20
    assert await together.do(ABOUT, work) == 2


async def test_the_last_who_stops_waiting_ends_it() -> None:
    work, together = Work(), Together[int]()
    first, second = await begun(work, together, 2)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert work.broken == 0
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    work.go_on.set()
    assert await together.do(ABOUT, work) == 2  # who comes then begins anew
    assert work.broken == 1


async def test_a_failure_is_everybodys() -> None:
    async def work() -> int:
        raise ValueError("no")

    together = Together[int]()
    failed = await asyncio.gather(
        *(together.do(about, work) for about in (ABOUT, ABOUT, OTHER)), return_exceptions=True
    )
    assert [str(error) for error in failed] == ["no"] * 3


async def test_it_is_broken_off_at_the_end() -> None:
    work, together = Work(), Together[int]()
    (task,) = await begun(work, together, 1)
    await together.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.broken == 1
