"""The worker: does the runs that are due, a few at a time, on whatever replica has room.

The claims in the database see to it that one process at a time is at a run. New work is heard of by
a change stream; what a dead process has left is due when its claim ends. Nothing is asked of the
database while nothing is due.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog
from pymongo.errors import PyMongoError

from app.documents.work import Busy, Work, WorkStore
from app.domain.ids import Id
from app.metrics import Metrics
from app.services.deploying.engine import Engine, Means
from app.services.deploying.lease import Lease
from app.services.deploying.turns import Turn, Turns

log = structlog.get_logger("kubeorch.runs")

_HELD = 50
"""How many runs a process has for each that is at work: the others wait for something."""
_OUTAGE_PAUSE = 2.0
"""Seconds to wait when the database does not answer."""
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds between attempts to open the change stream anew."""


class Worker:
    """Does runs for as long as it is running."""

    def __init__(self, means: Means, *, metrics: Metrics) -> None:
        self._means = means
        self._work: WorkStore = means.ledgers.work
        self._metrics = metrics
        self._leases: dict[Id, Lease] = {}
        self._runs: set[asyncio.Task[None]] = set()
        self._heard = asyncio.Event()
        self._turns = Turns(means.pace.at_once, freed=self._heard.set)
        self._most = means.pace.at_once * _HELD
        self._closing = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Does runs meanwhile. What is not done at the end is handed back, for another process."""
        sweep = asyncio.create_task(self._sweep())
        hearing = asyncio.create_task(self._hear())
        try:
            yield
        finally:
            await self.close()
            hearing.cancel()
            await asyncio.wait({sweep, hearing})

    async def close(self) -> None:
        """Interrupts what is under way, between two requests to a cluster."""
        self._closing = True
        self._heard.set()
        for lease in self._leases.values():
            lease.stop()
        await asyncio.gather(*self._runs)

    async def _sweep(self) -> None:
        while not self._closing:
            self._heard.clear()
            try:
                if not self._has_room:
                    await self._heard.wait()
                elif not await self._begun():
                    await self._until_due()
            except Exception as error:
                # Whatever it was: without a sweep nobody would deploy anything.
                known = isinstance(error, PyMongoError)
                log.warning("runs.waiting", error=str(error), exc_info=not known)
                await self._pause(_OUTAGE_PAUSE)

    @property
    def _has_room(self) -> bool:
        return self._turns.are_left and len(self._runs) < self._most

    async def _begun(self) -> bool:
        """Claims what has been due for the longest time, and begins it; False when nothing is."""
        pace, now = self._means.pace, self._means.now()
        held_from = asyncio.get_running_loop().time()
        until = now + timedelta(seconds=pace.lease_seconds)
        work = await self._work.claim_due(now=now, until=until, besides=self._busy)
        if work is None:
            return False
        turn = Turn(self._turns, person=work.started_by, cluster=work.cluster_id)
        turn.reserve()
        lease = Lease(
            work,
            store=self._work,
            seconds=pace.lease_seconds,
            held_from=held_from,
            now=self._means.now,
        )
        if self._closing:
            lease.stop()
        self._leases[work.run_id] = lease
        task = asyncio.create_task(self._do(work, lease, turn))
        self._runs.add(task)
        task.add_done_callback(self._done)
        return True

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._runs.discard(task)
        self._heard.set()

    @property
    def _busy(self) -> Busy:
        """Whose runs would have to wait for their turn."""
        return Busy(self._turns.busy_people, self._turns.busy_clusters)

    async def _until_due(self) -> None:
        due = await self._work.next_due(besides=self._busy)
        pause = None
        if due is not None:
            pause = max((due - self._means.now()).total_seconds(), 0.0)
        await self._pause(pause)

    async def _pause(self, seconds: float | None) -> None:
        """Waits for so long, or until there is something to do."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()

    async def _do(self, work: Work, lease: Lease, turn: Turn) -> None:
        """One run, until it has ended or its lease has. Nothing that goes wrong in it goes on."""
        self._metrics.active_runs.inc()
        keeping = asyncio.create_task(lease.keep())
        engine = asyncio.create_task(Engine(lease, turn, self._means).run())
        over = asyncio.create_task(lease.ended.wait())
        try:
            await asyncio.wait({engine, over}, return_when=asyncio.FIRST_COMPLETED)
            if not engine.done():
                if not lease.is_lost:
                    await lease.idle()
                engine.cancel()
                await asyncio.wait({engine})
            status = None if engine.cancelled() else engine.result()
            if status is not None:
                self._metrics.runs.labels(status.value).inc()
                log.info("run ended", run=work.run_id, status=status.value)
            elif lease.is_lost:
                self._metrics.lost_leases.inc()
                log.warning("runs.lost", run=work.run_id, fence=work.fence)
            else:
                await lease.hand_back()
        except Exception:
            log.exception("runs.unfinished", run=work.run_id)
        finally:
            turn.close()
            lease.stop()
            await asyncio.wait({keeping, over})
            lease.close()
            if self._leases.get(work.run_id) is lease:
                del self._leases[work.run_id]
            self._metrics.active_runs.dec()

    async def _hear(self) -> None:
        """Hears of new work and of cancellations; opened anew whenever it breaks."""
        pause = _SHORTEST_PAUSE
        while True:
            try:
                async with self._work.watch() as changes:
                    # What came before it was open is found by asking.
                    self._heard.set()
                    pause = _SHORTEST_PAUSE
                    async for change in changes:
                        lease = self._leases.get(Id(change["documentKey"]["_id"]))
                        told = change.get("updateDescription", {}).get("updatedFields", {})
                        if lease is not None and told.get("cancel"):
                            lease.cancelled.set()
                        self._heard.set()
            except PyMongoError as error:
                log.warning("runs.reopening", error=str(error))
            except Exception:
                # Whatever it was, new runs must not wait in silence.
                log.exception("runs.reopening")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
