"""Whose turn it is: how many runs of a process are at work at the same time, and whose.

A run is at work while it is prepared and while it asks its cluster for something. One that waits,
for readiness, for a deletion or for a cluster that is busy, costs next to nothing and has no turn.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.domain.ids import Id

_SHARE = 4
"""One person's runs, and those on one cluster, take at most a quarter of the turns."""


class Turns:
    """The turns of a process. `freed` is called when one may be had again."""

    def __init__(self, at_once: int, *, freed: Callable[[], None]) -> None:
        self._left = at_once
        self._share = max(1, at_once // _SHARE)
        self._freed = freed
        self._people: Counter[Id] = Counter()
        self._clusters: Counter[Id] = Counter()
        self._waiting: dict[asyncio.Future[None], Turn] = {}

    @property
    def are_left(self) -> bool:
        """Whether a run may begin."""
        return self._left > 0

    @property
    def busy_people(self) -> list[Id]:
        """Who has their share."""
        return [one for one, count in self._people.items() if count >= self._share]

    @property
    def busy_clusters(self) -> list[Id]:
        """The clusters that have their share."""
        return [one for one, count in self._clusters.items() if count >= self._share]

    def taken(self, turn: "Turn") -> bool:
        """Takes a turn, if it can be had at once."""
        share = max(self._people[turn.person], self._clusters[turn.cluster])
        if self._left <= 0 or share >= self._share:
            return False
        self._left -= 1
        self._people[turn.person] += 1
        self._clusters[turn.cluster] += 1
        return True

    async def take(self, turn: "Turn") -> None:
        """Takes a turn as soon as it can be had: who has waited the longest first."""
        if self.taken(turn):
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[granted] = turn
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.give(turn)
            raise
        finally:
            self._waiting.pop(granted, None)

    def give(self, turn: "Turn") -> None:
        """Gives a turn up: to whoever waits and may have it."""
        self._left += 1
        for counts, one in ((self._people, turn.person), (self._clusters, turn.cluster)):
            counts[one] -= 1
            if not counts[one]:
                del counts[one]
        for granted, other in list(self._waiting.items()):
            if not granted.done() and self.taken(other):
                granted.set_result(None)
        self._freed()


class Turn:
    """The turn of one run, which its tasks share: it has one while any of them is at work."""

    def __init__(self, turns: Turns, *, person: Id, cluster: Id) -> None:
        self._turns = turns
        self.person = person
        self.cluster = cluster
        self._inside = 0
        self._reserved = False
        self._entering = asyncio.Lock()

    def reserve(self) -> None:
        """Takes it for the task that enters next, if it can be had at once."""
        self._reserved = self.begin()

    def begin(self) -> bool:
        """Takes it at once, if it can be had; for as long as `left` is not called."""
        if self._reserved:
            self._reserved = False
            return True
        if not self._inside and not self._turns.taken(self):
            return False
        self._inside += 1
        return True

    async def entered(self) -> None:
        """Takes it, or waits for it."""
        async with self._entering:
            if not self.begin():
                await self._turns.take(self)
                if self._inside:  # somebody of the run was faster
                    self._turns.give(self)
                self._inside += 1

    def left(self) -> None:
        """One of those that entered has done its work."""
        self._inside -= 1
        if not self._inside:
            self._turns.give(self)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Has the turn for as long as the block."""
        await self.entered()
        try:
            yield
        finally:
            self.left()

    def close(self) -> None:
        """The run is over: whatever was entered is left."""
        self._reserved = False
        if self._inside:
            self._inside = 0
            self._turns.give(self)
