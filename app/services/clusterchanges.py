"""How a cluster changes: read, decide, write and tell, in one transaction.

What is decided on is read in the transaction, so when somebody else was faster MongoDB has it done
again on what they made of it.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from app.documents.clusters import ClusterStore, DefaultTaken
from app.documents.database import Database, Transaction
from app.domain import policy
from app.domain.cluster import Cluster
from app.domain.errors import Conflict, NotFound
from app.domain.ids import Id
from app.domain.policy import ClusterAction
from app.domain.user import Actor
from app.services.clustertelling import ClusterTelling

T = TypeVar("T")


class ClusterChanges:
    """Makes changes to clusters."""

    def __init__(
        self,
        *,
        database: Database,
        clusters: ClusterStore,
        telling: ClusterTelling,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._clusters = clusters
        self._telling = telling
        self._now = now

    async def make(
        self,
        actor: Actor,
        cluster_id: Id,
        action: ClusterAction,
        decide: Callable[[Cluster], Mapping[str, Any]],
    ) -> Cluster:
        """The cluster with the fields that `decide` answers; with none, it stays as it is.

        Raises NotFound, Forbidden (the action), and what `decide` raises.
        """

        async def work(transaction: Transaction) -> Cluster:
            before = await self.open(actor, cluster_id, action, transaction)
            fields = decide(before)
            return await self.write(actor, before, fields, transaction) if fields else before

        return await self.transaction(work)

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work`, which may run several times, in a transaction."""
        try:
            return await self._database.transaction(work)
        except DefaultTaken:
            raise Conflict("Too many changes of the default cluster at once. Try again.") from None

    async def open(
        self,
        actor: Actor,
        cluster_id: Id,
        action: ClusterAction,
        transaction: Transaction | None = None,
    ) -> Cluster:
        """The cluster, for whom may do this. Raises NotFound, and Forbidden with the reason."""
        cluster = await self._clusters.get(cluster_id, transaction=transaction)
        now = self._now()
        if cluster is None or not policy.sees_cluster(actor, cluster, now=now):
            raise NotFound("cluster", path=["clusterId"])
        policy.on_cluster(actor, action, cluster, now=now).enforce()
        return cluster

    async def write(
        self, actor: Actor, before: Cluster, fields: Mapping[str, Any], transaction: Transaction
    ) -> Cluster:
        """Writes the changed cluster and tells of it."""
        after = before.model_copy(
            update={**fields, "updated_at": self._now(), "seq": before.seq + 1}
        )
        await self._clusters.record(after, transaction=transaction)
        await self._telling.changed(before, after, actor_id=actor.id, transaction=transaction)
        return after

    async def insert(self, actor: Actor, cluster: Cluster, transaction: Transaction) -> None:
        """Writes a new cluster and tells of it. Raises NameTaken."""
        await self._clusters.insert(cluster, transaction)
        await self._telling.changed(None, cluster, actor_id=actor.id, transaction=transaction)

    async def delete(self, actor: Actor, cluster: Cluster, transaction: Transaction) -> None:
        """Deletes a cluster and tells of it."""
        await self._clusters.delete(cluster.id, transaction=transaction)
        await self._telling.removed(cluster, actor_id=actor.id, transaction=transaction)

    async def take_default(self, actor: Actor, owner_id: Id, transaction: Transaction) -> None:
        """Leaves the owner without a default, so that another cluster can become it."""
        before = await self._clusters.default_of(owner_id, transaction=transaction)
        if before is not None:
            await self.write(actor, before, {"default": False}, transaction)
