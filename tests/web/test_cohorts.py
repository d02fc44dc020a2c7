"""One answer for all who ask the same of the same event."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from strawberry.types import ExecutionResult

from app.metrics import Metrics
from app.web.cohorts import OVERHEAD, Cohorts
from app.web.responses import Reply, refused


class Kitchen:
    """Makes replies, when the door is open, and counts them."""

    def __init__(self) -> None:
        self.made = 0
        self.door = asyncio.Event()

    def dish(self, text: str = "x", *, broken: bool = False) -> Callable[[], Awaitable[Reply]]:
        async def make() -> Reply:
            self.made += 1
            await self.door.wait()
            if broken:
                raise RuntimeError("burnt")
            return Reply(ExecutionResult({"text": text}, None))

        return make


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


async def test_those_who_come_together_and_those_who_come_later_share(kitchen: Kitchen) -> None:
    cohorts = Cohorts(Metrics())
    together = [asyncio.create_task(cohorts.reply("k", kitchen.dish())) for _ in range(3)]
    kitchen.door.set()
    replies = [await each for each in together]
    replies.append(await cohorts.reply("k", kitchen.dish()))
    assert kitchen.made == 1
    assert len({id(reply) for reply in replies}) == 1


async def test_another_question_is_another_answer(kitchen: Kitchen) -> None:
    kitchen.door.set()
    cohorts = Cohorts(Metrics())
    one = await cohorts.reply(("q", 1), kitchen.dish("one"))
    two = await cohorts.reply(("q", 2), kitchen.dish("two"))
    assert (one.body, two.body) == (b'{"data":{"text":"one"}}', b'{"data":{"text":"two"}}')


async def test_who_leaves_takes_nothing_from_the_rest(kitchen: Kitchen) -> None:
    cohorts = Cohorts(Metrics())
    first = asyncio.create_task(cohorts.reply("k", kitchen.dish()))
    await asyncio.sleep(0)
    second = asyncio.create_task(cohorts.reply("k", kitchen.dish()))
    await asyncio.sleep(0)
    first.cancel()
    kitchen.door.set()
    assert (await second).ran
    assert kitchen.made == 1


async def test_what_fails_is_told_to_those_who_wait_and_tried_again(kitchen: Kitchen) -> None:
    kitchen.door.set()
    cohorts = Cohorts(Metrics())
    with pytest.raises(RuntimeError):
        await cohorts.reply("k", kitchen.dish(broken=True))
    assert (await cohorts.reply("k", kitchen.dish())).ran


async def test_an_answer_with_errors_is_not_kept() -> None:
    cohorts = Cohorts(Metrics())
    asked = 0

    async def make() -> Reply:
        nonlocal asked
        asked += 1
        return Reply(refused("no", "TIMEOUT"))

    for _ in range(2):
        assert not (await cohorts.reply("k", make)).ran
    assert asked == 2


async def test_what_is_kept_is_bounded_and_the_oldest_goes(kitchen: Kitchen) -> None:
    kitchen.door.set()
    metrics = Metrics()
    cohorts = Cohorts(metrics, most_bytes=2 * (OVERHEAD + 125))
    for key in ("a", "b", "a", "c", "a", "b"):
        await cohorts.reply(key, kitchen.dish("x" * 80))
    assert kitchen.made == 4, "a, b, c, and b again, which was used least"
    assert metrics.registry.get_sample_value("kubeorch_stream_executions_total") == 4
