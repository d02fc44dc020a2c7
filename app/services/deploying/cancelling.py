"""Ending a run early: at once while nobody has begun, else when whoever does it hears of it."""

from collections.abc import Callable
from datetime import datetime

from app.documents.database import Transaction, new_id
from app.documents.inventories import digest_of
from app.domain import policy
from app.domain.audit import AuditAction, AuditEntry
from app.domain.errors import Conflict, NotFound
from app.domain.ids import Id
from app.domain.planning import PlanAction
from app.domain.planning.objects import ObjectKey
from app.domain.planning.progress import next_status
from app.domain.policy import WorkflowAction
from app.domain.run import RunStatus, WorkflowRun
from app.domain.runevents import RunChanged, RunEvent, RunFinished
from app.domain.user import Actor
from app.services.deploying.aiming import Aiming
from app.services.deploying.committing import Ledgers
from app.services.runtelling import run_event

_WHY = "The run was cancelled before it began."


class Cancelling:
    """Cancels runs."""

    def __init__(self, *, aiming: Aiming, ledgers: Ledgers, now: Callable[[], datetime]) -> None:
        self._aiming = aiming
        self._ledgers = ledgers
        self._now = now

    async def cancel(self, actor: Actor, run_id: Id) -> WorkflowRun:
        """The run, CANCELLED or asked to stop; asking twice changes nothing.

        Raises NotFound, Forbidden, and Conflict for a run that has ended.
        """
        run = await self._ledgers.runs.get(run_id)
        if run is None:
            raise NotFound("run", path=["runId"])
        await self._check(actor, run)

        async def work(transaction: Transaction) -> WorkflowRun:
            return await self._cancel(actor, run_id, transaction)

        return await self._ledgers.database.transaction(work)

    async def _check(self, actor: Actor, run: WorkflowRun) -> None:
        """Who has the workflow may end its runs, and who administers the cluster those on it."""
        try:
            workflow = await self._aiming.workflow(actor, run.workflow_id)
        except NotFound:
            if not await self._aiming.administers(actor, run.cluster_id):
                raise NotFound("run", path=["runId"]) from None
        else:
            policy.on_workflow(actor, WorkflowAction.UNDEPLOY, workflow).enforce()

    async def _cancel(self, actor: Actor, run_id: Id, transaction: Transaction) -> WorkflowRun:
        ledgers, now = self._ledgers, self._now()
        fence = await ledgers.work.cancel(run_id, transaction)
        run = await ledgers.runs.get(run_id, transaction)
        if run is None:
            raise NotFound("run", path=["runId"])
        if fence is None:
            raise Conflict(f"The run has ended already: it is {run.status.value.upper()}.")
        if run.cancel_requested_at is not None:
            return run
        run = run.model_copy(update={"cancel_requested_at": now, "seq": run.seq + 1})
        if fence:
            await self._write(actor, run, RunChanged, transaction)
            return run
        await ledgers.work.withdraw(run_id, transaction)
        await self._forget(run, transaction)
        ended = _ended(run, now)
        await self._write(actor, ended, RunFinished, transaction)
        await ledgers.changes.mark(run.workflow_id, counts={}, transaction=transaction)
        return ended

    async def _write(
        self, actor: Actor, run: WorkflowRun, told: type[RunEvent], transaction: Transaction
    ) -> None:
        now = self._now()
        event = run_event(run.id, run.seq, told, {"run": run}, at=now, actor_id=actor.id)
        await self._ledgers.runs.replace(run, transaction)
        await self._ledgers.outbox.append(event, transaction)
        entry = AuditEntry(
            id=new_id(),
            at=now,
            actor_id=actor.id,
            action=AuditAction.RUN_CANCELLED,
            workflow_id=run.workflow_id,
            cluster_id=run.cluster_id,
            run_id=run.id,
            details={"kind": run.kind.value, "status": run.status.value, "version": run.version},
        )
        await self._ledgers.audits.append(entry, transaction)

    async def _forget(self, run: WorkflowRun, transaction: Transaction) -> None:
        """Takes out of the inventory what the run would have made."""
        inventory = await self._ledgers.inventories.get(
            run.workflow_id, run.cluster_id, transaction
        )
        never = {
            ObjectKey(one.api_version, one.kind, one.namespace, one.name).identity
            for node in run.nodes
            for one in node.objects
            if one.action is PlanAction.CREATE
        }
        known = inventory.entries if inventory is not None else []
        gone = [
            digest_of(entry.key)
            for entry in known
            if entry.uid is None and entry.key.identity in never
        ]
        await self._ledgers.inventories.note(
            run.workflow_id, run.cluster_id, made={}, gone=gone, transaction=transaction
        )


def _ended(run: WorkflowRun, now: datetime) -> WorkflowRun:
    nodes = [node.after(node.progress().left(_WHY), now=now) for node in run.nodes]
    status = next_status(run.status, RunStatus.CANCELLED)
    return run.model_copy(
        update={"status": status, "completed_at": now, "error": _WHY, "nodes": nodes}
    )
