"""Telling of a cluster: in its own stream, and in that of everybody who sees it.

Each person has a stream of all their clusters, so that a list on a screen needs one subscription
and never learns of anybody else's. It is written for each of them, because what happens to clusters
is rare and people who share one are few.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from app.documents.database import Transaction, encode
from app.documents.feeds import FeedStore
from app.domain.cluster import Cluster
from app.domain.events import (
    ClusterRemoved,
    ClusterStatusChanged,
    Event,
    cluster_stream,
    clusters_stream,
)
from app.domain.ids import Id
from app.realtime.outbox import Outbox

_CHANGED = "ClusterStatusChanged"
_REMOVED = "ClusterRemoved"


class ClusterTelling:
    """Writes what happens to clusters, in the transaction that it happens in."""

    def __init__(self, *, outbox: Outbox, feeds: FeedStore, now: Callable[[], datetime]) -> None:
        self._outbox = outbox
        self._feeds = feeds
        self._now = now

    async def changed(
        self,
        before: Cluster | None,
        after: Cluster,
        *,
        actor_id: Id | None,
        transaction: Transaction,
    ) -> None:
        """`after` is what a write has made of `before`; it also moved the cluster's `seq`."""
        entry = _Entry(_CHANGED, {"cluster": encode(after)}, actor_id, self._now())
        await self._outbox.append(entry.at(cluster_stream(after.id), after.seq), transaction)
        people = _people(after)
        await self._tell_people(people, entry, transaction)
        lost = _people(before) - people if before is not None else set()
        gone = _Entry(_REMOVED, {"cluster_id": after.id}, actor_id, entry.when)
        await self._tell_people(lost, gone, transaction)

    async def removed(
        self, before: Cluster, *, actor_id: Id | None, transaction: Transaction
    ) -> None:
        """`before` does not exist any more."""
        gone = _Entry(_REMOVED, {"cluster_id": before.id}, actor_id, self._now())
        stream = cluster_stream(before.id)
        await self._outbox.append(gone.at(stream, before.seq + 1), transaction)
        await self._tell_people(_people(before), gone, transaction)

    async def _tell_people(
        self, people: set[Id], entry: "_Entry", transaction: Transaction
    ) -> None:
        for person in sorted(people):
            seq = await self._feeds.next(person, transaction)
            await self._outbox.append(entry.at(clusters_stream(person), seq), transaction)


class _Entry:
    """What is told, before it has a place in a stream."""

    def __init__(
        self, type_: str, payload: dict[str, Any], actor_id: Id | None, when: datetime
    ) -> None:
        self._type = type_
        self._payload = payload
        self._actor_id = actor_id
        self.when = when

    def at(self, stream: str, seq: int) -> Event:
        return Event(
            stream=stream,
            seq=seq,
            type=self._type,
            payload=self._payload,
            actor_id=self._actor_id,
            at=self.when,
        )


def _people(cluster: Cluster) -> set[Id]:
    """Who sees it: also those whose share is over, until somebody has noticed."""
    return {cluster.owner_id, *(share.user_id for share in cluster.shared_with)}


def cluster_event_of(event: Event) -> ClusterStatusChanged | ClusterRemoved:
    """What was told, with its place in the stream."""
    if event.type == _REMOVED:
        return ClusterRemoved(
            stream=event.stream,
            seq=event.seq,
            at=event.at,
            cluster_id=Id(event.payload["cluster_id"]),
        )
    return ClusterStatusChanged(
        stream=event.stream,
        seq=event.seq,
        at=event.at,
        cluster=Cluster.model_validate(event.payload["cluster"]),
    )
