"""Runs: what became of each deploy."""

from collections.abc import Sequence
from dataclasses import replace

from app.documents.inventories import InventoryStore
from app.documents.keyset import Keyset, Page
from app.documents.runs import RunStore
from app.documents.workflows import WorkflowStore
from app.domain import policy
from app.domain.ids import Id
from app.domain.run import RunFilter, WorkflowRun
from app.domain.user import Actor
from app.domain.workflow import WorkflowRow

MOST_NODES = 2_000
"""Nodes in a page of runs: beyond them the page ends early, because each is told with its objects.
"""


class Runs:
    """Look-ups of runs. What takes a workflow takes one that the caller already sees."""

    def __init__(
        self,
        *,
        store: RunStore,
        inventories: InventoryStore,
        workflows: WorkflowStore,
    ) -> None:
        self._store = store
        self._inventories = inventories
        self._workflows = workflows

    async def get(self, actor: Actor, run_id: Id) -> WorkflowRun | None:
        """The run, if the caller sees its workflow."""
        run = await self._store.get(run_id)
        rows = await self._workflows.rows([run.workflow_id]) if run is not None else []
        return run if any(policy.sees_workflow(actor, row) for row in rows) else None

    async def page(self, workflow: WorkflowRow, keyset: Keyset) -> Page[WorkflowRun]:
        """The runs of `workflow`."""
        return _bounded(await self._store.page(workflow.id, keyset))

    async def count(self, workflow: WorkflowRow) -> int:
        return await self._store.count(workflow.id)

    async def page_of(self, actor: Actor, filter_: RunFilter, keyset: Keyset) -> Page[WorkflowRun]:
        """The runs that the caller sees: only its owner starts a run of a workflow."""
        return _bounded(await self._store.page_started(actor.id, filter_, keyset))

    async def count_of(self, actor: Actor, filter_: RunFilter) -> int:
        return await self._store.count_started(actor.id, filter_)

    async def by_ids(self, ids: Sequence[Id]) -> dict[Id, WorkflowRun]:
        return {run.id: run for run in await self._store.by_ids(ids)}

    async def last_of(self, workflow_ids: Sequence[Id]) -> dict[Id, WorkflowRun]:
        """The newest run by workflow."""
        return {run.workflow_id: run for run in await self._store.newest(workflow_ids)}

    async def live_versions(self, workflow_ids: Sequence[Id]) -> dict[Id, int]:
        """The version that was applied last and is not removed, by workflow."""
        live: dict[Id, int] = {}
        for one in await self._inventories.heads(workflow_ids):
            if one.version is not None:
                live.setdefault(one.workflow_id, one.version)
        return live


def _bounded(page: Page[WorkflowRun]) -> Page[WorkflowRun]:
    """The page, up to the run with which it has too many nodes; at least one run."""
    nodes = 0
    for number, run in enumerate(page.rows):
        nodes += len(run.nodes)
        if number > 0 and nodes > MOST_NODES:
            return replace(
                page, rows=page.rows[:number], cursors=page.cursors[:number], has_next=True
            )
    return page
