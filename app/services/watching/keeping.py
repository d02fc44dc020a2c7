"""Live status: which clusters somebody has to look after, and that somebody does.

All replicas take part. What is deployed says which clusters are needed; the leases in the database
see to it that one process at a time is at each, and that another goes on when it dies.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from app.documents.clusters import ClusterStore
from app.documents.inventories import InventoryStore
from app.documents.runs import RunStore
from app.documents.statuses import StatusStore
from app.documents.watches import Watch, WatchStore
from app.documents.work import WorkStore
from app.domain.ids import Id
from app.kube.informers import Informers
from app.realtime.hub import Hub
from app.services.watching.deployed import Deployed
from app.services.watching.keeper import Keeper
from app.services.watching.rounds import Rounds
from app.services.watching.telling import StatusTelling

log = structlog.get_logger("kubeorch.status")

_OUTAGE_PAUSE = 2.0
"""Seconds to wait when the database does not answer."""


class LiveStatus:
    """Looks after clusters. `most` are how many at the same time; each takes a connection of the
    pool for as long as something is deployed there."""

    def __init__(
        self,
        *,
        clusters: ClusterStore,
        inventories: InventoryStore,
        statuses: StatusStore,
        work: WorkStore,
        runs: RunStore,
        watches: WatchStore,
        telling: StatusTelling,
        informers: Informers,
        rounds: Rounds,
        hub: Hub,
        lease: timedelta,
        most: int,
        now: Callable[[], datetime],
    ) -> None:
        self._clusters = clusters
        self._inventories = inventories
        self._statuses = statuses
        self._work = work
        self._runs = runs
        self._watches = watches
        self._telling = telling
        self._informers = informers
        self._rounds = rounds
        self._hub = hub
        self._lease = lease
        self._most = most
        self._now = now
        self._keepers: dict[Id, Keeper] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._bell = asyncio.Event()
        self._closing = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks after clusters for as long as the block; then hands them back."""
        learning = asyncio.create_task(self._learn())
        claiming = asyncio.create_task(self._claim())
        try:
            yield
        finally:
            self._closing.set()
            self._bell.set()
            for keeper in self._keepers.values():
                keeper.stop()
            learning.cancel()
            await asyncio.gather(learning, return_exceptions=True)
            await claiming
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _learn(self) -> None:
        """Hears of what is deployed and removed."""
        while True:
            try:
                async with self._inventories.watch() as workflows:
                    # Before this moment nobody told: so everything is looked at once.
                    there = await self._inventories.clusters()
                    told = await self._statuses.clusters()
                    await self._need({*there, *told}, None)
                    async for workflow_id in workflows:
                        known = await self._inventories.of_workflows([workflow_id])
                        here = next((one.cluster_id for one in known if one.of_nodes), None)
                        await self._need({here} if here is not None else set(), workflow_id)
            except PyMongoError as error:
                log.warning("status.unheard", error=str(error))
            except Exception:
                log.exception("status.unheard")
            await asyncio.sleep(_OUTAGE_PAUSE)

    async def _need(self, cluster_ids: set[Id], workflow_id: Id | None) -> None:
        await self._watches.need(cluster_ids, now=self._now())
        for keeper in self._keepers.values():
            keeper.heard(None if workflow_id is None else [workflow_id])
        self._bell.set()

    async def _claim(self) -> None:
        """Takes what nobody looks after."""
        loop = asyncio.get_running_loop()
        while not self._closing.is_set():
            self._bell.clear()
            try:
                began, now = loop.time(), self._now()
                watch = None
                if len(self._keepers) < self._most:
                    watch = await self._watches.claim_due(now=now, until=now + self._lease)
                if watch is not None:
                    await self._begin(watch, began)
                else:
                    await self._until_due()
            except PyMongoError as error:
                log.warning("status.waiting", error=str(error))
                await self._pause(_OUTAGE_PAUSE)
            except Exception:
                # Whatever it was: else nobody would look after anything any more.
                log.exception("status.waiting")
                await self._pause(_OUTAGE_PAUSE)

    async def _until_due(self) -> None:
        """Waits until a watch of others has ended, or may be needed."""
        seconds: float | None = None
        if len(self._keepers) < self._most:
            due = await self._watches.next_due(besides=self._keepers)
            if due is not None:
                seconds = max((due - self._now()).total_seconds(), 0.01)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()

    async def _begin(self, watch: Watch, began: float) -> None:
        before = self._keepers.get(watch.cluster_id)
        if before is not None:
            before.stop()  # its lease has ended, or it would not have been due
        keeper = Keeper(
            watch,
            lease=self._lease,
            held_from=began,
            deployed=Deployed(
                watch.cluster_id,
                inventories=self._inventories,
                statuses=self._statuses,
                work=self._work,
                runs=self._runs,
            ),
            clusters=self._clusters,
            watches=self._watches,
            telling=self._telling,
            informers=self._informers,
            hub=self._hub,
            now=self._now,
        )
        self._keepers[watch.cluster_id] = keeper
        task = asyncio.create_task(self._keep(keeper))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, keeper: Keeper) -> None:
        cluster_id = keeper.watch.cluster_id
        checking = asyncio.create_task(self._rounds.make(keeper.deployed, keeper.reloaded))
        try:
            await keeper.keep()
        except PyMongoError as error:
            log.warning("status.left", cluster=cluster_id, error=str(error))
        except Exception:
            log.exception("status.left", cluster=cluster_id)
        finally:
            checking.cancel()
            if self._keepers.get(cluster_id) is keeper:
                del self._keepers[cluster_id]
            self._bell.set()
            await asyncio.gather(checking, return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()
