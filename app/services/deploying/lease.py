"""A process's right to do a run, by its own clock: who has lost it may not touch anything more."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta

import pymongo
import structlog
from pymongo.errors import PyMongoError

from app.documents.work import Work, WorkStore

log = structlog.get_logger("kubeorch.runs")

_OUTAGE_PAUSE = 0.5
"""Seconds to wait when the database does not answer."""
_FINISH_SECONDS = 5.0
"""How long what is under way may take when the process is about to end."""


class Lease:
    """The claim of one run. `held_from` is when it was asked for, in the event loop's time.

    It ends when it is lost, or given up with `stop`; `ended` says so, and `is_lost` which.
    """

    def __init__(
        self,
        work: Work,
        *,
        store: WorkStore,
        seconds: float,
        held_from: float,
        now: Callable[[], datetime],
    ) -> None:
        self.work = work
        self.cancelled = asyncio.Event()
        """The run is to stop between two objects: it was cancelled, or may not go on."""
        self.refusal: str | None = None
        """Why it may not go on, in a sentence."""
        self.ended = asyncio.Event()
        self.is_lost = False
        self.writing = asyncio.Lock()
        """Held while the work is written: MongoDB would do again what is done at once."""
        self._store = store
        self._seconds = seconds
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._ends = held_from + seconds
        self._timer = self._loop.call_at(self._ends, self._look_at_the_clock)
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()
        if work.cancel:
            self.cancelled.set()

    @property
    def until(self) -> datetime:
        """To when the claim is to be kept by a write of now."""
        return self._now() + timedelta(seconds=self._seconds)

    @property
    def is_ours(self) -> bool:
        """Whether nobody else can have claimed the run."""
        return not self.is_lost and self._loop.time() < self._ends

    @property
    def is_held(self) -> bool:
        """Whether the run is to go on here."""
        return not self.ended.is_set() and self.is_ours

    def extended(self, began: float) -> None:
        """A write that began then, in the event loop's time, has kept the claim."""
        self._ends = max(self._ends, began + self._seconds)

    def lose(self) -> None:
        """Somebody else has it."""
        if not self.ended.is_set():
            self.is_lost = True
            self.ended.set()

    def refuse(self, why: str) -> None:
        """The run may not go on. The first reason stays."""
        if self.refusal is None:
            self.refusal = why
            self.cancelled.set()

    def stop(self) -> None:
        """The process is about to end: nothing new is begun."""
        self.ended.set()

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        """Around every request to the cluster: it waits for ever when the claim has ended.

        Whoever keeps the lease cancels those who wait.
        """
        if not self.is_held:
            if not self.ended.is_set():
                self.lose()
            await asyncio.Event().wait()
        with self.finishing():
            yield

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Around what is not to be interrupted in the middle, when the process ends in order."""
        self._busy += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    async def idle(self) -> None:
        """Waits until nothing is under way any more, for a few seconds at most."""
        try:
            async with asyncio.timeout(_FINISH_SECONDS):
                await self._idle.wait()
        except TimeoutError:
            log.warning("runs.interrupted", run=self.work.run_id)

    async def keep(self) -> None:
        """Renews the claim until it has ended."""
        while not self.ended.is_set():
            # What was written meanwhile may have kept it: then there is nothing to do yet.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._ends - self._seconds * 2 / 3):
                    await self.ended.wait()
                    break
            if self._ends - self._loop.time() <= self._seconds * 2 / 3:
                await self._renew()

    async def _renew(self) -> None:
        try:
            async with self.writing:
                began = self._loop.time()
                with pymongo.timeout(self._seconds):
                    cancel = await self._store.renew(self.work, until=self.until)
        except PyMongoError as error:
            log.warning("runs.waiting", run=self.work.run_id, error=str(error))
            await asyncio.sleep(min(_OUTAGE_PAUSE, self._seconds / 10))
            return
        if cancel is None:
            self.lose()
            return
        self.extended(began)
        if cancel:
            self.cancelled.set()

    async def hand_back(self) -> None:
        """Lets another process go on at once."""
        try:
            await self._store.hand_back(self.work, now=self._now())
        except PyMongoError as error:
            # It ends by itself.
            log.warning("runs.not_handed_back", run=self.work.run_id, error=str(error))

    def close(self) -> None:
        self._timer.cancel()

    def _look_at_the_clock(self) -> None:
        if self._loop.time() < self._ends:
            self._timer = self._loop.call_at(self._ends, self._look_at_the_clock)
        else:
            self.lose()
