"""How a run comes to be: its version, its work, what it makes, who asked; all of it or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from app.documents.database import Transaction, new_id
from app.documents.plans import work_text
from app.domain.audit import AuditAction, AuditEntry
from app.domain.errors import Conflict
from app.domain.manifest import Identity
from app.domain.planning import InventoryEntry, Plan, PlanAction, PlannedObject
from app.domain.run import RunKind, RunStatus, WorkflowRun, nodes_of
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services.changing import Change, Changed, VersionDraft
from app.services.deploying.aiming import check_action
from app.services.deploying.committing import Ledgers
from app.services.deploying.planning import Made
from app.services.deploying.values import Filled

_AUDITED: Mapping[RunKind, AuditAction] = {
    RunKind.DEPLOY: AuditAction.WORKFLOW_DEPLOYED,
    RunKind.ROLLBACK: AuditAction.WORKFLOW_ROLLED_BACK,
    RunKind.UNDEPLOY: AuditAction.WORKFLOW_UNDEPLOYED,
}


class WorkflowMoved(Exception):
    """The workflow has another revision than the one that was planned."""

    def __init__(self, workflow: Workflow) -> None:
        super().__init__(workflow.id)
        self.workflow = workflow


class KeyTaken(Exception):
    """The caller has used this idempotency key already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run that is asked for. `request` is its idempotency key, with the digest of what came."""

    made: Made
    filled: Mapping[Identity, Filled]
    message: str | None
    request: tuple[str, str] | None


def active(run_id: str) -> Conflict:
    """What is said of a second run."""
    return Conflict(
        f"The run {run_id} of this workflow has not ended. Wait for it, or cancel it first."
    )


class Queue:
    """Adds runs. A worker of any process takes them from there."""

    def __init__(self, *, ledgers: Ledgers, now: Callable[[], datetime]) -> None:
        self._ledgers = ledgers
        self._now = now

    async def add(self, actor: Actor, asked: Asked) -> WorkflowRun:
        """The run, QUEUED.

        Raises WorkflowMoved when the canvas has to be compiled again; KeyTaken; Conflict when
        another run is active or was meanwhile; and what stands in the way of changing a workflow.
        """
        adding = _Adding(self._ledgers, actor, asked, self._now())
        workflow_id = asked.made.aim.workflow.id
        try:
            await self._ledgers.changes.make(actor, workflow_id, adding.decide, also=adding.write)
        except DuplicateKeyError as error:
            if "request_key" in (error.details or {}).get("keyPattern", {}):
                raise KeyTaken from None
            run_id = await self._ledgers.work.active_run(workflow_id)
            raise active(run_id or "that was active a moment ago") from None
        return adding.run


class _Adding:
    """One run on its way into the database."""

    def __init__(self, ledgers: Ledgers, actor: Actor, asked: Asked, now: datetime) -> None:
        self._ledgers = ledgers
        self._actor = actor
        self._asked = asked
        self._aim = asked.made.aim
        self._now = now
        self._id = new_id()
        self._shown = shown(asked.made.plan, asked.filled)
        self.run: WorkflowRun

    def decide(self, workflow: Workflow) -> Change:
        """What becomes of the workflow."""
        aim = self._aim
        check_action(self._actor, aim.kind, workflow, aim.cluster.id)
        marks, counts = {"last_run_at": self._now}, {"run_count": 1}
        if aim.kind is RunKind.UNDEPLOY:
            return Change(marks=marks, counts=counts)
        if workflow.revision != aim.workflow.revision:
            raise WorkflowMoved(workflow)
        version = VersionDraft(
            description=self._asked.message or "",
            restored_from=aim.version,
            automatic=True,
            canvas=aim.canvas if aim.kind is RunKind.ROLLBACK else None,
            run_id=self._id,
        )
        return Change(version=version, marks=marks, counts=counts)

    async def write(self, changed: Changed, transaction: Transaction) -> None:
        """Everything else."""
        aim, ledgers, workflow = self._aim, self._ledgers, changed.workflow
        before = await ledgers.work.active_run(workflow.id, transaction)
        if before is not None:
            raise active(before)
        there = await ledgers.inventories.get(workflow.id, aim.cluster.id, transaction)
        if there != aim.inventory:
            raise Conflict("Another run has ended meanwhile. Plan again, or send it once more.")
        run = self._made(changed)
        await ledgers.runs.insert(run, transaction, request=self._asked.request)
        await ledgers.work.add(
            run.id,
            workflow_id=workflow.id,
            cluster_id=aim.cluster.id,
            workflow_name=workflow.name,
            plan=work_text(for_worker(self._shown, self._asked.filled)),
            due_at=self._now,
            transaction=transaction,
        )
        await ledgers.inventories.put(
            workflow.id,
            aim.cluster.id,
            namespace=aim.namespace,
            entries=entries(self._asked.made.plan, self._asked.filled),
            now=self._now,
            transaction=transaction,
        )
        await ledgers.audits.append(self._entry(run), transaction)
        self.run = run

    def _made(self, changed: Changed) -> WorkflowRun:
        aim = self._aim
        version = changed.version.number if changed.version is not None else None
        removed = aim.inventory.version if aim.inventory is not None else None
        return WorkflowRun(
            id=self._id,
            workflow_id=aim.workflow.id,
            cluster_id=aim.cluster.id,
            namespace=aim.namespace,
            version=version or removed or changed.workflow.current_version,
            kind=aim.kind,
            status=RunStatus.QUEUED,
            message=self._asked.message,
            started_by=self._actor.id,
            created_at=self._now,
            nodes=nodes_of(self._shown, also=list(aim.canvas.nodes), now=self._now),
        )

    def _entry(self, run: WorkflowRun) -> AuditEntry:
        consents, summary = self._aim.consents, self._shown.summary
        return AuditEntry(
            id=new_id(),
            at=self._now,
            actor_id=self._actor.id,
            action=_AUDITED[run.kind],
            workflow_id=run.workflow_id,
            cluster_id=run.cluster_id,
            run_id=run.id,
            details={
                "version": run.version,
                "rolled_back_to": self._aim.version,
                "namespace": run.namespace,
                "plan_hash": self._asked.made.plan.hash,
                "create": summary.create,
                "update": summary.update,
                "replace": summary.replace,
                "delete": summary.delete,
                "delete_data": consents.delete_data,
                "adopts": consents.adopt is not False,
                "takes_over": consents.take_over is not False,
                "values": any(one.written for one in self._asked.filled.values()),
            },
        )


def shown(plan: Plan, filled: Mapping[Identity, Filled]) -> Plan:
    """The plan as people see it in the run: a Secret that had its values already is not written."""

    def settled(one: PlannedObject) -> PlannedObject:
        done = filled.get(one.key.identity)
        if done is None or done.written or one.frame_action is None:
            return one
        return replace(one, action=one.frame_action, frame_action=None, values=False)

    return replace(plan, objects=tuple(map(settled, plan.objects))) if filled else plan


def for_worker(plan: Plan, filled: Mapping[Identity, Filled]) -> Plan:
    """What is left to do: a Secret that was made anew with its values is there already."""

    def left(one: PlannedObject) -> PlannedObject:
        done = filled.get(one.key.identity)
        if done is None or not done.written or done.uid is None:
            return one
        remade = one.action is PlanAction.REPLACE
        return replace(one, uid=done.uid, action=PlanAction.UPDATE if remade else one.action)

    return replace(plan, objects=tuple(map(left, plan.objects))) if filled else plan


def entries(plan: Plan, filled: Mapping[Identity, Filled]) -> list[InventoryEntry]:
    """The inventory from now on: what the run makes, what it has yet to remove, what stays."""
    made = [InventoryEntry(one.key, _uid(one, filled), one.node_id) for one in plan.objects]
    return [*made, *plan.kept]


def _uid(one: PlannedObject, filled: Mapping[Identity, Filled]) -> str | None:
    done = filled.get(one.key.identity)
    return done.uid if done is not None and done.uid is not None else one.uid
