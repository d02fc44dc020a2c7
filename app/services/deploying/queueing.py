"""How a run comes to be: its version, its work, what it makes, who asked; all of it or nothing.

Secret values are written before, while the workflow is reserved: of several deploys at once only
the one that becomes a run has written any.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pymongo.errors import DuplicateKeyError, PyMongoError

from app.documents.database import Transaction, new_id
from app.documents.plans import work_text
from app.domain.audit import AuditAction, AuditEntry
from app.domain.errors import Conflict, LimitExceeded
from app.domain.ids import Id
from app.domain.manifest import Identity
from app.domain.planning import InventoryEntry, Plan, PlanAction, PlannedObject
from app.domain.run import RunKind, RunStatus, WorkflowRun, nodes_of
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services.changing import Change, Changed, VersionDraft
from app.services.deploying.aiming import Aim, check_action
from app.services.deploying.committing import Ledgers
from app.services.deploying.planning import Made
from app.services.deploying.values import Filled

_AUDITED: Mapping[RunKind, AuditAction] = {
    RunKind.DEPLOY: AuditAction.WORKFLOW_DEPLOYED,
    RunKind.ROLLBACK: AuditAction.WORKFLOW_ROLLED_BACK,
    RunKind.UNDEPLOY: AuditAction.WORKFLOW_UNDEPLOYED,
}


MOST_RUNS = 50
"""Of one person, queued and active."""
RESERVED_SECONDS = 90
"""How long a workflow is kept for a deploy of which nothing is heard any more; longer than values
may take to be written."""
_LONGEST_NAMES = 2_000


def _check_count(count: int) -> None:
    """Raises LimitExceeded when a person has as many runs as they may."""
    if count >= MOST_RUNS:
        raise LimitExceeded(
            f"You have {count} runs that have not ended, and may have {MOST_RUNS}. Wait for some "
            "of them, or cancel them.",
            limit=MOST_RUNS,
        )


class Preparing(Conflict):
    """Another deploy of the workflow is about to become a run."""

    def __init__(self) -> None:
        super().__init__(
            "Another deploy of this workflow is being prepared. Try again in a moment."
        )


class KeyTaken(Exception):
    """The caller has used this idempotency key already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run that is asked for. `run_id` is from its reservation; `request` is its idempotency key,
    with the digest of what came."""

    run_id: Id
    made: Made
    filled: Mapping[Identity, Filled]
    message: str | None
    request: tuple[str, str] | None


def active(run_id: str) -> Conflict:
    """What is said of a second run."""
    return Conflict(
        f"The run {run_id} of this workflow has not ended. Wait for it, or cancel it first."
    )


def changed_meanwhile() -> Conflict:
    """What is said when something else is deployed by now than was planned with."""
    return Conflict("Another run has ended meanwhile. Plan again, or send it once more.")


class Queue:
    """Adds runs. A worker of any process takes them from there."""

    def __init__(self, *, ledgers: Ledgers, now: Callable[[], datetime]) -> None:
        self._ledgers = ledgers
        self._now = now

    @contextlib.asynccontextmanager
    async def reserved(self, actor: Actor, aim: Aim) -> AsyncIterator[Id]:
        """The id of a run that is to be added: nobody else adds one to the workflow meanwhile.

        Raises Conflict when a run is active, Preparing, and LimitExceeded.
        """
        run_id, works, now = new_id(), self._ledgers.work, self._now()
        is_ours = await works.reserve(
            run_id,
            workflow_id=aim.workflow.id,
            cluster_id=aim.cluster.id,
            started_by=actor.id,
            now=now,
            until=now + timedelta(seconds=RESERVED_SECONDS),
        )
        if not is_ours:
            other = await works.active_run(aim.workflow.id)
            raise active(other) if other is not None else Preparing()
        try:
            # With its own, so that of many at once none is overlooked.
            _check_count(await works.count_of(actor.id) - 1)
            yield run_id
        except BaseException:
            with contextlib.suppress(PyMongoError):
                await works.release(run_id)
            raise

    async def add(self, actor: Actor, asked: Asked) -> WorkflowRun:
        """The run, QUEUED, of the canvas that was planned.

        Raises KeyTaken, and what stands in the way of changing a workflow: it is gone, or not the
        caller's any more.
        """
        adding = _Adding(self._ledgers, actor, asked, self._now())
        workflow_id = asked.made.aim.workflow.id
        try:
            await self._ledgers.changes.make(actor, workflow_id, adding.decide, also=adding.write)
        except DuplicateKeyError:
            raise KeyTaken from None
        return adding.run


class _Adding:
    """One run on its way into the database."""

    def __init__(self, ledgers: Ledgers, actor: Actor, asked: Asked, now: datetime) -> None:
        self._ledgers = ledgers
        self._actor = actor
        self._asked = asked
        self._aim = asked.made.aim
        self._now = now
        self._id = asked.run_id
        self._shown = shown(asked.made.plan, asked.filled)
        self.run: WorkflowRun

    def decide(self, workflow: Workflow) -> Change:
        """What becomes of the workflow."""
        aim = self._aim
        check_action(self._actor, aim.kind, workflow, aim.cluster.id)
        marks, counts = {"last_run_at": self._now}, {"run_count": 1}
        if aim.kind is RunKind.UNDEPLOY:
            return Change(marks=marks, counts=counts)
        version = VersionDraft(
            description=self._asked.message or "",
            restored_from=aim.version,
            automatic=True,
            canvas=aim.canvas,
            run_id=self._id,
        )
        return Change(version=version, marks=marks, counts=counts)

    async def write(self, changed: Changed, transaction: Transaction) -> None:
        """Everything else."""
        aim, ledgers, workflow = self._aim, self._ledgers, changed.workflow
        there = await ledgers.inventories.get(workflow.id, aim.cluster.id, transaction)
        if there != aim.inventory:
            raise changed_meanwhile()
        run = self._made(changed)
        await ledgers.runs.insert(run, transaction, request=self._asked.request)
        is_added = await ledgers.work.add(
            run.id,
            workflow_id=workflow.id,
            cluster_id=aim.cluster.id,
            started_by=run.started_by,
            workflow_name=aim.workflow.name,
            plan=work_text(for_worker(self._shown, self._asked.filled)),
            due_at=self._now,
            transaction=transaction,
        )
        if not is_added:
            raise Conflict("The deploy took too long to prepare. Send it once more.")
        await ledgers.inventories.put(
            workflow.id,
            aim.cluster.id,
            namespace=aim.namespace,
            entries=entries(self._asked.made, self._asked.filled),
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
                "value_names": self._value_names(),
            },
        )

    def _value_names(self) -> str:
        """Which values were written or removed, as `node: key, key; node: key`; never what."""
        nodes = {one.key.identity: one.node_id for one in self._asked.made.plan.objects}
        told = "; ".join(
            f"{nodes.get(identity)}: {', '.join(one.names)}"
            for identity, one in self._asked.filled.items()
            if one.names
        )
        return told if len(told) <= _LONGEST_NAMES else f"{told[: _LONGEST_NAMES - 1]}…"


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
        if done is None or done.uid is None:
            return one
        remade = one.action is PlanAction.REPLACE and one.uid != done.uid
        return replace(one, uid=done.uid, action=PlanAction.UPDATE if remade else one.action)

    return replace(plan, objects=tuple(map(left, plan.objects))) if filled else plan


def entries(made: Made, filled: Mapping[Identity, Filled]) -> list[InventoryEntry]:
    """The inventory from now on: what the run makes, what it has yet to remove, what stays."""
    planned = (
        InventoryEntry(
            one.key,
            _uid(one, filled),
            one.node_id,
            of_cluster=(one.key.api_version, one.key.kind) in made.of_cluster,
        )
        for one in made.plan.objects
    )
    return [*planned, *made.plan.kept]


def _uid(one: PlannedObject, filled: Mapping[Identity, Filled]) -> str | None:
    done = filled.get(one.key.identity)
    return done.uid if done is not None and done.uid is not None else one.uid
