"""What is to be done where, looked up and checked against who asks, before any cluster is asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.documents.clusters import ClusterStore
from app.documents.inventories import InventoryStore
from app.documents.versions import VersionStore
from app.documents.workflows import WorkflowStore
from app.domain import policy
from app.domain.canvas import Canvas
from app.domain.cluster import Cluster
from app.domain.deploying import PlanDraft
from app.domain.errors import Conflict, Forbidden, Invalid, NotFound
from app.domain.ids import Id
from app.domain.inventory import Inventory
from app.domain.planning import Consents
from app.domain.policy import ClusterAction, WorkflowAction
from app.domain.run import RunKind
from app.domain.user import Actor
from app.domain.workflow import Workflow, WorkflowRow

ACTIONS: Mapping[RunKind, WorkflowAction] = {
    RunKind.DEPLOY: WorkflowAction.DEPLOY,
    RunKind.ROLLBACK: WorkflowAction.DEPLOY,
    RunKind.UNDEPLOY: WorkflowAction.UNDEPLOY,
}
"""What each kind of run is to a workflow."""
_FROM_EARLIER = (
    "What an earlier run has made there would be deleted: ask the cluster's owner to let you "
    "deploy there again, or somebody who may to undeploy the workflow."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What is to become of a workflow on a cluster.

    `canvas` is what shall be there: of an undeploy the empty one. `inventory` is what earlier runs
    made there. `version` is the one that a rollback goes to.
    """

    workflow: Workflow
    cluster: Cluster
    namespace: str
    kind: RunKind
    version: int | None
    canvas: Canvas
    consents: Consents
    inventory: Inventory | None


class Aiming:
    """Finds out what a draft means."""

    def __init__(
        self,
        *,
        workflows: WorkflowStore,
        versions: VersionStore,
        clusters: ClusterStore,
        inventories: InventoryStore,
        now: Callable[[], datetime],
    ) -> None:
        self._workflows = workflows
        self._versions = versions
        self._clusters = clusters
        self._inventories = inventories
        self._now = now

    async def workflow(self, actor: Actor, workflow_id: Id) -> Workflow:
        """The workflow, if it is the caller's to see. Raises NotFound."""
        workflow = await self._workflows.get(workflow_id)
        if workflow is None or workflow.deleted_at or not policy.sees_workflow(actor, workflow):
            raise NotFound("workflow", path=["workflowId"])
        return workflow

    async def aim(self, actor: Actor, draft: PlanDraft, workflow: Workflow) -> Aim:
        """What the draft means for the workflow, which the caller sees.

        Raises NotFound (cluster, version), Forbidden, Invalid, and Conflict for an undeploy when
        nothing is deployed.
        """
        inventories = await self._inventories.of_workflows([workflow.id])
        removes = draft.kind is RunKind.UNDEPLOY
        cluster_id = draft.cluster_id or (
            _deployed_on(workflow, inventories) if removes else workflow.cluster_id
        )
        check_action(actor, draft.kind, workflow, cluster_id)
        cluster = await self._cluster(actor, cluster_id)
        found = [one for one in inventories if one.cluster_id == cluster.id]
        inventory = found[0] if found else None
        if removes and (inventory is None or not inventory.entries):
            raise Conflict("Nothing of this workflow is deployed on this cluster.")
        own = inventory.namespace if removes and inventory is not None else workflow.namespace
        namespace = draft.namespace or own
        if removes:
            check_earlier(actor, cluster, [namespace], now=self._now())
        else:
            policy.deploys_in(actor, cluster, [namespace], now=self._now()).enforce()
        return Aim(
            workflow=workflow,
            cluster=cluster,
            namespace=namespace,
            kind=draft.kind,
            version=draft.version,
            canvas=await self._canvas(workflow, draft),
            consents=draft.consents,
            inventory=inventory,
        )

    async def administers(self, actor: Actor, cluster_id: Id) -> bool:
        """Whether the caller has the cluster, or all of it is shared with them as ADMIN."""
        cluster = await self._clusters.get(cluster_id)
        if cluster is None:
            return False
        return policy.on_cluster(actor, ClusterAction.ADMINISTER, cluster, now=self._now()).allowed

    async def _cluster(self, actor: Actor, cluster_id: Id | None) -> Cluster:
        cluster = await self._clusters.get(cluster_id) if cluster_id is not None else None
        if cluster is None or not policy.sees_cluster(actor, cluster, now=self._now()):
            raise NotFound("cluster", path=["clusterId"])
        return cluster

    async def _canvas(self, workflow: Workflow, draft: PlanDraft) -> Canvas:
        if draft.kind is not RunKind.ROLLBACK:
            if draft.version is not None:
                raise Invalid.field(["version"], "Only a rollback goes to a version: leave it out.")
            return workflow.canvas if draft.kind is RunKind.DEPLOY else Canvas()
        if draft.version is None:
            raise Invalid.field(["version"], "Say which version to go back to.", "REQUIRED")
        version = await self._versions.get(workflow.id, draft.version)
        if version is None:
            raise NotFound("version", path=["version"])
        return version.canvas


def check_action(actor: Actor, kind: RunKind, workflow: WorkflowRow, cluster_id: Id | None) -> None:
    """Raises Forbidden unless the caller may do this to the workflow, on this cluster."""
    there = workflow.model_copy(update={"cluster_id": cluster_id})
    policy.on_workflow(actor, ACTIONS[kind], there).enforce()


def check_earlier(
    actor: Actor, cluster: Cluster, namespaces: Iterable[str | None], *, now: datetime
) -> None:
    """Raises Forbidden unless the caller may remove what earlier runs have made there."""
    decision = policy.deploys_in(actor, cluster, namespaces, now=now)
    if not decision.allowed:
        raise Forbidden(f"{decision.reason} {_FROM_EARLIER}")


def _deployed_on(workflow: WorkflowRow, inventories: Sequence[Inventory]) -> Id | None:
    """The cluster that an undeploy means, when it names none. Raises Invalid, Conflict."""
    places = [one.cluster_id for one in inventories if one.entries]
    if not places:
        raise Conflict("Nothing of this workflow is deployed.")
    if workflow.cluster_id in places:
        return workflow.cluster_id
    if len(places) > 1:
        message = "The workflow is deployed on several clusters: say on which one."
        raise Invalid.field(["clusterId"], message, "REQUIRED")
    return places[0]
