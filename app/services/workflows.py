"""Workflows: drawn, edited, published, archived, deleted, restored, cloned."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.documents.database import Transaction, new_id
from app.documents.inventories import InventoryStore
from app.documents.keyset import Keyset, Page
from app.documents.work import WorkStore
from app.documents.workflows import WorkflowStore
from app.domain import editing, policy
from app.domain.canvas import Canvas
from app.domain.editing import EdgeDraft, Limits, NodeDraft, Operation
from app.domain.errors import Conflict, NotFound
from app.domain.ids import Id
from app.domain.policy import WorkflowAction
from app.domain.user import Actor
from app.domain.workflow import Workflow, WorkflowFilter, WorkflowRow, WorkflowStatus
from app.services.changing import Change, Changed, Changes
from app.services.clusters import Clusters


@dataclass(frozen=True, slots=True)
class WorkflowDraft:
    """A workflow to be made."""

    name: str
    description: str = ""
    cluster_id: Id | None = None
    namespace: str = "default"
    tags: Sequence[str] = ()
    nodes: Sequence[NodeDraft] = ()
    edges: Sequence[EdgeDraft] = ()


class Workflows:
    """What people do with workflows. What an actor may not see is NotFound."""

    def __init__(
        self,
        *,
        store: WorkflowStore,
        clusters: Clusters,
        work: WorkStore,
        inventories: InventoryStore,
        changes: Changes,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._clusters = clusters
        self._changes = changes
        self._limits = limits
        self._now = now
        self._work = work
        self._inventories = inventories

    async def get(self, actor: Actor, workflow_id: Id) -> Workflow | None:
        """The workflow, unless it is deleted or not the caller's to see."""
        workflow = await self._store.get(workflow_id)
        if workflow is None or workflow.deleted_at or not policy.sees_workflow(actor, workflow):
            return None
        return workflow

    async def by_ids(self, ids: Sequence[Id]) -> dict[Id, Workflow]:
        """Whole workflows, for rows that the caller already sees."""
        return {workflow.id: workflow for workflow in await self._store.by_ids(ids)}

    async def rows(self, actor: Actor, ids: Sequence[Id]) -> dict[Id, WorkflowRow]:
        """Those of the workflows that the caller sees, deleted or not, without their canvases."""
        rows = await self._store.rows(ids)
        return {row.id: row for row in rows if policy.sees_workflow(actor, row)}

    async def page(
        self, actor: Actor, filter_: WorkflowFilter, keyset: Keyset
    ) -> Page[WorkflowRow]:
        """The caller's workflows, without their canvases."""
        return await self._store.page(actor.id, filter_, keyset)

    async def count(self, actor: Actor, filter_: WorkflowFilter) -> int:
        return await self._store.count(actor.id, filter_)

    async def create(self, actor: Actor, draft: WorkflowDraft) -> Workflow:
        """Draws a new draft workflow. Raises Invalid, LimitExceeded, NotFound (the cluster)."""
        canvas = editing.draw(draft.nodes, draft.edges, limits=self._limits, new_id=canvas_id)
        return await self.create_drawn(actor, draft, canvas)

    async def create_drawn(self, actor: Actor, draft: WorkflowDraft, canvas: Canvas) -> Workflow:
        """The same with a canvas that `editing.draw` has made. Raises LimitExceeded, NotFound."""
        self._changes.check_size(canvas)
        await self._check_cluster(actor, draft.cluster_id)
        return await self._insert(actor, draft, canvas)

    async def update(
        self,
        actor: Actor,
        workflow_id: Id,
        fields: dict[str, Any],
        *,
        expected: int | None = None,
    ) -> WorkflowRow:
        """Changes the metadata named in `fields`, leaves the rest."""
        if "cluster_id" in fields:
            await self._check_cluster(actor, fields["cluster_id"])

        def decide(workflow: Workflow) -> Change | None:
            policy.on_workflow(actor, WorkflowAction.EDIT, workflow).enforce()
            new = {k: v for k, v in fields.items() if getattr(workflow, k) != v}
            return Change(fields=new) if new else None

        changed = await self._changes.make(actor, workflow_id, decide, expected=expected)
        return changed.workflow

    async def save_canvas(
        self,
        actor: Actor,
        workflow_id: Id,
        nodes: Sequence[NodeDraft],
        edges: Sequence[EdgeDraft],
        *,
        expected: int,
    ) -> Workflow:
        """Replaces the whole canvas; only what differs is written and told."""

        def decide(workflow: Workflow) -> Change:
            policy.on_workflow(actor, WorkflowAction.EDIT, workflow).enforce()
            return Change(
                canvas=editing.draw(
                    nodes,
                    edges,
                    limits=self._limits,
                    new_id=canvas_id,
                    before=workflow.canvas,
                )
            )

        return (await self._changes.make(actor, workflow_id, decide, expected=expected)).workflow

    async def edit(
        self, actor: Actor, workflow_id: Id, operations: Sequence[Operation], *, expected: int
    ) -> Workflow:
        """Performs the operations in order, all or none, as one revision."""

        def decide(workflow: Workflow) -> Change:
            policy.on_workflow(actor, WorkflowAction.EDIT, workflow).enforce()
            return Change(
                canvas=editing.edit(
                    workflow.canvas, operations, limits=self._limits, new_id=canvas_id
                )
            )

        return (await self._changes.make(actor, workflow_id, decide, expected=expected)).workflow

    async def publish(
        self, actor: Actor, workflow_id: Id, *, expected: int | None = None
    ) -> WorkflowRow:
        """Lets it deploy; an archived one can be edited again. Publishing twice changes nothing."""
        return await self._set_status(actor, workflow_id, WorkflowStatus.PUBLISHED, expected)

    async def archive(
        self, actor: Actor, workflow_id: Id, *, expected: int | None = None
    ) -> WorkflowRow:
        """Makes it read-only until it is published again."""
        return await self._set_status(actor, workflow_id, WorkflowStatus.ARCHIVED, expected)

    async def delete(
        self, actor: Actor, workflow_id: Id, *, expected: int | None = None
    ) -> WorkflowRow:
        """Puts it into the bin, from where `restore` takes it back.

        Raises Conflict while a run is active or something is deployed that is not to stay.
        """
        now = self._now()

        def decide(workflow: Workflow) -> Change:
            policy.on_workflow(actor, WorkflowAction.MANAGE, workflow).enforce()
            return Change(fields={"deleted_at": now})

        changed = await self._changes.make(
            actor, workflow_id, decide, expected=expected, also=self._check_undeployed
        )
        return changed.workflow

    async def restore(
        self, actor: Actor, workflow_id: Id, *, expected: int | None = None
    ) -> WorkflowRow:
        """Takes it back out of the bin; one that is not deleted stays as it is."""
        changed = await self._changes.make(
            actor,
            workflow_id,
            lambda w: Change(fields={"deleted_at": None}) if w.deleted_at else None,
            expected=expected,
            deleted=True,
        )
        return changed.workflow

    async def clone(self, actor: Actor, workflow_id: Id, *, name: str | None = None) -> Workflow:
        """A draft of the caller's own with the same canvas, and a history of its own."""
        source = await self.get(actor, workflow_id)
        if source is None:
            raise NotFound("workflow", path=["workflowId"])
        draft = WorkflowDraft(
            name=name or f"{source.name[:193]} (copy)",
            description=source.description,
            cluster_id=source.cluster_id,
            namespace=source.namespace,
            tags=source.tags,
        )
        return await self._insert(actor, draft, source.canvas)

    async def _insert(self, actor: Actor, draft: WorkflowDraft, canvas: Canvas) -> Workflow:
        now = self._now()
        workflow = Workflow.model_construct(
            id=new_id(),
            name=draft.name,
            description=draft.description,
            cluster_id=draft.cluster_id,
            namespace=draft.namespace,
            tags=list(draft.tags),
            owner_id=actor.id,
            created_at=now,
            updated_at=now,
            nodes=canvas.nodes,
            edges=canvas.edges,
        )
        await self._store.insert(workflow)
        return workflow

    async def _set_status(
        self, actor: Actor, workflow_id: Id, status: WorkflowStatus, expected: int | None
    ) -> WorkflowRow:
        def decide(workflow: Workflow) -> Change | None:
            policy.on_workflow(actor, WorkflowAction.MANAGE, workflow).enforce()
            return Change(fields={"status": status}) if workflow.status is not status else None

        changed = await self._changes.make(actor, workflow_id, decide, expected=expected)
        return changed.workflow

    async def _check_undeployed(self, changed: Changed, transaction: Transaction) -> None:
        """Raises Conflict: nobody would find again what is on a cluster of a deleted workflow."""
        workflow_id = changed.workflow.id
        if await self._work.is_busy(workflow_id, transaction):
            raise Conflict("A run of this workflow has not ended. Wait for it, or cancel it first.")
        there = [
            entry.key
            for inventory in await self._inventories.of_workflows([workflow_id], transaction)
            for entry in inventory.entries
            if not entry.kept
        ]
        if there:
            raise Conflict(
                f"{there[0]} of this workflow is deployed, one of {len(there)} objects. Undeploy "
                "it first."
            )

    async def _check_cluster(self, actor: Actor, cluster_id: Id | None) -> None:
        if cluster_id is not None and await self._clusters.get(actor, cluster_id) is None:
            raise NotFound("cluster", path=["clusterId"])


def canvas_id(prefix: str) -> str:
    """An id for a node or edge; 48 random bits, in a workflow of at most thousands."""
    return f"{prefix}-{secrets.token_hex(6)}"
