"""The contract of every stream, once.

A snapshot, then what happened behind it, each event once and in order. With `after`, what happened
behind that event instead. A reader that events are missing for gets a Gap and a fresh snapshot. A
stream that ends for a reason says it last. What a stream adds is where its snapshot comes from, how
its events are read, and which event is the last.

A finite stream completes after its own last event, and says no reason. Its snapshots do not hold
what that event tells: of a stream that is over they are followed by it, stored or not.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

from app.domain.errors import Invalid
from app.domain.events import EndReason, Event, Gap, StreamEnded
from app.metrics import Metrics
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.realtime.topics import Falling


class Numbered(Protocol):
    """Anything with a place in a stream."""

    @property
    def seq(self) -> int: ...


S = TypeVar("S", bound=Numbered)
E = TypeVar("E", bound=Numbered)


class Following(Generic[S, E]):
    """Follows streams of one kind. `S` is the kind's snapshot, `E` its event.

    `read` makes of a stored event what subscribers get, once for all who listen in this process.
    `last` says whether nothing comes after an event, and why. For finite streams, `finishes` says
    whether an event is the stream's own last one, and `finish` what that event is for a snapshot
    behind which nothing else comes.
    """

    def __init__(
        self,
        hub: Hub,
        metrics: Metrics,
        *,
        read: Callable[[Event], E],
        last: Callable[[E], EndReason | None] = lambda _: None,
        finishes: Callable[[E], bool] = lambda _: False,
        finish: Callable[[S], E | None] = lambda _: None,
        falling: Falling = Falling.INTO_A_GAP,
    ) -> None:
        self._hub = hub
        self._metrics = metrics
        self._read = read
        self._last = last
        self._finishes = finishes
        self._finish = finish
        self._falling = falling
        self._known: WeakKeyDictionary[Event, E] = WeakKeyDictionary()

    async def follow(
        self,
        stream: str,
        snapshot: Callable[[], Awaitable[S | None]],
        *,
        first: S,
        after: int | None,
        until: Ending,
        seen: Callable[[E], E | None] = lambda told: told,
    ) -> AsyncGenerator[S | E | Gap | StreamEnded, None]:
        """The events of `stream`, until there is nothing more to come or `until` says so.

        `first` is the snapshot of now; `snapshot` takes a later one, None when the caller may not
        see it any more. `seen` is an event as the caller sees it, None when it says that they may
        not see any more. Raises Invalid for an `after` that no event has.
        """
        seq = self._resumed(after)
        fresh: S | None = first
        del first
        reason: EndReason | None = None
        while fresh is not None:
            finish = self._finish(fresh)
            known = fresh.seq if finish is None else finish.seq
            if seq is None or seq > known:
                seq = fresh.seq
                yield fresh
            alive = fresh.seq
            # A canvas may be large: each subscriber would hold one for as long as they listen.
            fresh = None
            if finish is not None and seq >= alive:
                if seq < finish.seq:
                    yield finish
                self._metrics.ended.labels("finished").inc()
                return
            events = self._hub.events(
                stream, after=seq, falling=self._falling, until=until, known=known
            )
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Gap):
                        fresh = await snapshot()
                        if fresh is not None:
                            self._metrics.gaps.inc()
                            yield Gap(from_seq=seq + 1, to_seq=fresh.seq)
                            seq = None
                        break
                    told = self._told(event)
                    shown = seen(told)
                    # What the snapshot has outlived was not the end: it came back.
                    final = event.seq > alive
                    if shown is None and final:
                        break
                    if shown is not None:
                        yield shown
                    seq = event.seq
                    if final and self._finishes(told):
                        self._metrics.ended.labels("finished").inc()
                        return
                    reason = self._last(told) if final else None
                    if reason is not None:
                        break
                else:
                    reason = until.reason
        reason = reason or EndReason.ACCESS_REVOKED
        self._metrics.ended.labels(reason).inc()
        yield StreamEnded(seq=seq or 0, reason=reason)

    def _resumed(self, after: int | None) -> int | None:
        """Where to go on. Raises Invalid."""
        if after is None:
            return None
        if after < 0:
            raise Invalid.field(["after"], "Send the seq of an event that you have, 0 or more.")
        self._metrics.resumes.inc()
        return after

    def _told(self, event: Event) -> E:
        told = self._known.get(event)
        if told is None:
            told = self._known[event] = self._read(event)
        return told
