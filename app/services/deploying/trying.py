"""How a cluster is asked that may be busy, away or broken: again and again, until a deadline."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from app.domain.errors import ClusterError, ClusterFault
from app.services.deploying.lease import Lease
from app.services.deploying.turns import Turn

_Told = TypeVar("_Told")

_ANSWER_SECONDS = 30.0
"""For one answer, with what the client itself tries."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0

_PASSING = frozenset(
    {
        ClusterFault.NAME_NOT_FOUND,
        ClusterFault.UNREACHABLE,
        ClusterFault.TIMED_OUT,
        ClusterFault.THROTTLED,
        ClusterFault.UNAVAILABLE,
        ClusterFault.GONE,
    }
)
"""Faults that may pass by themselves. The others stay until somebody does something."""


def passes(error: ClusterError) -> bool:
    """Whether the fault may pass by itself."""
    return error.fault in _PASSING


class Late(Exception):
    """The deadline is over; says what went wrong last, if anything did."""

    def __init__(self, error: ClusterError | None = None) -> None:
        super().__init__("the deadline is over")
        self.error = error


class Left(Exception):
    """The run was cancelled, and this is where it stops."""


class Trying:
    """Asks while the claim holds, when it is the run's turn. `deadline` is in the event loop's
    time."""

    def __init__(self, lease: Lease, turn: Turn, *, deadline: float) -> None:
        self._lease = lease
        self._turn = turn
        self.deadline = deadline
        self._loop = asyncio.get_running_loop()

    @property
    def is_late(self) -> bool:
        return self._loop.time() >= self.deadline

    async def asked(
        self,
        ask: Callable[[float], Awaitable[_Told]],
        *,
        writes: bool = True,
        once: bool = False,
        to_the_end: bool = False,
    ) -> _Told:
        """What `ask(seconds)` answers; it has to be something that may be done twice, unless it is
        asked `once`.

        Raises ClusterError for faults that don't pass, or for any that comes of asking `once`;
        Late; and Left: unless it goes on `to_the_end`, a cancelled run does not wait for a cluster
        that does not answer. What `writes` is never left in the middle.
        """
        failures, last = 0, None
        while True:
            left = self.deadline - self._loop.time()
            if left <= 0:
                raise Late(last)
            try:
                async with self._at_work(to_the_end=to_the_end):
                    answer = ask(min(_ANSWER_SECONDS, left))
                    if writes or to_the_end:
                        return await answer
                    return await self.unless_cancelled(answer)
            except ClusterError as error:
                if once or not passes(error):
                    raise
                last = error
            await self.pause(failures, last.retry_after, to_the_end=to_the_end)
            failures += 1

    @asynccontextmanager
    async def _at_work(self, *, to_the_end: bool) -> AsyncIterator[None]:
        """Around a request, when it is the run's turn. Raises Late, and Left."""
        if not self._turn.begin():
            entered = self._turn.entered()
            try:
                async with asyncio.timeout_at(self.deadline):
                    await (entered if to_the_end else self.unless_cancelled(entered))
            except TimeoutError:
                raise Late from None
        try:
            async with self._lease.asking():
                yield
        finally:
            self._turn.left()

    async def pause(
        self, failures: int, least: float | None = None, *, to_the_end: bool = False
    ) -> None:
        """Waits after another failure: full of jitter, and no less than the cluster asks for.

        No longer than to the deadline. Raises Left.
        """
        most = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(failures, 10))
        seconds = max(least or 0.0, random.uniform(0, most))  # noqa: S311
        ends = min(self._loop.time() + seconds, self.deadline)
        if to_the_end:
            await asyncio.sleep(max(0.0, ends - self._loop.time()))
            return
        await self.unless_cancelled(asyncio.sleep(max(0.0, ends - self._loop.time())))

    async def unless_cancelled(self, waiting: Awaitable[_Told], *, grace: float = 0.0) -> _Told:
        """What is waited for. Raises Left when the run is cancelled first, so many seconds ago."""
        task = asyncio.ensure_future(waiting)
        cancelled = asyncio.ensure_future(self._lease.cancelled.wait())
        try:
            await asyncio.wait({task, cancelled}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await asyncio.wait({task}, timeout=grace)
            if task.done():
                return task.result()
            raise Left
        finally:
            for each in (task, cancelled):
                each.cancel()
            await asyncio.wait({task, cancelled})
            if not task.cancelled():
                task.exception()  # nobody asks for it any more when the run was cancelled
