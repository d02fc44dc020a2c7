"""Where a node is on a cluster, and whether the caller may look there.

What the runs of a workflow made is in its inventory, with the node whose it was: so a node that is
not on the canvas any more can be looked at as long as something of it is left.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from app.documents.clusters import ClusterStore
from app.documents.inventories import InventoryStore
from app.documents.workflows import WorkflowStore
from app.domain import labels, policy
from app.domain.cluster import Cluster
from app.domain.diagnosing import looks
from app.domain.errors import NotFound
from app.domain.ids import Id
from app.domain.inventory import Inventory
from app.domain.planning import InventoryEntry
from app.domain.user import Actor
from app.domain.workflow import WorkflowRow


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A node's objects on a cluster that the caller may look at.

    `namespaces` are those of the objects. `held_to` are the namespaces that the caller is held to;
    none means that they may look at what belongs to the whole cluster too.
    """

    cluster: Cluster
    entries: tuple[InventoryEntry, ...]
    namespaces: tuple[str, ...]
    held_to: tuple[str, ...]
    selector: str
    """Fits the pods of the node."""


class Finder:
    """Finds nodes for callers."""

    def __init__(
        self,
        *,
        inventories: InventoryStore,
        workflows: WorkflowStore,
        clusters: ClusterStore,
        now: Callable[[], datetime],
    ) -> None:
        self._inventories = inventories
        self._workflows = workflows
        self._clusters = clusters
        self._now = now

    async def find(self, actor: Actor, workflow: WorkflowRow, node_id: str) -> Whereabouts | None:
        """Where the node is; None when nothing of it is deployed.

        Raises NotFound for a workflow, node or cluster that is not there or not the caller's to
        see, and Forbidden for namespaces that are not shared with them.
        """
        if not policy.sees_workflow(actor, workflow):
            raise NotFound("workflow", path=["workflowId"])
        found = _chosen(await self._inventories.of_workflows([workflow.id]), workflow, node_id)
        if found is None:
            whole = await self._workflows.get(workflow.id)
            if whole is None or node_id not in whole.nodes:
                raise NotFound("node", path=["nodeId"])
            return None
        cluster = await self.cluster(actor, found.cluster_id)
        if cluster is None:
            raise NotFound("cluster")
        entries = tuple(entry for entry in found.entries if entry.node_id == node_id)
        names = dict.fromkeys(entry.key.namespace for entry in entries)
        namespaces = tuple(name for name in names if name is not None)
        now = self._now()
        policy.looks_in(actor, cluster, _places(entries), now=now).enforce()
        held_to = tuple(policy.namespaces_of(actor, cluster, now=now))
        own = {labels.NODE_ID: labels.of_id(node_id), labels.WORKFLOW_ID: labels.of_id(workflow.id)}
        return Whereabouts(cluster, entries, namespaces, held_to, looks.equal(own))

    async def cluster(self, actor: Actor, cluster_id: Id) -> Cluster | None:
        """The cluster, unless it is gone or not the caller's to see."""
        cluster = await self._clusters.get(cluster_id)
        if cluster is None or not policy.sees_cluster(actor, cluster, now=self._now()):
            return None
        return cluster

    async def still(self, actor: Actor, where: Whereabouts) -> Cluster | None:
        """The cluster as it is now, if the caller may still look where they did."""
        cluster = await self.cluster(actor, where.cluster.id)
        if cluster is None:
            return None
        seen = policy.looks_in(actor, cluster, _places(where.entries), now=self._now())
        return cluster if seen.allowed else None


def _places(entries: Iterable[InventoryEntry]) -> set[str | None]:
    return {entry.place for entry in entries}


def _chosen(inventories: list[Inventory], workflow: WorkflowRow, node_id: str) -> Inventory | None:
    """The inventory that has the node: of the workflow's own cluster, else the last changed."""
    having = [
        each for each in inventories if any(entry.node_id == node_id for entry in each.entries)
    ]
    own = (each for each in having if each.cluster_id == workflow.cluster_id)
    return next(own, having[0] if having else None)
