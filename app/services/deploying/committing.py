"""One group of what a run has done, as one transaction, if the claim still holds.

The marks of what was done, how the nodes are, and the events that tell of it are written together:
whoever goes on with the run knows exactly what was told.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pymongo

from app.documents.audits import AuditStore
from app.documents.database import Database, Transaction, new_id
from app.documents.inventories import InventoryStore
from app.documents.runs import RunStore
from app.documents.work import Marked, WorkStore
from app.domain.audit import AuditAction, AuditEntry
from app.domain.events import Event
from app.domain.run import RunKind, RunStatus, WorkflowRun
from app.domain.runevents import RunEvent
from app.realtime.outbox import Outbox
from app.services.changing import Changes
from app.services.deploying.lease import Lease
from app.services.runtelling import run_event

_ANSWER_SECONDS = 10.0
"""How long the database may take for one group."""

_COUNTS: Mapping[RunStatus, Mapping[str, int]] = {
    RunStatus.COMPLETED: {"success_count": 1},
    RunStatus.FAILED: {"failure_count": 1},
    RunStatus.CANCELLED: {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgers:
    """Where everything is written."""

    database: Database
    outbox: Outbox
    changes: Changes
    work: WorkStore
    runs: RunStore
    inventories: InventoryStore
    audits: AuditStore


@dataclass(slots=True)
class Untold:
    """An event without its number. What is said of the run needs that number, too."""

    type: type[RunEvent]
    at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    run: WorkflowRun | None = None


@dataclass(slots=True)
class Pile:
    """What is yet to be written. `nodes` are places in the run's list."""

    name: str
    told: list[Untold] = field(default_factory=list)
    nodes: set[int] = field(default_factory=set)
    done: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Last:
    """What the last transaction has to know."""

    is_applied: bool


class Group:
    """One group, written at most once however often it is tried."""

    def __init__(
        self,
        pile: Pile,
        run: WorkflowRun,
        lease: Lease,
        ledgers: Ledgers,
        *,
        now: Callable[[], datetime],
        last: Last | None = None,
    ) -> None:
        self._pile = pile
        self._run = run
        self._lease = lease
        self._work = lease.work
        self._ledgers = ledgers
        self._now = now
        self._last = last
        self.began = 0.0

    async def make(self) -> Marked:
        """Raises pymongo's errors; then nobody knows whether it was written."""
        with pymongo.timeout(_ANSWER_SECONDS):
            return await self._ledgers.database.transaction(self._write)

    async def _write(self, transaction: Transaction) -> Marked:
        self.began = asyncio.get_running_loop().time()
        pile, work, ledgers = self._pile, self._work, self._ledgers
        marked = await self._mark(transaction)
        if marked is not Marked.MARKED:
            return marked
        told = await ledgers.runs.told(work.run_id, transaction)
        if told is None:
            return Marked.LOST
        run = self._run.model_copy(update={"cancel_requested_at": told[1]})
        events = [
            self._event(one, number, run) for number, one in enumerate(pile.told, told[0] + 1)
        ]
        if events:
            await ledgers.outbox.extend(events, transaction)
        run = run.model_copy(update={"seq": told[0] + len(events)})
        await ledgers.runs.record(run, sorted(pile.nodes), transaction)
        await ledgers.inventories.note(
            work.workflow_id,
            work.cluster_id,
            made=pile.made,
            gone=pile.gone,
            transaction=transaction,
        )
        if self._last is not None:
            await self._close(run, self._last, transaction)
        return marked

    async def _mark(self, transaction: Transaction) -> Marked:
        store = self._ledgers.work
        if self._last is not None:
            is_held = await store.finish(self._work, transaction)
            return Marked.MARKED if is_held else Marked.LOST
        return await store.mark(
            self._work,
            self._pile.done,
            name=self._pile.name,
            until=self._lease.until,
            transaction=transaction,
        )

    def _event(self, told: Untold, seq: int, now: WorkflowRun) -> Event:
        payload = told.payload
        if told.run is not None:
            update = {"seq": seq, "cancel_requested_at": now.cancel_requested_at}
            payload = {"run": told.run.model_copy(update=update)}
        return run_event(now.id, seq, told.type, payload, at=told.at)

    async def _close(self, run: WorkflowRun, last: Last, transaction: Transaction) -> None:
        """What else belongs to the end of a run."""
        ledgers, work, now = self._ledgers, self._work, self._now()
        if last.is_applied:
            await ledgers.inventories.deployed(
                work.workflow_id,
                work.cluster_id,
                version=None if run.kind is RunKind.UNDEPLOY else run.version,
                workflow_name=work.workflow_name,
                now=now,
                transaction=transaction,
            )
        await ledgers.changes.mark(
            work.workflow_id, counts=_COUNTS[run.status], transaction=transaction
        )
        entry = AuditEntry(
            id=new_id(),
            at=now,
            actor_id=run.started_by,
            action=AuditAction.RUN_ENDED,
            workflow_id=run.workflow_id,
            cluster_id=run.cluster_id,
            run_id=run.id,
            details={
                "kind": run.kind.value,
                "status": run.status.value,
                "version": run.version,
                "applied": last.is_applied,
            },
        )
        await ledgers.audits.append(entry, transaction)
