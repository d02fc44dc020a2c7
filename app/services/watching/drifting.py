"""Drift: what is on the cluster against the version that was deployed, asked by dry runs."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

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
from app.services.watching.together import Together
from app.services.watching.turns import Turns

_SECONDS = 24.0
"""For a cluster to answer everything about one workflow."""
_PATIENCE = 5.0
"""Seconds that people wait for a turn. With the above less than an operation may take."""
_ROUNDS = 4
"""Rounds have a quarter as many turns as people, and none of theirs."""


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
        self._asked = Turns(most=at_once, patience=_PATIENCE)
        self._rounds = Turns(most=max(1, at_once // _ROUNDS), patience=None)
        self._looks = Together[Drift | None]()

    async def check(self, actor: Actor, workflow: WorkflowRow) -> Drift | None:
        """How far the cluster has moved from what is deployed; None when nothing is.

        While a run changes what is deployed nothing of that is drift: then it is what was found
        last, None when that was of another version. It is asked once for all who want to know at
        the same time. Raises NotFound, Forbidden, RateLimited, ClusterError.
        """
        inventory = await self._deployed(workflow.id)
        if inventory is None:
            return None
        cluster = await self._clusters.get(inventory.cluster_id)
        now = self._now()
        if cluster is None or not policy.sees_cluster(actor, cluster, now=now):
            raise NotFound("cluster")
        policy.looks_in(actor, cluster, namespaces_of(inventory), now=now).enforce()
        return await self._looks.do(workflow.id, lambda: self._look(inventory, self._asked))

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
            return policy.looks_in(actor, cluster, found.namespaces, now=now).allowed

        return {id_: found.drift for id_, found in kept.items() if shows(found)}

    async def look(self, inventory: Inventory) -> Drift | None:
        """The same for nobody, however long it has to wait for its turn. Raises ClusterError."""
        return await self._look(inventory, self._rounds)

    async def close(self) -> None:
        """Breaks off what is under way."""
        await self._looks.close()

    async def _look(self, inventory: Inventory, turns: Turns) -> Drift | None:
        version = await self._versions.get(inventory.workflow_id, inventory.version or 0)
        cluster = await self._clusters.get(inventory.cluster_id)
        if version is None or cluster is None:
            return None
        async with turns.turn(cluster):
            if await self._is_moving(inventory):
                return await self._kept(inventory)
            began = self._now()
            objects = await self._compared(inventory, version, cluster)
            if await self._is_moving(inventory):
                return await self._kept(inventory)
            found = StoredDrift(
                version.workflow_id,
                cluster.id,
                version.number,
                namespaces_of(inventory),
                Drift(began, objects),
            )
            await self._store.put(found)
            return found.drift

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
