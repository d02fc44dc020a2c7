"""How a workflow changes: read, decide, write on the condition that nobody was faster.

The write and the event that tells of it are one transaction. Deciding is pure, so when somebody
was faster it is done again on what they made of it, unless the caller named the revision it
decided on: then the caller is told.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.documents.canvases import stored_size
from app.documents.database import Database, Transaction, new_id
from app.documents.versions import VersionStore
from app.documents.workflows import WorkflowPatch, WorkflowStore
from app.domain import graph, policy
from app.domain.canvas import Canvas, CanvasChange
from app.domain.errors import Conflict, LimitExceeded, NotFound, RevisionConflict
from app.domain.events import Event, workflow_stream
from app.domain.ids import Id
from app.domain.user import Actor
from app.domain.workflow import Version, Workflow, WorkflowRow
from app.realtime.outbox import Outbox
from app.services.telling import edited_payload

_ATTEMPTS = 50
"""How often an unconditional change is decided anew before it gives up."""


@dataclass(frozen=True, slots=True)
class VersionDraft:
    """A version to be made of the canvas as it is after the change."""

    name: str | None = None
    tag: str | None = None
    description: str = ""
    restored_from: int | None = None
    automatic: bool = False
    canvas: Canvas | None = None
    """Another canvas than the workflow's: what a rollback deploys."""
    run_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a workflow. `fields` are metadata by name."""

    canvas: Canvas | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    version: VersionDraft | None = None
    marks: Mapping[str, Any] = field(default_factory=dict)
    """Metadata that tells what happened to the workflow and makes no revision."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """By how much counters among the metadata grow."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The workflow after the change, and the version that was made, if any."""

    workflow: Workflow
    version: Version | None = None

    def made(self) -> Version:
        """The version, where the change was to make one."""
        if self.version is None:
            raise AssertionError("the change made no version")
        return self.version


Also = Callable[[Changed, Transaction], Awaitable[None]]
"""What else belongs to a change, done in its transaction; perhaps several times."""


class Changes:
    """Makes changes to workflows."""

    def __init__(
        self,
        *,
        database: Database,
        workflows: WorkflowStore,
        versions: VersionStore,
        outbox: Outbox,
        max_bytes: int,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._workflows = workflows
        self._versions = versions
        self._outbox = outbox
        self._max_bytes = max_bytes
        self._now = now

    async def make(
        self,
        actor: Actor,
        workflow_id: Id,
        decide: Callable[[Workflow], Change | None],
        *,
        expected: int | None = None,
        deleted: bool = False,
        also: Also | None = None,
    ) -> Changed:
        """Changes the workflow as `decide` says; None means that it is already so.

        `expected` is the revision that the caller decided on. `deleted` admits deleted workflows.
        `also` is done in the same transaction; what it raises undoes everything.
        Raises NotFound, RevisionConflict, LimitExceeded (when the canvas changes), Conflict (when
        `expected` is left out and too many people change it at once), and what `decide` raises.
        """
        for _ in range(_ATTEMPTS):
            before = await self._workflows.get(workflow_id)
            if before is None or not policy.sees_workflow(actor, before):
                raise NotFound("workflow", path=["workflowId"])
            if before.deleted_at is not None and not deleted:
                raise NotFound("workflow", path=["workflowId"])
            if expected is not None and before.revision != expected:
                raise RevisionConflict(expected=expected, current=before)
            change = decide(before)
            if change is None or change == Change(canvas=before.canvas):
                return Changed(before)
            self._check_size(before, change)
            changed = await self._write(actor, before, change, also)
            if changed is not None:
                return changed
        raise Conflict("Too many people change this workflow at once. Try again.")

    async def mark(
        self,
        workflow_id: Id,
        *,
        counts: Mapping[str, int],
        transaction: Transaction,
    ) -> None:
        """Counts what happened to a workflow, and tells of it; no revision is made."""
        now = self._now()
        nothing = Canvas()
        row = await self._workflows.update(
            workflow_id,
            WorkflowPatch(before=nothing, after=nothing, increments=counts),
            where={},
            now=None,
            transaction=transaction,
        )
        if row is not None:
            seen = CanvasChange.between(nothing, nothing)
            await self._outbox.append(_event(row, seen, None, now), transaction)

    async def _write(
        self, actor: Actor, before: Workflow, change: Change, also: Also | None
    ) -> Changed | None:
        now = self._now()
        canvas = change.canvas or before.canvas
        patch = WorkflowPatch(
            before=before.canvas,
            after=canvas,
            fields={**change.marks, **change.fields},
            increments={
                **change.counts,
                "revision": int(change.canvas is not None or bool(change.fields)),
                "current_version": int(change.version is not None),
            },
        )
        seen = CanvasChange.between(graph.wire(before.canvas), graph.wire(canvas))

        async def work(transaction: Transaction) -> Changed | None:
            row = await self._workflows.update(
                before.id,
                patch,
                where={"revision": before.revision},
                now=now,
                transaction=transaction,
            )
            if row is None:
                return None
            workflow = Workflow.model_construct(**dict(row), nodes=canvas.nodes, edges=canvas.edges)
            version = None
            if change.version is not None:
                version = _version(workflow, change.version, actor, now)
                await self._versions.insert(version, transaction)
            await self._outbox.append(_event(row, seen, actor.id, now), transaction)
            changed = Changed(workflow, version)
            if also is not None:
                await also(changed, transaction)
            return changed

        return await self._database.transaction(work)

    def _check_size(self, before: Workflow, change: Change) -> None:
        if change.canvas is not None:
            self.check_size(change.canvas, before.canvas)

    def check_size(self, canvas: Canvas, before: Canvas | None = None) -> None:
        """Raises LimitExceeded for a canvas that is too large and no smaller than `before`."""
        size = stored_size(canvas)
        if size > self._max_bytes and (before is None or size >= stored_size(before)):
            raise LimitExceeded(
                f"The canvas would take {size} bytes, and may take {self._max_bytes}. Remove "
                "nodes, or move large ConfigMaps to a workflow of their own.",
                limit=self._max_bytes,
            )


def _version(workflow: Workflow, draft: VersionDraft, actor: Actor, now: datetime) -> Version:
    canvas = draft.canvas or workflow.canvas
    return Version.model_construct(
        id=new_id(),
        workflow_id=workflow.id,
        number=workflow.current_version,
        name=draft.name,
        tag=draft.tag,
        description=draft.description,
        created_at=now,
        created_by=actor.id,
        restored_from=draft.restored_from,
        automatic=draft.automatic,
        run_id=draft.run_id,
        nodes=canvas.nodes,
        edges=canvas.edges,
    )


def _event(row: WorkflowRow, seen: CanvasChange, actor_id: Id | None, now: datetime) -> Event:
    return Event(
        stream=workflow_stream(row.id),
        seq=row.seq,
        type="WorkflowEdited",
        payload=edited_payload(row, seen),
        actor_id=actor_id,
        at=now,
    )
