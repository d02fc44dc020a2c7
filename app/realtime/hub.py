"""The hub: one change stream per process, however many people listen.

A reader that does not find its next event in a topic reads the collection by `seq`. So a change
stream that had to be opened anew, a lost resume token or a slow reader costs a query, and never an
event.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import structlog
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from app.domain.events import Event, Gap
from app.metrics import Metrics
from app.realtime.ending import Ending
from app.realtime.outbox import Entry, Outbox
from app.realtime.topics import Falling, Topic

log = structlog.get_logger("kubeorch.hub")

_HISTORY_LOST = {286, 280, 222}
"""Server errors after which a resume token is of no use: history lost, fatal, bad token."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts to reopen the change stream while MongoDB is away."""


class Hub:
    """Hands events from the outbox to whoever listens in this process."""

    def __init__(
        self, outbox: Outbox, *, ring_size: int, ring_bytes: int, metrics: Metrics
    ) -> None:
        self._outbox = outbox
        self._ring_size = ring_size
        self._ring_bytes = ring_bytes
        self._metrics = metrics
        self._topics: dict[str, Topic] = {}
        self._reads: dict[tuple[str, int, Falling], asyncio.Task[list[Event]]] = {}
        self._open = asyncio.Event()
        self._token: Any = None
        self._moved = False
        self._pause = _SHORTEST_PAUSE

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps the change stream open meanwhile; begins when it is open for the first time."""
        task = asyncio.create_task(self._run(), name="hub")
        opened = asyncio.create_task(self._open.wait())
        try:
            await asyncio.wait({task, opened}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
            yield
        finally:
            tasks = [task, opened, *self._reads.values()]
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def events(
        self,
        stream: str,
        *,
        after: int,
        falling: Falling = Falling.INTO_A_GAP,
        until: Ending | None = None,
        known: int = 0,
    ) -> AsyncGenerator[Event | Gap, None]:
        """The events of `stream` behind `after`, each once and in order, until somebody ends it.

        Ends with a `Gap` when the next event is not in the collection any more; `known` is the
        number of an event that there was, so that it is missed even if none comes behind it. What
        happens to a reader that is too slow says `falling`; the numbers of states that nobody needs
        to see any more are skipped.
        """
        bell = asyncio.Event()
        seq, live, missed = after, False, False
        with self._listen(stream, bell, until) as topic:
            while until is None or until.reason is None:
                bell.clear()
                event = topic.after(seq)
                if event is not None:
                    seq = event.seq
                    if falling is not Falling.ONTO_THE_NEWEST or not topic.superseded(event):
                        yield event
                    continue
                if topic.reached(seq):
                    live = True
                    await bell.wait()
                    continue
                if live and falling is Falling.INTO_A_GAP and topic.outran(seq):
                    yield Gap(from_seq=seq + 1, to_seq=seq + 1)
                    return
                page = await self._read(stream, seq, falling)
                for event in page:
                    if event.seq != seq + 1 and falling is not Falling.ONTO_THE_NEWEST:
                        yield Gap(from_seq=seq + 1, to_seq=event.seq - 1)
                        return
                    seq = event.seq
                    yield event
                if page:
                    continue
                if seq < known:
                    if missed:
                        yield Gap(from_seq=seq + 1, to_seq=known)
                        return
                    # Once more: that query may have been shared, and older than what is known.
                    missed = True
                    continue
                live = True
                await bell.wait()

    @contextlib.contextmanager
    def _listen(self, stream: str, bell: asyncio.Event, until: Ending | None) -> Iterator[Topic]:
        topic = self._topics.get(stream)
        if topic is None:
            topic = Topic(most=self._ring_size, most_bytes=self._ring_bytes)
            self._topics[stream] = topic
        ended = until.listening(bell) if until is not None else contextlib.nullcontext()
        try:
            with topic.listening(bell), ended:
                yield topic
        finally:
            if not topic.listeners:
                self._topics.pop(stream, None)

    async def _read(self, stream: str, after: int, falling: Falling) -> list[Event]:
        """What the collection has; readers at the same place share one query.

        A query that began before the topics forgot is not shared with those who came after: it may
        have seen less than they need.
        """
        key = (stream, after, falling)
        task = self._reads.get(key)
        if task is None:
            newest = falling is Falling.ONTO_THE_NEWEST
            read = self._outbox.newest if newest else self._outbox.read
            task = asyncio.create_task(self._until_read(read, stream, after))
            self._reads[key] = task
            task.add_done_callback(lambda done: self._read_is_over(key, done))
        return await asyncio.shield(task)

    async def _until_read(
        self, read: Callable[..., Awaitable[list[Event]]], stream: str, after: int
    ) -> list[Event]:
        """What the collection has, as soon as the database answers."""
        pause = _SHORTEST_PAUSE
        while True:
            try:
                return await read(stream, after=after)
            except ConnectionFailure as error:
                log.warning("hub.waiting", stream=stream, error=str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _read_is_over(self, key: tuple[str, int, Falling], task: asyncio.Task[list[Event]]) -> None:
        if self._reads.get(key) is task:
            del self._reads[key]
        if not task.cancelled():
            task.exception()  # whoever waits has it; when nobody does any more, it is nobody's

    def _forget(self) -> None:
        self._reads.clear()
        for topic in self._topics.values():
            topic.forget()

    async def _run(self) -> None:
        while True:
            try:
                await self._watch()
            except OperationFailure as error:
                # A token that fails before it has brought anything would fail for ever.
                if error.code in _HISTORY_LOST or not self._moved:
                    self._token = None
                log.warning("hub.reopening", error=str(error), code=error.code)
            except PyMongoError as error:
                log.warning("hub.reopening", error=str(error))
            except Exception:
                # Whatever it was, readers must not wait in silence; the token is already past it.
                log.exception("hub.reopening")
                self._forget()
            self._metrics.reopened.inc()
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def _watch(self) -> None:
        """Reads the change stream until it breaks.

        With a token it goes on where it was. Without one, events may have passed unseen.
        """
        self._moved = False
        async with self._outbox.watch(after=self._token) as changes:
            if self._token is None:
                self._forget()
            self._open.set()
            self._pause = _SHORTEST_PAUSE
            try:
                async for entry in changes:
                    self._moved = True
                    self._hand_on(entry)
            finally:
                self._token = changes.token

    def _hand_on(self, entry: Entry) -> None:
        """A place of its own, lest the loop hold on to a topic that nobody listens to any more."""
        if topic := self._topics.get(entry.stream):
            topic.push(entry.event(), entry.size)
