"""Plans that somebody looked at, to be looked at again."""

from collections.abc import Callable
from datetime import datetime

from app.documents.clusters import ClusterStore
from app.documents.plans import PlanStore
from app.documents.workflows import WorkflowStore
from app.domain import policy
from app.domain.ids import Id
from app.domain.policy import ClusterAction
from app.domain.stored_plan import StoredPlan
from app.domain.user import Actor


class Plans:
    """Look-ups of plans. A plan tells what is on a cluster: who may not look there, sees none."""

    def __init__(
        self,
        *,
        store: PlanStore,
        workflows: WorkflowStore,
        clusters: ClusterStore,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._workflows = workflows
        self._clusters = clusters
        self._now = now

    async def get(self, actor: Actor, plan_id: Id) -> StoredPlan | None:
        """The plan, as long as it can be deployed and the caller may see what it is about."""
        stored = await self._store.get(plan_id)
        if stored is None or stored.expires_at <= self._now():
            return None
        rows = await self._workflows.rows([stored.workflow_id])
        if not any(policy.sees_workflow(actor, row) for row in rows):
            return None
        return stored if await self._looks_at(actor, stored) else None

    async def _looks_at(self, actor: Actor, stored: StoredPlan) -> bool:
        """Whether the caller may see every namespace that the plan is about."""
        now = self._now()
        cluster = await self._clusters.get(stored.cluster_id)
        if cluster is None or not policy.sees_cluster(actor, cluster, now=now):
            return False
        if not policy.namespaces_of(actor, cluster, now=now):
            return True
        objects = {one.key.namespace or "" for one in stored.plan.objects}
        return all(
            policy.on_cluster(
                actor, ClusterAction.VIEW, cluster, now=now, namespace=namespace
            ).allowed
            for namespace in objects | {stored.namespace}
        )
