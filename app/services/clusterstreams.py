"""Live streams of clusters: one that somebody looks at, and all that they see.

Everybody sees their own cut of a cluster; who may not see it any more is told at once, because that
is a change of the cluster like any other.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime

from app.documents.clusters import ClusterStore
from app.documents.feeds import FeedStore
from app.domain import policy
from app.domain.errors import NotFound
from app.domain.events import (
    ClusterRemoved,
    ClusterSnapshot,
    ClustersSnapshot,
    ClusterStatusChanged,
    EndReason,
    Gap,
    StreamEnded,
    cluster_stream,
    clusters_stream,
)
from app.domain.ids import Id
from app.domain.user import Actor
from app.metrics import Metrics
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.services.clustertelling import cluster_event_of
from app.services.following import Following

ClusterEvent = ClusterStatusChanged | ClusterRemoved
ClusterStreamEvent = ClusterSnapshot | ClusterEvent | Gap | StreamEnded
"""What comes of `ClusterStreams.one`."""
ClustersStreamEvent = ClustersSnapshot | ClusterEvent | Gap | StreamEnded
"""What comes of `ClusterStreams.all`."""

MOST = 1_000
"""Clusters in a snapshot of all."""


class ClusterStreams:
    """What people can watch of clusters. Each stream keeps the contract of `following`."""

    def __init__(
        self,
        *,
        hub: Hub,
        clusters: ClusterStore,
        feeds: FeedStore,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self._clusters = clusters
        self._feeds = feeds
        self._now = now
        self._one = Following[ClusterSnapshot, ClusterEvent](
            hub, metrics, read=cluster_event_of, last=_removed
        )
        self._all = Following[ClustersSnapshot, ClusterEvent](hub, metrics, read=cluster_event_of)

    async def one(
        self, actor: Actor, cluster_id: Id, *, after: int | None = None, until: Ending
    ) -> AsyncGenerator[ClusterStreamEvent, None]:
        """A cluster, then every change of it, until it is gone or not the caller's to see.

        Raises NotFound when the caller may not see it, Invalid for a bad `after`.
        """

        async def snapshot() -> ClusterSnapshot | None:
            cluster = await self._clusters.get(cluster_id)
            if cluster is None or not policy.sees_cluster(actor, cluster, now=self._now()):
                return None
            seen = policy.cluster_seen_by(actor, cluster, now=self._now())
            return ClusterSnapshot(seq=cluster.seq, cluster=seen)

        first = await snapshot()
        if first is None:
            raise NotFound("cluster", path=["clusterId"])
        events = self._one.follow(
            cluster_stream(cluster_id),
            snapshot,
            first=first,
            after=after,
            until=until,
            seen=lambda event: self._seen(actor, event),
        )
        async with aclosing(events):
            async for event in events:
                yield event

    async def all(
        self, actor: Actor, *, after: int | None = None, until: Ending
    ) -> AsyncGenerator[ClustersStreamEvent, None]:
        """All clusters that the caller sees, then every change of any of them.

        Raises Invalid for a bad `after`.
        """

        async def snapshot() -> ClustersSnapshot:
            # In this order: what happens in between is told again, and nothing is missed.
            seq = await self._feeds.seq(actor.id)
            now = self._now()
            clusters = await self._clusters.seen_by(actor.id, now=now, most=MOST)
            return ClustersSnapshot(
                seq=seq,
                clusters=[policy.cluster_seen_by(actor, each, now=now) for each in clusters],
            )

        events = self._all.follow(
            clusters_stream(actor.id),
            snapshot,
            first=await snapshot(),
            after=after,
            until=until,
            seen=lambda event: self._seen(actor, event) or _lost(event),
        )
        async with aclosing(events):
            async for event in events:
                yield event

    def _seen(self, actor: Actor, event: ClusterEvent) -> ClusterEvent | None:
        if isinstance(event, ClusterRemoved):
            return event
        now = self._now()
        if not policy.sees_cluster(actor, event.cluster, now=now):
            return None
        return replace(event, cluster=policy.cluster_seen_by(actor, event.cluster, now=now))


def _lost(event: ClusterEvent) -> ClusterRemoved:
    """A change of a cluster, for somebody who does not see it any more."""
    if isinstance(event, ClusterRemoved):
        return event
    return ClusterRemoved(
        stream=event.stream, seq=event.seq, at=event.at, cluster_id=event.cluster.id
    )


def _removed(event: ClusterEvent) -> EndReason | None:
    return EndReason.DELETED if isinstance(event, ClusterRemoved) else None
