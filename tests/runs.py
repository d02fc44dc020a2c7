"""Runs without a worker: a test says what happens in them, and their streams tell it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.documents.database import Transaction, new_id
from app.documents.runs import RunStore
from app.domain.ids import Id
from app.domain.planning import PlanAction
from app.domain.run import NodeState, RunNode, RunObject, RunStatus, WorkflowRun
from app.domain.runevents import (
    LogLevel,
    RunChanged,
    RunEvent,
    RunFinished,
    RunLog,
    RunNodeChanged,
)
from app.domain.user import Actor
from app.domain.workflow import WorkflowRow
from app.services import Services
from app.services.runtelling import run_event
from tests.deploying import parts


def now() -> datetime:
    """As exact as it is kept."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def run_of(workflow: WorkflowRow, actor: Actor, **more: Any) -> WorkflowRun:
    """A queued run of a workflow with one node, `web`."""
    moment = now()
    obj = RunObject(
        api_version="apps/v1",
        kind="Deployment",
        namespace="default",
        name="web",
        action=PlanAction.CREATE,
    )
    fields = {
        "id": new_id(),
        "workflow_id": workflow.id,
        "cluster_id": workflow.cluster_id or new_id(),
        "namespace": "default",
        "version": 1,
        "status": RunStatus.QUEUED,
        "started_by": actor.id,
        "created_at": moment,
        "nodes": [RunNode(node_id="web", updated_at=moment, objects=[obj])],
    }
    return WorkflowRun(**fields | more)


@dataclass
class Told:
    """A run whose story a test tells. `run` is as it is stored."""

    services: Services
    run: WorkflowRun
    store: RunStore = field(default_factory=RunStore)

    @property
    def id(self) -> Id:
        return self.run.id

    async def begin(self) -> None:
        self.run = self.run.model_copy(update={"status": RunStatus.RUNNING, "started_at": now()})
        await self._tell(RunChanged, with_run=True)

    async def node(self, state: NodeState, **more: Any) -> None:
        """Its only node moves."""
        update = {"state": state, "updated_at": now(), **more}
        node = self.run.nodes[0].model_copy(update=update)
        self.run = self.run.model_copy(update={"nodes": [node]})
        await self._tell(RunNodeChanged, node_state=node)

    async def log(self, text: str) -> None:
        await self._tell(RunLog, level=LogLevel.INFO, text=text, node_id=None)

    async def finish(self, status: RunStatus = RunStatus.COMPLETED, **more: Any) -> None:
        update = {"status": status, "completed_at": now(), **more}
        self.run = self.run.model_copy(update=update)
        await self._tell(RunFinished, with_run=True)

    async def _tell(self, type_: type[RunEvent], *, with_run: bool = False, **payload: Any) -> None:
        seq = self.run.seq + 1
        self.run = self.run.model_copy(update={"seq": seq})
        whole = {"run": self.run} if with_run else payload
        event = run_event(self.run.id, seq, type_, whole, at=now())
        behind = parts(self.services)

        async def work(transaction: Transaction) -> None:
            await self.store.replace(self.run, transaction)
            await behind.outbox.append(event, transaction)

        await behind.database.transaction(work)


async def started(services: Services, workflow: WorkflowRow, actor: Actor, **more: Any) -> Told:
    """A run that is queued."""
    run = run_of(workflow, actor, **more)
    await RunStore().insert(run)
    return Told(services, run)
