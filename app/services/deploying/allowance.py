"""Whether a run may go on: who started it may lose the cluster while it is under way.

Shares are changed by people, which the cluster's own stream tells of, and end by themselves.
"""

import asyncio
from contextlib import aclosing
from datetime import datetime

import structlog
from pymongo.errors import PyMongoError

from app.domain.cluster import Cluster
from app.domain.events import cluster_stream
from app.domain.run import WorkflowRun
from app.realtime.hub import Hub
from app.realtime.topics import Falling
from app.services.deploying.lease import Lease
from app.services.deploying.loading import Job, Loading, Refused

log = structlog.get_logger("kubeorch.runs")

_OUTAGE_PAUSE = 0.5


class Allowance:
    """Stops a run that may not go on."""

    def __init__(
        self, run: WorkflowRun, job: Job, lease: Lease, *, loading: Loading, hub: Hub
    ) -> None:
        self._run = run
        self._job = job
        self._lease = lease
        self._loading = loading
        self._hub = hub

    async def keep(self) -> None:
        """Looks whenever something has changed, until it is cancelled."""
        cluster = self._job.cluster
        while True:
            try:
                cluster, ends = await self._checked()
                async with asyncio.timeout(self._loading.seconds_until(ends)):
                    await self._heard(cluster)
            except TimeoutError:
                continue
            except Refused as refused:
                self._lease.refuse(refused.message)
                await asyncio.Event().wait()
            except PyMongoError as error:
                log.warning("runs.waiting", run=self._run.id, error=str(error))
                await asyncio.sleep(_OUTAGE_PAUSE)

    async def _checked(self) -> tuple[Cluster, datetime | None]:
        cluster = await self._loading.cluster(self._run)
        return cluster, await self._loading.check(self._run, cluster, self._job.places)

    async def _heard(self, cluster: Cluster) -> None:
        """Returns when something has changed."""
        events = self._hub.events(
            cluster_stream(cluster.id), after=cluster.seq, falling=Falling.BACK_TO_THE_COLLECTION
        )
        async with aclosing(events):
            async for _ in events:
                return
