"""Batched look-ups, new for every operation: a list costs as many commands as one row."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aiodataloader import DataLoader

from app.domain.cluster import Cluster
from app.domain.drift import Drift
from app.domain.ids import Id
from app.domain.node import NodeStatus
from app.domain.run import WorkflowRun
from app.domain.user import Actor, User
from app.domain.workflow import Version, Workflow, WorkflowRow
from app.services import Services

T = TypeVar("T")


class Loaders:
    """One loader per relation that lists follow."""

    def __init__(self, services: Services, actor: Actor | None) -> None:
        async def visible_clusters(ids: Sequence[Id]) -> dict[Id, Cluster]:
            return await services.clusters.by_ids(actor, ids) if actor else {}

        async def own_default(_: Sequence[Id]) -> dict[Id, Cluster]:
            found = await services.clusters.default_of(actor) if actor else None
            return {found.owner_id: found} if found else {}

        async def visible_rows(ids: Sequence[Id]) -> dict[Id, WorkflowRow]:
            return await services.workflows.rows(actor, ids) if actor else {}

        async def visible_statuses(ids: Sequence[Id]) -> dict[Id, list[NodeStatus]]:
            return await services.statuses.of(actor, ids) if actor else {}

        async def visible_drifts(ids: Sequence[Id]) -> dict[Id, Drift]:
            return await services.drifts.last(actor, ids) if actor else {}

        self.users: DataLoader[Id, User | None] = _loader(services.accounts.by_ids)
        self.clusters: DataLoader[Id, Cluster | None] = _loader(visible_clusters)
        self.default_clusters: DataLoader[Id, Cluster | None] = _loader(own_default)
        self.workflows: DataLoader[Id, Workflow | None] = _loader(services.workflows.by_ids)
        self.workflow_rows: DataLoader[Id, WorkflowRow | None] = _loader(visible_rows)
        self.versions: DataLoader[Id, Version | None] = _loader(services.versions.by_ids)
        self.runs: DataLoader[Id, WorkflowRun | None] = _loader(services.runs.by_ids)
        self.last_runs: DataLoader[Id, WorkflowRun | None] = _loader(services.runs.last_of)
        self.live_versions: DataLoader[Id, int | None] = _loader(services.runs.live_versions)
        self.statuses: DataLoader[Id, list[NodeStatus] | None] = _loader(visible_statuses)
        self.last_drifts: DataLoader[Id, Drift | None] = _loader(visible_drifts)


def _loader(
    find: Callable[[Sequence[Id]], Awaitable[dict[Id, T]]],
) -> DataLoader[Id, T | None]:
    """A loader over a look-up that answers what it found, by key."""

    async def batch(keys: list[Id]) -> list[T | None]:
        found = await find(keys)
        return [found.get(key) for key in keys]

    return DataLoader(batch, max_batch_size=1000)
