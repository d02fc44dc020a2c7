"""Runs: what became of each deploy."""

from collections.abc import Sequence

from app.documents.runs import RunStore
from app.domain.ids import Id
from app.domain.run import WorkflowRun


class Runs:
    """Look-ups for workflows and versions that the caller already sees."""

    def __init__(self, *, store: RunStore) -> None:
        self._store = store

    async def by_ids(self, ids: Sequence[Id]) -> dict[Id, WorkflowRun]:
        return {run.id: run for run in await self._store.by_ids(ids)}

    async def last_of(self, workflow_ids: Sequence[Id]) -> dict[Id, WorkflowRun]:
        """The newest run by workflow."""
        return {run.workflow_id: run for run in await self._store.newest(workflow_ids)}
