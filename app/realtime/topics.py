"""What one process remembers of a stream: its newest events, for whoever listens here.

A topic lives while somebody listens. It is a shortcut past the collection and nothing more: it may
forget at any time, and says honestly when it cannot tell.
"""

import asyncio
import enum
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.events import Event


class Falling(enum.Enum):
    """What becomes of a reader whose next event was dropped from the ring before it came for it."""

    INTO_A_GAP = enum.auto()
    """It is told which events it missed: it takes a fresh snapshot. For changes that build on each
    other."""
    ONTO_THE_NEWEST = enum.auto()
    """It is given the newest event of every key. For states, of which only the last one counts."""
    BACK_TO_THE_COLLECTION = enum.auto()
    """It reads on where it was, from the collection. For logs, of which every line counts."""


class Topic:
    """The newest events of one stream, with consecutive numbers, up to a number and a size."""

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._ring: deque[tuple[Event, int]] = deque()
        self._bytes = 0
        self._dropped = 0
        self._newest_of: dict[str, int] = {}
        self._bells: set[asyncio.Event] = set()

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._bells)

    @contextmanager
    def listening(self, bell: asyncio.Event) -> Iterator[None]:
        """Rings `bell` meanwhile whenever there may be something new."""
        self._bells.add(bell)
        try:
            yield
        finally:
            self._bells.discard(bell)

    def push(self, event: Event, size: int) -> None:
        """Adds the next event, of `size` bytes; one that does not follow starts the ring afresh."""
        if self._ring:
            newest = self._ring[-1][0].seq
            if event.seq <= newest:
                return
            if event.seq != newest + 1:
                self._clear()
        self._ring.append((event, size))
        self._bytes += size
        if event.key is not None:
            self._newest_of[event.key] = event.seq
        while self._ring and (len(self._ring) > self._most or self._bytes > self._most_bytes):
            self._drop()
        self._ring_bells()

    def forget(self) -> None:
        """Drops everything: events may have passed unseen, readers must ask the collection."""
        self._clear()
        self._ring_bells()

    def after(self, seq: int) -> Event | None:
        """The event behind `seq`, if it is held."""
        if not self._ring:
            return None
        place = seq + 1 - self._ring[0][0].seq
        return self._ring[place][0] if 0 <= place < len(self._ring) else None

    def reached(self, seq: int) -> bool:
        """Whether nothing behind `seq` has been seen; False when the topic cannot tell."""
        return bool(self._ring) and self._ring[-1][0].seq <= seq

    def outran(self, seq: int) -> bool:
        """Whether the event behind `seq` was here and had to make room."""
        return self._dropped > seq

    def superseded(self, event: Event) -> bool:
        """Whether a newer event of the same key is held."""
        return event.key is not None and self._newest_of.get(event.key, 0) > event.seq

    def _drop(self) -> None:
        event, size = self._ring.popleft()
        self._bytes -= size
        self._dropped = event.seq
        if event.key is not None and self._newest_of.get(event.key) == event.seq:
            del self._newest_of[event.key]

    def _clear(self) -> None:
        self._ring.clear()
        self._newest_of.clear()
        self._bytes = 0

    def _ring_bells(self) -> None:
        for bell in self._bells:
            bell.set()
