"""Workflows whose objects are on a cluster as a run would have left them, and who looks at them."""

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from app.bootstrap import utc_now
from app.documents.clusters import ClusterStore
from app.documents.inventories import InventoryStore
from app.documents.workflows import WorkflowStore
from app.domain.cluster import Cluster as Known
from app.domain.compile import compile as compile_canvas
from app.domain.editing import EdgeDraft, NodeDraft
from app.domain.inspecting import CheckOutcome, Diagnosis, PodSeen
from app.domain.planning import InventoryEntry, ObjectKey
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.kube.logsources import LogRhythm
from app.metrics import Metrics
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox
from app.services import Services
from app.services.inspecting import Inspecting
from app.services.welcome import Welcome
from tests.deploying import There, on_sandbox, parts, published
from tests.kubernetes.asking import ok

QUICK = LogRhythm(quiet=30, pause=0.02, longest=0.1, trouble=5)


@asynccontextmanager
async def inspecting(services: Services) -> AsyncIterator[Inspecting]:
    """What looks closer, with a hub of its own on the services' database."""
    behind = parts(services)
    hub = Hub(Outbox(behind.database.raw), ring_size=64, ring_bytes=2**20, metrics=Metrics())
    workflows = WorkflowStore()
    async with hub.running():
        yield Inspecting(
            inventories=InventoryStore(),
            workflows=workflows,
            clusters=ClusterStore(),
            connect=behind.connect,
            hub=hub,
            welcome=Welcome(hub=hub, workflows=workflows),
            now=utc_now,
            rhythm=QUICK,
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """A workflow whose objects are on a cluster, and who looks at it."""

    services: Services
    owner: Actor
    there: There
    workflow: Workflow
    looking: Inspecting

    async def diagnosis(self, node_id: str) -> Diagnosis:
        return await self.looking.diagnose(self.owner, self.workflow, node_id)

    async def pods(self, node_id: str) -> list[PodSeen]:
        return await self.looking.pods(self.owner, self.workflow, node_id)

    async def until_check(
        self, node_id: str, name: str, outcome: CheckOutcome, says: str = ""
    ) -> Diagnosis:
        """Looks again whenever a pod changed, until a check has come to this outcome."""
        api = self.there.api
        async with api.watch("Pod") as watch:
            while True:
                found = await self.diagnosis(node_id)
                check = {each.name: each for each in found.checks}[name]
                if check.outcome is outcome and says in check.message:
                    return found
                try:
                    await watch.next()
                except TimeoutError:
                    raise AssertionError(f"{name} stayed as it is: {check}") from None


async def place(
    services: Services,
    owner: Actor,
    there: There,
    looking: Inspecting,
    *parts_: NodeDraft | EdgeDraft,
    values: Mapping[str, str] | None = None,
    leave_out: Sequence[str] = (),
) -> Placed:
    """Applies what the nodes come to, and writes it into the inventory.

    `values` go into every Secret that lacks some; kinds in `leave_out` are only written down.
    """
    workflow = await published(
        services,
        owner,
        there,
        nodes=[each for each in parts_ if isinstance(each, NodeDraft)],
        edges=[each for each in parts_ if isinstance(each, EdgeDraft)],
    )
    manifests = compile_canvas(
        workflow.canvas,
        workflow_id=workflow.id,
        workflow_name=workflow.name,
        namespace=there.namespace,
    )
    entries = []
    for manifest in manifests:
        uid = None
        if manifest.kind not in leave_out:
            live = await _applied(there, manifest.object)
            uid = live["metadata"]["uid"]
            if manifest.keys and values:
                data = {key: base64.b64encode(values[key].encode()).decode() for key in values}
                body: dict[str, Any] = {"data": data}
                ok(await there.api.patch("Secret", manifest.name, body=body))
        entries.append(InventoryEntry(ObjectKey.of_manifest(manifest), uid, manifest.node_id))
    await note(services, workflow, there.known, entries)
    return Placed(services, owner, there, workflow, looking)


async def note(
    services: Services, workflow: Workflow, cluster: Known, entries: Sequence[InventoryEntry]
) -> None:
    """Writes an inventory, in place of the one before."""

    async def work(transaction: Any) -> None:
        await InventoryStore().put(
            workflow.id,
            cluster.id,
            namespace=workflow.namespace,
            entries=entries,
            now=utc_now(),
            transaction=transaction,
        )

    await parts(services).database.transaction(work)


async def _applied(there: There, obj: dict[str, Any]) -> dict[str, Any]:
    answer = await there.api.apply(obj, "kubeorch")
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


@asynccontextmanager
async def all_there(services: Services, owner: Actor) -> AsyncIterator[tuple[There, Inspecting]]:
    """A sandbox cluster, and what looks closer."""
    async with AsyncExitStack() as stack:
        there = await stack.enter_async_context(on_sandbox(services, owner))
        yield there, await stack.enter_async_context(inspecting(services))
