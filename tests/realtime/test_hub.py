"""The hub on a real change stream: nothing missed, whatever falls behind or breaks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from app.documents.database import Database
from app.domain.events import EndReason, Event, Gap
from app.metrics import Metrics
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox
from app.realtime.topics import Falling
from tests.commands import commands

NOW = datetime(2030, 1, 1, tzinfo=UTC)
STREAM = "stream"
DEADLINE = 20


@pytest.fixture
async def outbox(database: Database) -> Outbox:
    made = Outbox(database.raw)
    await made.prepare(ttl_seconds=10**9)
    return made


@pytest.fixture
async def hub(outbox: Outbox) -> AsyncIterator[Hub]:
    made = Hub(outbox, ring_size=4, ring_bytes=2**20, metrics=Metrics())
    async with made.running():
        yield made


@pytest.fixture
def write(database: Database, outbox: Outbox) -> Callable[..., Any]:
    """`await write(1, 2, keys="ab")`: those events, each in a transaction."""

    async def write(*seqs: int, keys: str = "", stream: str = STREAM) -> None:
        for place, seq in enumerate(seqs):
            key = keys[place] if keys else None
            event = Event(stream, seq, "E", {"n": seq}, None, NOW, key)
            await database.transaction(lambda tx, event=event: outbox.append(event, tx))

    return write


class Reader:
    """Reads one event at a time, and knows when it waits for one."""

    def __init__(self, events: Any) -> None:
        self._events = events

    async def next(self) -> Event | Gap:
        async with asyncio.timeout(DEADLINE):
            found: Event | Gap = await anext(self._events)
            return found

    async def seqs(self, count: int) -> list[int]:
        found = [await self.next() for _ in range(count)]
        return [each.seq for each in found if isinstance(each, Event)]

    async def over(self) -> bool:
        async with asyncio.timeout(DEADLINE):
            return await anext(self._events, None) is None


@asynccontextmanager
async def reading(hub: Hub, *, after: int = 0, **how: Any) -> AsyncIterator[Reader]:
    async with aclosing(hub.events(STREAM, after=after, **how)) as events:
        yield Reader(events)


async def passed(hub: Hub, write: Callable[..., Any], *, mark: int) -> None:
    """Until the hub has seen everything that was written before this."""
    async with aclosing(hub.events("marks", after=mark - 1)) as events:
        waiting = asyncio.create_task(anext(events))
        await write(mark, stream="marks")
        async with asyncio.timeout(DEADLINE):
            await waiting


async def go_live(hub: Hub, reader: Reader, write: Callable[..., Any], **how: Any) -> None:
    """Until the reader has had events 1 and 2, the second one while it waited for it."""
    await write(1, **how)
    assert await reader.seqs(1) == [1]
    await passed(hub, write, mark=1)
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0)
    await write(2, **how)
    await waiting


async def test_history_and_the_present_join_without_a_seam(hub: Hub, write: Any) -> None:
    await write(1, 2, 3)
    async with reading(hub, after=1) as reader:
        assert await reader.seqs(2) == [2, 3]
        await write(4, 5)
        assert await reader.seqs(2) == [4, 5]


async def test_a_slow_reader_of_changes_falls_into_a_gap(hub: Hub, write: Any) -> None:
    async with reading(hub) as reader:
        await go_live(hub, reader, write)
        await write(3, 4, 5, 6, 7, 8)
        await passed(hub, write, mark=2)
        assert await reader.next() == Gap(from_seq=3, to_seq=3)
        assert await reader.over()


async def test_a_slow_reader_of_a_log_goes_back_to_the_collection(hub: Hub, write: Any) -> None:
    async with reading(hub, falling=Falling.BACK_TO_THE_COLLECTION) as reader:
        await go_live(hub, reader, write)
        await write(*range(3, 13))
        await passed(hub, write, mark=2)
        assert await reader.seqs(10) == list(range(3, 13))


async def test_a_slow_reader_of_states_gets_the_newest_of_each(hub: Hub, write: Any) -> None:
    async with reading(hub, falling=Falling.ONTO_THE_NEWEST) as reader:
        await go_live(hub, reader, write, keys="a")
        await write(*range(3, 13), keys="abcabcabca")
        await passed(hub, write, mark=2)
        assert await reader.seqs(3) == [10, 11, 12], "b, c, a: the last of each"
        await write(13, keys="a")
        assert await reader.seqs(1) == [13]


async def test_states_within_the_ring_are_skipped_too(hub: Hub, write: Any) -> None:
    async with reading(hub, falling=Falling.ONTO_THE_NEWEST) as reader:
        await go_live(hub, reader, write, keys="a")
        await write(3, 4, 5, keys="aba")
        await passed(hub, write, mark=2)
        assert await reader.seqs(2) == [4, 5]


async def test_events_that_are_gone_are_a_gap(hub: Hub, outbox: Outbox, write: Any) -> None:
    await write(1, 2, 3)
    await outbox.events.delete_many({"seq": {"$lte": 2}})
    async with reading(hub, after=0) as reader:
        assert await reader.next() == Gap(from_seq=1, to_seq=2)


async def test_an_ending_ends_a_reader_that_waits(hub: Hub, write: Any) -> None:
    ending = Ending()
    async with reading(hub, until=ending) as reader:
        await write(1)
        assert await reader.seqs(1) == [1]
        waiting = asyncio.create_task(reader.over())
        assert ending.heard
        ending.say(EndReason.TOKEN_EXPIRED)
        ending.say(EndReason.SESSION_ENDED)
        assert await waiting
    assert ending.reason is EndReason.TOKEN_EXPIRED
    assert not ending.heard


async def test_readers_at_one_place_share_a_query(hub: Hub, write: Any) -> None:
    await write(1, 2)
    async with reading(hub) as one, reading(hub) as two, reading(hub) as three:
        with commands.during() as sent:
            found = await asyncio.gather(*(each.seqs(2) for each in (one, two, three)))
    assert found == [[1, 2]] * 3
    assert sent == ["find"]


async def test_large_events_are_read_in_small_pages(database: Database, outbox: Outbox) -> None:
    for seq in (1, 2, 3):
        event = Event(STREAM, seq, "E", {"text": "x" * 70_000}, None, NOW)
        await database.transaction(lambda tx, event=event: outbox.append(event, tx))
    page = await outbox.read(STREAM, after=0)
    assert [event.seq for event in page] == [1, 2], "the second one makes it too large"


async def test_a_dropped_collection_is_watched_again(hub: Hub, outbox: Outbox, write: Any) -> None:
    """The stream is invalid then, and so is its token."""
    async with reading(hub) as reader:
        await write(1)
        assert await reader.seqs(1) == [1]
        await outbox.events.drop()
        await outbox.prepare(ttl_seconds=10**9)
        await write(2)
        assert await reader.seqs(1) == [2]
