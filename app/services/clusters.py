"""Clusters: which of them a person sees."""

from collections.abc import Callable, Sequence
from datetime import datetime

from app.documents.clusters import ClusterStore
from app.domain import policy
from app.domain.cluster import Cluster
from app.domain.ids import Id
from app.domain.user import Actor


class Clusters:
    """What people do with clusters."""

    def __init__(self, *, store: ClusterStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def get(self, actor: Actor, cluster_id: Id) -> Cluster | None:
        """The cluster, unless it is not the caller's to see."""
        return (await self.by_ids(actor, [cluster_id])).get(cluster_id)

    async def by_ids(self, actor: Actor, ids: Sequence[Id]) -> dict[Id, Cluster]:
        """Those of the clusters that the caller sees."""
        now = self._now()
        return {
            cluster.id: cluster
            for cluster in await self._store.by_ids(ids)
            if policy.cluster_role(actor, cluster, now=now) is not None
        }
