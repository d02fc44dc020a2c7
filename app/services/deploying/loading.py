"""What a run is made of, read again by whoever does it; and whether it may be done still."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from app.documents.clusters import ClusterStore
from app.documents.inventories import InventoryStore
from app.documents.plans import plan_of
from app.documents.runs import RunStore
from app.documents.users import UserStore
from app.documents.versions import VersionStore
from app.documents.work import Work
from app.domain import policy
from app.domain.cluster import Cluster
from app.domain.compile import compile as compile_canvas
from app.domain.manifest import Manifest
from app.domain.run import RunKind, WorkflowRun
from app.domain.user import Actor
from app.services.deploying.compiling import beside
from app.services.deploying.targets import Outdated, Targets


class Refused(Exception):
    """The run cannot be done; says why in a sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, and where. `places` are the namespaces of the objects, as the cluster
    sees them; None stands for those of the whole cluster."""

    cluster: Cluster
    targets: Targets
    places: frozenset[str | None]


class Loading:
    """Reads what a worker needs. Raises pymongo's errors."""

    def __init__(
        self,
        *,
        runs: RunStore,
        versions: VersionStore,
        clusters: ClusterStore,
        users: UserStore,
        inventories: InventoryStore,
        now: Callable[[], datetime],
    ) -> None:
        self._runs = runs
        self._versions = versions
        self._clusters = clusters
        self._users = users
        self._inventories = inventories
        self._now = now

    async def run(self, work: Work) -> WorkflowRun | None:
        """The run as people see it."""
        return await self._runs.get(work.run_id)

    async def job(self, run: WorkflowRun, work: Work) -> Job:
        """The objects of the run. Raises Refused."""
        cluster = await self.cluster(run)
        manifests = await self._manifests(run, work)
        try:
            targets = Targets(plan_of(work.plan), manifests, work.done)
        except Outdated as error:
            raise Refused(
                f"The server was changed since this was planned, and would make {error} otherwise. "
                "Plan again."
            ) from error
        inventory = await self._inventories.get(run.workflow_id, run.cluster_id)
        known = {entry.place for entry in inventory.entries} if inventory is not None else set()
        places = targets.namespaces | known
        await self.check(run, cluster, places)
        return Job(cluster, targets, places)

    def seconds_until(self, ends: datetime | None) -> float | None:
        """From now; None when it never ends."""
        return None if ends is None else max((ends - self._now()).total_seconds(), 0.0)

    async def cluster(self, run: WorkflowRun) -> Cluster:
        """The run's cluster as it is now. Raises Refused."""
        cluster = await self._clusters.get(run.cluster_id)
        if cluster is None:
            raise Refused("The cluster was removed.")
        return cluster

    async def _manifests(self, run: WorkflowRun, work: Work) -> list[Manifest]:
        if run.kind is RunKind.UNDEPLOY:
            return []
        version = await self._versions.get(run.workflow_id, run.version)
        if version is None:
            raise Refused(f"There is no version {run.version} of the workflow any more.")
        canvas = version.canvas
        return await beside(
            len(canvas.nodes),
            lambda: compile_canvas(
                canvas,
                workflow_id=run.workflow_id,
                workflow_name=work.workflow_name,
                namespace=run.namespace,
            ),
        )

    async def check(
        self, run: WorkflowRun, cluster: Cluster, places: Collection[str | None]
    ) -> datetime | None:
        """Raises Refused unless who started it may still deploy there; when that ends by itself."""
        users = await self._users.by_ids([run.started_by])
        if not users:
            raise Refused("The account that started the run is gone.")
        actor, now = Actor(users[0], session_id=run.id), self._now()
        decision = policy.deploys_in(actor, cluster, places, now=now)
        if not decision.allowed:
            raise Refused(f"Who started the run may not deploy there any more. {decision.reason}")
        ends = [share.expires_at for share in cluster.shared_with if share.user_id == actor.id]
        return ends[0] if ends and cluster.owner_id != actor.id else None
