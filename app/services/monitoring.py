"""The health monitor: looks at every cluster again and again, and tells what has changed.

All replicas take part; the claims in the database see to it that one at a time is at a cluster, and
that the findings of one that was too slow are not written over newer ones. A cluster that is out of
reach is looked at less and less often. Nothing is asked of the database while no check is due.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

import structlog
from pymongo.errors import PyMongoError

from app.documents.checks import CheckStore, Claim
from app.documents.clusters import ClusterStore
from app.documents.database import Database, Transaction
from app.domain.cluster import Cluster, ClusterStatus
from app.domain.ids import Id
from app.metrics import Metrics
from app.services.checking import LONGEST, Connect, Finding, look
from app.services.clustertelling import ClusterTelling

log = structlog.get_logger("kubeorch.clusters")

_DISCOVER_EVERY = timedelta(minutes=10)
_RARELY = 16
"""How many times less often clusters are looked at that stay out of reach."""
_SHARE = 4
"""One owner's clusters take at most a quarter of what is looked at because somebody asks."""
_OUTAGE_PAUSE = 2.0
"""Seconds to wait when the database does not answer."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how hard clusters are looked at."""

    every: timedelta
    seconds: float
    """For one cluster to answer."""
    at_once: int

    @property
    def claim(self) -> timedelta:
        """For how long a process has a cluster to itself: longer than any look takes."""
        return timedelta(seconds=self.seconds * (LONGEST + 1))

    def until_next(self, failures: int) -> timedelta:
        """The pause behind a look, a little different each time, lest all come at once."""
        rarely = float(min(2**failures, _RARELY))
        return self.every * (rarely * random.uniform(0.9, 1.1))  # noqa: S311


class Monitor:
    """Looks at clusters, when it is time and when somebody asks."""

    def __init__(
        self,
        *,
        database: Database,
        clusters: ClusterStore,
        checks: CheckStore,
        telling: ClusterTelling,
        connect: Connect,
        pace: Pace,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._clusters = clusters
        self._checks = checks
        self._telling = telling
        self._connect = connect
        self.pace = pace
        self._metrics = metrics
        self._now = now
        self._slots = asyncio.Semaphore(pace.at_once)
        self._asked = asyncio.Semaphore(pace.at_once)
        self._asked_of: WeakValueDictionary[Id, asyncio.Semaphore] = WeakValueDictionary()
        """Of each owner: whose clusters all hang must not hold up what others ask for."""
        self._answering: dict[tuple[Id, int], asyncio.Task[Finding | None]] = {}
        """Looks that were asked for, by cluster and version of its credentials."""
        self._looks: set[asyncio.Task[Finding | None]] = set()
        self._calls: set[asyncio.Task[Finding]] = set()
        self._recording = asyncio.Lock()
        """What people are told has one number each: MongoDB would do again what is done at once."""
        self._planned = asyncio.Event()
        self._closing = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks at clusters when they are due, for as long as the block."""
        sweep = asyncio.create_task(self._sweep())
        try:
            yield
        finally:
            await self.close()
            await sweep

    async def close(self) -> None:
        """Breaks off the looks that are under way: they are due again soon.

        Only what waits for clusters is cancelled; a command to the database ends by itself.
        """
        self._closing = True
        self._planned.set()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)

    async def check(self, cluster_id: Id) -> Finding | None:
        """Looks at a cluster and what it offers now, whoever else is at it.

        None when there is no such cluster, or it has changed meanwhile. Who stops waiting does not
        stop the look.
        """
        cluster = await self._clusters.get(cluster_id)
        if cluster is None:
            return None
        # Were everybody to begin anew, who asks again and again would let no look end.
        key = (cluster_id, cluster.credentials_version)
        task = self._answering.get(key)
        if task is None:
            task = self._keep(self._ask(cluster))
            self._answering[key] = task
            task.add_done_callback(lambda _: self._answering.pop(key))
        return await asyncio.shield(task)

    async def _ask(self, cluster: Cluster) -> Finding | None:
        """Looks, when it is its turn: a place is held for as long as the look takes."""
        of_owner = self._asked_of.get(cluster.owner_id)
        if of_owner is None:
            of_owner = asyncio.Semaphore(max(1, self.pace.at_once // _SHARE))
            self._asked_of[cluster.owner_id] = of_owner
        try:
            async with of_owner, self._asked:
                claim = await self._checks.claim(cluster.id, until=self._now() + self.pace.claim)
                return None if claim is None else await self._look(claim, discovers=True)
        except PyMongoError as error:
            log.warning("clusters.unrecorded", cluster=cluster.id, error=str(error))
            return None

    async def _sweep(self) -> None:
        while not self._closing:
            await self._slots.acquire()
            now = self._now()
            try:
                claim = await self._checks.claim_due(now=now, until=now + self.pace.claim)
                if claim is None:
                    await self._until_due()
                    self._slots.release()
                    continue
            except Exception as error:
                # Whatever it was: without a sweep nobody would see a cluster go.
                self._slots.release()
                known = isinstance(error, PyMongoError)
                log.warning("clusters.waiting", error=str(error), exc_info=not known)
                await asyncio.sleep(_OUTAGE_PAUSE)
                continue
            task = self._begin(claim, discovers=False)
            task.add_done_callback(lambda _: self._slots.release())

    async def _until_due(self) -> None:
        """Waits until a check is due, or may be: other replicas plan some too, at the same pace."""
        due = await self._checks.next_due()
        pause = self.pace.every if due is None else min(due - self._now(), self.pace.every)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(pause.total_seconds(), 0)):
                await self._planned.wait()
        self._planned.clear()

    def _begin(self, claim: Claim, *, discovers: bool) -> asyncio.Task[Finding | None]:
        return self._keep(self._look(claim, discovers=discovers))

    def _keep(self, look: Coroutine[Any, Any, Finding | None]) -> asyncio.Task[Finding | None]:
        task = asyncio.create_task(look)
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)
        return task

    async def _look(self, claim: Claim, *, discovers: bool) -> Finding | None:
        try:
            cluster = await self._clusters.get(claim.cluster_id)
            if cluster is None:
                return None
            finding = await self._call(cluster, discovers or self._is_due(claim, cluster))
            if finding is None or finding.is_our_own:
                return finding
            if await self._record(claim, cluster, finding):
                return finding
        except PyMongoError as error:
            # The claim ends by itself, and then somebody looks again.
            log.warning("clusters.unrecorded", cluster=claim.cluster_id, error=str(error))
        except Exception:
            log.exception("clusters.unchecked", cluster=claim.cluster_id)
        return None

    async def _call(self, cluster: Cluster, discovers: bool) -> Finding | None:
        """Waits for the cluster; None when the process does not want to any more."""
        if self._closing:
            return None
        call = asyncio.create_task(
            look(self._connect, cluster, discovers=discovers, seconds=self.pace.seconds)
        )
        self._calls.add(call)
        try:
            await asyncio.wait([call])
        finally:
            self._calls.discard(call)
        return None if call.cancelled() else call.result()

    def _is_due(self, claim: Claim, cluster: Cluster) -> bool:
        """Whether what the cluster offers is to be looked at too."""
        if cluster.status is not ClusterStatus.CONNECTED or claim.discovered_at is None:
            return True
        return claim.discovered_at + _DISCOVER_EVERY <= self._now()

    async def _record(self, claim: Claim, looked_at: Cluster, finding: Finding) -> bool:
        """Writes what was found; False when somebody else was faster, or it is another cluster."""
        now = self._now()
        well = finding.status is ClusterStatus.CONNECTED
        failures = 0 if well else claim.failures + 1

        async def work(transaction: Transaction) -> bool:
            before = await self._clusters.get(claim.cluster_id, transaction=transaction)
            if before is None or before.credentials_version != looked_at.credentials_version:
                return False
            if not await self._checks.finish(
                claim,
                failures=failures,
                due_at=now + self.pace.until_next(failures),
                discovered_at=now if finding.metadata is not None else None,
                transaction=transaction,
            ):
                return False
            after = before.model_copy(
                update={
                    "status": finding.status,
                    "status_message": finding.message,
                    "metadata": finding.metadata or before.metadata,
                    "last_check": now,
                    "latency_ms": finding.latency_ms,
                }
            )
            if _tells(before, after):
                after = after.model_copy(update={"seq": before.seq + 1})
                await self._telling.changed(before, after, actor_id=None, transaction=transaction)
            await self._clusters.record(after, transaction=transaction)
            return True

        async with self._recording:
            recorded = await self._database.transaction(work)
        self._metrics.cluster_checks.labels(finding.status).inc()
        if recorded and looked_at.status is not finding.status:
            log.info("cluster status", cluster=looked_at.id, status=finding.status)
        return recorded


def _tells(before: Cluster, after: Cluster) -> bool:
    """Whether anybody needs to know."""
    told = ("status", "status_message", "metadata")
    return any(getattr(before, name) != getattr(after, name) for name in told)
