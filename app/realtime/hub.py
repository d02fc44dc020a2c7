"""The hub: one change stream per process, however many people listen.

A topic exists while somebody listens to it and keeps a bounded ring of its newest events. The ring
is only a shortcut: a reader that does not find its next event there reads the collection by `seq`,
so a restart of the change stream, a lost resume token or a slow reader costs a query, never an
event.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

import structlog
from pymongo.errors import OperationFailure, PyMongoError

from app.domain.events import Event, Gap
from app.realtime.outbox import Outbox, event_of

log = structlog.get_logger()

_PAGE = 100
_HISTORY_LOST = {286, 280, 222}
"""Server errors after which a resume token is of no use: history lost, fatal, bad token."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts to reopen the change stream while MongoDB is away."""


class Topic:
    """The newest events of one stream, and a bell that rings when there may be more."""

    def __init__(self, size: int) -> None:
        self.listeners = 0
        self._ring: deque[Event] = deque(maxlen=size)
        self._bell = asyncio.Event()

    def push(self, event: Event) -> None:
        """Adds the next event; one that does not follow the newest starts the ring afresh."""
        if self._ring and event.seq <= self._ring[-1].seq:
            return
        if self._ring and event.seq != self._ring[-1].seq + 1:
            self._ring.clear()
        self._ring.append(event)
        self.ring()

    def forget(self) -> None:
        """Drops what is held: events may have passed unseen, readers must ask the collection."""
        self._ring.clear()
        self.ring()

    def ring(self) -> None:
        """Wakes everybody who waits."""
        self._bell.set()
        self._bell = asyncio.Event()

    @property
    def bell(self) -> asyncio.Event:
        """Set when something happens after this was read."""
        return self._bell

    def since(self, seq: int) -> list[Event] | None:
        """What follows `seq`; None when the ring cannot tell."""
        if not self._ring or self._ring[0].seq > seq + 1:
            return None
        return [event for event in self._ring if event.seq > seq]

    def outran(self, seq: int) -> bool:
        """Whether a reader at `seq` fell behind all that the ring holds."""
        return len(self._ring) == self._ring.maxlen and self._ring[0].seq > seq + 1


class Hub:
    """Hands events from the outbox to whoever listens in this process."""

    def __init__(self, outbox: Outbox, *, ring_size: int) -> None:
        self._outbox = outbox
        self._ring_size = ring_size
        self._topics: dict[str, Topic] = {}
        self._open = asyncio.Event()
        self._token: Any = None
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
            opened.cancel()
            task.cancel()
            await asyncio.gather(task, opened, return_exceptions=True)

    async def events(self, stream: str, *, after: int) -> AsyncGenerator[Event | Gap, None]:
        """The events of `stream` behind `after`, for ever, each once and in order.

        Ends with a `Gap` when the next event is gone, or when the reader fell behind the ring.
        """
        with self._listen(stream) as topic:
            seq, live = after, False
            while True:
                bell = topic.bell
                if live and topic.outran(seq):
                    yield Gap(from_seq=seq + 1, to_seq=seq + 1)
                    return
                batch = topic.since(seq)
                if batch is None:
                    batch = await self._outbox.read(stream, after=seq, limit=_PAGE)
                for event in batch:
                    if event.seq != seq + 1:
                        yield Gap(from_seq=seq + 1, to_seq=event.seq - 1)
                        return
                    yield event
                    seq = event.seq
                if not batch:
                    live = True
                    await bell.wait()

    @contextlib.contextmanager
    def _listen(self, stream: str) -> Iterator[Topic]:
        topic = self._topics.setdefault(stream, Topic(self._ring_size))
        topic.listeners += 1
        try:
            yield topic
        finally:
            topic.listeners -= 1
            if topic.listeners == 0:
                del self._topics[stream]

    async def _run(self) -> None:
        while True:
            try:
                await self._watch()
            except OperationFailure as error:
                if error.code in _HISTORY_LOST:
                    self._token = None
                log.warning("hub.reopening", error=str(error), code=error.code)
            except PyMongoError as error:
                log.warning("hub.reopening", error=str(error))
            except Exception:
                # Whatever it was, readers must not wait in silence; the token is already past it.
                log.exception("hub.reopening")
            for topic in self._topics.values():
                topic.forget()
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    async def _watch(self) -> None:
        pipeline = [{"$match": {"operationType": "insert"}}]
        async with await self._outbox.events.watch(pipeline, resume_after=self._token) as changes:
            self._open.set()
            self._pause = _SHORTEST_PAUSE
            for topic in self._topics.values():
                topic.forget()
            async for change in changes:
                self._token = changes.resume_token
                event = event_of(change["fullDocument"])
                if listened := self._topics.get(event.stream):
                    listened.push(event)
