"""Versions: the canvas as it was. Numbered without gaps; never changed once made."""

import asyncio
from collections.abc import Sequence

from app.documents.keyset import Keyset, Page
from app.documents.versions import VersionStore
from app.domain import comparing, policy
from app.domain.comparing import VersionDiff
from app.domain.errors import NotFound
from app.domain.ids import Id
from app.domain.policy import WorkflowAction
from app.domain.user import Actor
from app.domain.workflow import Version, VersionRow, Workflow, WorkflowRow
from app.services.changing import Change, Changes, VersionDraft


class Versions:
    """What people do with versions. Reading takes a workflow that the caller already sees."""

    def __init__(self, *, store: VersionStore, changes: Changes) -> None:
        self._store = store
        self._changes = changes

    async def page(self, workflow: WorkflowRow, keyset: Keyset) -> Page[VersionRow]:
        """The versions of `workflow`, without their canvases."""
        return await self._store.page(workflow.id, keyset)

    async def count(self, workflow: WorkflowRow) -> int:
        """Numbers have no gaps, so the newest number is the count."""
        return workflow.current_version

    async def by_ids(self, ids: Sequence[Id]) -> dict[Id, Version]:
        """Whole versions, for rows that the caller already sees."""
        return {version.id: version for version in await self._store.by_ids(ids)}

    async def get(self, workflow: WorkflowRow, number: int) -> Version | None:
        return await self._store.get(workflow.id, number)

    async def compare(self, workflow: WorkflowRow, before: int, after: int) -> VersionDiff | None:
        """What changed from version `before` to version `after`; None when one does not exist."""
        old = await self._store.get(workflow.id, before)
        new = await self._store.get(workflow.id, after)
        if old is None or new is None:
            return None
        # In a thread: everybody else would wait for two large canvases.
        return await asyncio.to_thread(comparing.compare, old.canvas, new.canvas)

    async def create(
        self,
        actor: Actor,
        workflow_id: Id,
        draft: VersionDraft,
        *,
        expected: int | None = None,
    ) -> VersionRow:
        """Keeps the canvas as it is now under the next number."""

        def decide(workflow: Workflow) -> Change:
            policy.on_workflow(actor, WorkflowAction.EDIT, workflow).enforce()
            return Change(version=draft)

        changed = await self._changes.make(actor, workflow_id, decide, expected=expected)
        return changed.made()

    async def restore(
        self, actor: Actor, workflow_id: Id, number: int, *, expected: int | None = None
    ) -> tuple[Workflow, VersionRow]:
        """Makes the canvas what it was in version `number`, as a new version; nothing is lost."""
        old = await self._store.get(workflow_id, number)

        def decide(workflow: Workflow) -> Change:
            policy.on_workflow(actor, WorkflowAction.EDIT, workflow).enforce()
            if old is None:
                raise NotFound("version", path=["version"])
            return Change(
                canvas=old.canvas,
                version=VersionDraft(
                    description=f"Restored from version {number}.", restored_from=number
                ),
            )

        changed = await self._changes.make(actor, workflow_id, decide, expected=expected)
        return changed.workflow, changed.made()
