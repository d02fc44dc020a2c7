"""Shares that end on a date: somebody has to notice, and tell those who are watching.

The policy asks the clock and lets nobody in after the date. This removes the share, which is a
change of the cluster like any other, so that streams hear of it on every replica.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from pymongo.errors import PyMongoError

from app.documents.clusters import ClusterStore
from app.documents.database import Database, Transaction
from app.documents.shares import ShareStore
from app.domain.ids import Id
from app.services.clustertelling import ClusterTelling

log = structlog.get_logger("kubeorch.clusters")

_LONGEST_PAUSE = 60.0
"""Seconds after which to look again, because other replicas share clusters too."""
_OUTAGE_PAUSE = 2.0


class ShareExpiry:
    """Removes shares when they end."""

    def __init__(
        self,
        *,
        database: Database,
        clusters: ClusterStore,
        shares: ShareStore,
        telling: ClusterTelling,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._clusters = clusters
        self._shares = shares
        self._telling = telling
        self._now = now
        self._shared = asyncio.Event()
        self._closing = False

    def shared(self) -> None:
        """A share was made here that may end before all others."""
        self._shared.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Removes shares as they end, for as long as the block."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._closing = True
            self._shared.set()
            await task  # a command to the database ends by itself

    async def _run(self) -> None:
        while not self._closing:
            try:
                await self._until_one_ends()
                for cluster_id in await self._shares.ended(self._now()):
                    await self._remove(cluster_id)
            except PyMongoError as error:
                log.warning("clusters.waiting", error=str(error))
                await asyncio.sleep(_OUTAGE_PAUSE)
            except Exception:
                log.exception("clusters.expiring")
                await asyncio.sleep(_OUTAGE_PAUSE)

    async def _until_one_ends(self) -> None:
        first = await self._shares.first_end()
        pause = _LONGEST_PAUSE
        if first is not None:
            pause = min(max((first - self._now()).total_seconds(), 0.0), pause)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._shared.wait()
        self._shared.clear()

    async def _remove(self, cluster_id: Id) -> None:
        now = self._now()

        async def work(transaction: Transaction) -> None:
            before = await self._clusters.get(cluster_id, transaction=transaction)
            if before is None:
                return
            left = [share for share in before.shared_with if share.lasts(now)]
            if len(left) == len(before.shared_with):
                return  # another replica was faster
            after = before.model_copy(update={"shared_with": left, "seq": before.seq + 1})
            await self._clusters.record(after, transaction=transaction)
            await self._telling.changed(before, after, actor_id=None, transaction=transaction)

        await self._database.transaction(work)
