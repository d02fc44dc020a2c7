"""Where a workflow is that somebody watches, and whether they may look there.

Its statuses come from the cluster that it was deployed to last. Whether the caller may look there
is asked when it moves, and whenever the cluster's own stream tells of a change.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import datetime
from typing import Self

import structlog

from app.documents.clusters import ClusterStore
from app.documents.statuses import StatusStore, WorkflowStatuses
from app.domain import policy
from app.domain.cluster import Cluster
from app.domain.events import ClusterRemoved, EndReason, Gap, cluster_stream
from app.domain.ids import Id
from app.domain.statusevents import NodeStatusChanged
from app.domain.user import Actor
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.realtime.topics import Falling
from app.services.clustertelling import cluster_event_of

log = structlog.get_logger("kubeorch.streams")


class Place:
    """Says to `ending` when the caller may not look any more, for as long as the block."""

    def __init__(
        self,
        actor: Actor,
        ending: Ending,
        *,
        hub: Hub,
        clusters: ClusterStore,
        statuses: StatusStore,
        now: Callable[[], datetime],
    ) -> None:
        self._actor = actor
        self._ending = ending
        self._hub = hub
        self._clusters = clusters
        self._statuses = statuses
        self._now = now
        self._cluster_id: Id | None = None
        self._namespaces: frozenset[str | None] = frozenset()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leave()

    async def is_open(self, found: WorkflowStatuses | None) -> bool:
        """Goes to where these statuses are from; whether the caller may look there."""
        if found is None:
            return True
        cluster = await self._clusters.get(found.cluster_id)
        if cluster is None or not self._may_look(cluster, frozenset(found.namespaces)):
            return False
        self._namespaces = frozenset(found.namespaces)
        if self._cluster_id != cluster.id:
            await self._leave()
            self._cluster_id = cluster.id
            self._task = asyncio.create_task(self._watch(cluster))
        return True

    async def holds(self, event: NodeStatusChanged) -> bool:
        """Whether the event is for the caller. When the workflow has moved to where they may not
        look, this is the end."""
        if event.cluster_id == self._cluster_id and self._namespaces.issuperset(event.namespaces):
            return True
        if not await self.is_open(await self._statuses.get(Id(event.stream.partition(":")[2]))):
            self._ending.say(EndReason.ACCESS_REVOKED)
            return False
        return event.cluster_id == self._cluster_id

    def _may_look(self, cluster: Cluster, namespaces: frozenset[str | None]) -> bool:
        return policy.looks_in(self._actor, cluster, namespaces, now=self._now()).allowed

    async def _leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self, cluster: Cluster) -> None:
        now: Cluster | None = cluster
        try:
            while now is not None and self._ending.reason is None:
                now = await self._follow(now)
        except Exception:
            # Whoever cannot be told that it is over must not go on watching.
            log.exception("the cluster cannot be watched", cluster=cluster.id)
            self._ending.say(EndReason.ACCESS_REVOKED)

    async def _follow(self, cluster: Cluster) -> Cluster | None:
        """Until it has ended, or events are missing: then the cluster as it is now."""
        events = self._hub.events(
            cluster_stream(cluster.id),
            after=cluster.seq,
            falling=Falling.BACK_TO_THE_COLLECTION,
            until=self._ending,
        )
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Gap):
                    return self._checked(await self._clusters.get(cluster.id))
                told = cluster_event_of(event)
                now = None if isinstance(told, ClusterRemoved) else told.cluster
                if self._checked(now) is None:
                    return None
        return None

    def _checked(self, cluster: Cluster | None) -> Cluster | None:
        """The cluster, if the caller may look there; else this is the end."""
        if cluster is None:
            self._ending.say(EndReason.DELETED)
        elif not self._may_look(cluster, self._namespaces):
            self._ending.say(EndReason.ACCESS_REVOKED)
        else:
            return cluster
        return None
