"""Drift: what is on the cluster against the version that was deployed, asked by dry runs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from weakref import WeakValueDictionary

from app.documents.clusters import ClusterStore
from app.documents.drifts import DriftStore, StoredDrift
from app.documents.inventories import InventoryStore
from app.documents.versions import VersionStore
from app.documents.work import WorkStore
from app.domain import policy
from app.domain.cluster import Cluster
from app.domain.compile import compile as compile_canvas
from app.domain.drift import Drift, DriftedObject
from app.domain.drifting import drifted
from app.domain.errors import ClusterError, ClusterFault, NotFound
from app.domain.ids import Id
from app.domain.inventory import Inventory
from app.domain.manifest import Manifest
from app.domain.planning import Observed, Question, make_plan
from app.domain.planning.shortening import shortened
from app.domain.user import Actor
from app.domain.workflow import Version, WorkflowRow
from app.services.checking import Connect
from app.services.deploying.compiling import beside
from app.services.deploying.observing import observe
from app.services.watching.deployed import namespaces_of

_SECONDS = 60.0
"""For a cluster to answer everything about one workflow."""
_PATIENCE = 30.0
"""Seconds to wait for a turn."""
_SHARE = 4
"""One owner's clusters take at most a quarter of all turns: theirs may all hang."""


class Drifts:
    """`at_once` are workflows that are compared at the same time, and `objects_at_once` objects of
    one of them."""

    def __init__(
        self,
        *,
        clusters: ClusterStore,
        inventories: InventoryStore,
        versions: VersionStore,
        work: WorkStore,
        store: DriftStore,
        connect: Connect,
        at_once: int,
        objects_at_once: int,
        now: Callable[[], datetime],
    ) -> None:
        self._clusters = clusters
        self._inventories = inventories
        self._versions = versions
        self._work = work
        self._store = store
        self._connect = connect
        self._objects_at_once = objects_at_once
        self._now = now
        self._at_once = at_once
        self._turns = asyncio.Semaphore(at_once)
        self._turns_of: WeakValueDictionary[Id, asyncio.Semaphore] = WeakValueDictionary()
        self._looks: dict[Id, asyncio.Task[Drift | None]] = {}

    async def check(self, actor: Actor, workflow: WorkflowRow) -> Drift | None:
        """How far the cluster has moved from what is deployed; None when nothing is.

        While a run changes what is deployed nothing of that is drift: then it is what was found
        last, None when that was of another version. Raises NotFound, Forbidden, ClusterError.
        """
        inventory = await self._deployed(workflow.id)
        if inventory is None:
            return None
        cluster = await self._clusters.get(inventory.cluster_id)
        now = self._now()
        if cluster is None or not policy.sees_cluster(actor, cluster, now=now):
            raise NotFound("cluster")
        policy.looks_in(actor, cluster, namespaces_of(inventory), now=now).enforce()
        return await self.look(inventory)

    async def last(self, actor: Actor, workflow_ids: Sequence[Id]) -> dict[Id, Drift]:
        """What was found last of these workflows, of the versions that are deployed now and where
        the caller may look."""
        kept = await self._store.of(workflow_ids)
        if not kept:
            return {}
        live: dict[Id, Inventory] = {}
        for one in await self._inventories.heads(list(kept)):
            if one.version is not None:
                live.setdefault(one.workflow_id, one)
        here = {each.cluster_id for each in live.values()}
        clusters = {one.id: one for one in await self._clusters.by_ids(list(here))}
        now = self._now()

        def shows(found: StoredDrift) -> bool:
            inventory = live.get(found.workflow_id)
            cluster = clusters.get(found.cluster_id)
            if inventory is None or cluster is None or not _is_of(found, inventory):
                return False
            where = {one.namespace for one in found.drift.objects} - {None}
            names = {inventory.namespace, *map(str, where)}
            return policy.looks_in(actor, cluster, names, now=now).allowed

        return {id_: found.drift for id_, found in kept.items() if shows(found)}

    async def look(self, inventory: Inventory) -> Drift | None:
        """The same for whoever asks, once for all who ask at the same time.

        Who stops waiting does not stop the look. Raises ClusterError.
        """
        key = inventory.workflow_id
        task = self._looks.get(key)
        if task is None:
            task = asyncio.create_task(self._look(inventory))
            self._looks[key] = task
            task.add_done_callback(lambda done: self._looked(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Breaks off what is under way."""
        tasks = list(self._looks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _looked(self, key: Id, task: asyncio.Task[Drift | None]) -> None:
        del self._looks[key]
        if not task.cancelled():
            task.exception()  # whoever waits has it; when nobody does any more, it is nobody's

    async def _look(self, inventory: Inventory) -> Drift | None:
        version = await self._versions.get(inventory.workflow_id, inventory.version or 0)
        cluster = await self._clusters.get(inventory.cluster_id)
        if version is None or cluster is None:
            return None
        async with self._turn(cluster.owner_id):
            if await self._is_moving(inventory):
                return await self._kept(inventory)
            began = self._now()
            objects = await self._compared(inventory, version, cluster)
            if await self._is_moving(inventory):
                return await self._kept(inventory)
            found = Drift(began, objects)
            await self._store.put(
                StoredDrift(version.workflow_id, cluster.id, version.number, found)
            )
            return found

    @asynccontextmanager
    async def _turn(self, owner_id: Id) -> AsyncIterator[None]:
        """Raises ClusterError THROTTLED when it does not come."""
        of_owner = self._turns_of.get(owner_id)
        if of_owner is None:
            of_owner = asyncio.Semaphore(max(1, self._at_once // _SHARE))
            self._turns_of[owner_id] = of_owner
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await stack.enter_async_context(of_owner)
                    await stack.enter_async_context(self._turns)
            except TimeoutError:
                busy = "Too many workflows are compared with their clusters now. Try again later."
                raise ClusterError(ClusterFault.THROTTLED, busy) from None
            yield

    async def _compared(
        self, inventory: Inventory, version: Version, cluster: Cluster
    ) -> tuple[DriftedObject, ...]:
        def manifests() -> list[Manifest]:
            return compile_canvas(
                version.canvas,
                workflow_id=inventory.workflow_id,
                workflow_name=inventory.workflow_name,
                namespace=inventory.namespace,
            )

        made = await beside(len(version.nodes), manifests)
        try:
            async with asyncio.timeout(_SECONDS), self._connect(cluster) as client:
                observed = await observe(client, made, at_once=self._objects_at_once)
        except TimeoutError:
            raise ClusterError(
                ClusterFault.TIMED_OUT,
                f"The cluster did not answer everything within {_SECONDS:g} s. Try again.",
            ) from None
        return await beside(len(made), lambda: _judged(inventory, observed))

    async def _is_moving(self, inventory: Inventory) -> bool:
        """Whether a run changes what is deployed, or has since the inventory was read."""
        if await self._work.active_run(inventory.workflow_id) is not None:
            return True
        now = await self._deployed(inventory.workflow_id)
        return now is None or (now.id, now.updated_at) != (inventory.id, inventory.updated_at)

    async def _kept(self, inventory: Inventory) -> Drift | None:
        found = (await self._store.of([inventory.workflow_id])).get(inventory.workflow_id)
        return found.drift if found is not None and _is_of(found, inventory) else None

    async def _deployed(self, workflow_id: Id) -> Inventory | None:
        """The inventory of the version that is live; of several, of the last."""
        found = await self._inventories.of_workflows([workflow_id])
        return next((one for one in found if one.version is not None), None)


def _judged(inventory: Inventory, observed: Sequence[Observed]) -> tuple[DriftedObject, ...]:
    question = Question(workflow_id=inventory.workflow_id, inventory=tuple(inventory.entries))
    return drifted(observed, shortened(make_plan(observed, question)))


def _is_of(found: StoredDrift, inventory: Inventory) -> bool:
    """Whether it was found of what is deployed now."""
    return (found.cluster_id, found.version) == (inventory.cluster_id, inventory.version)
