"""What is deployed on one cluster: which workflows were deployed there last, and what of them."""

from collections.abc import Collection, Iterable, Mapping

from app.documents.inventories import InventoryStore
from app.documents.runs import RunStore
from app.documents.statuses import StatusStore, WorkflowStatuses
from app.documents.work import WorkStore
from app.domain import labels
from app.domain.ids import Id
from app.domain.inventory import Inventory
from app.domain.livestatus import Moving
from app.kube.informers import PODS_AND_CO, Kind


class Deployed:
    """As the database said when it was asked last."""

    def __init__(
        self,
        cluster_id: Id,
        *,
        inventories: InventoryStore,
        statuses: StatusStore,
        work: WorkStore,
        runs: RunStore,
    ) -> None:
        self._cluster_id = cluster_id
        self._inventories = inventories
        self._statuses = statuses
        self._work = work
        self._runs = runs
        self.here: dict[Id, Inventory] = {}
        """Of the workflows that are deployed here."""
        self.known: dict[Id, WorkflowStatuses] = {}
        """What was told of them, and of those that are not deployed any more."""
        self._moving: dict[Id, tuple[Id, Moving]] = {}
        """What runs are doing, by workflow, with the id of the run."""
        self._by_label: dict[str, Id] = {}

    async def load(self) -> None:
        """Asks for everything."""
        ids = {one.workflow_id for one in await self._inventories.on_cluster(self._cluster_id)}
        ids.update(self.here, await self._statuses.on_cluster(self._cluster_id))
        await self.reload(ids)

    async def reload(self, workflow_ids: Collection[Id]) -> None:
        """Asks again for these workflows."""
        ids = list(workflow_ids)
        active = await self._work.active(ids)
        current: dict[Id, Inventory] = {}
        for one in await self._inventories.of_workflows(ids):
            if one.of_nodes:
                current.setdefault(one.workflow_id, one)
        known = await self._statuses.of(ids)
        # A run that began or ended meanwhile is told of once more.
        await self._follow(ids, active | await self._work.active(ids))
        for id_ in ids:
            self.forget(id_)
            inventory, told = current.get(id_), known.get(id_)
            if inventory is not None and inventory.cluster_id == self._cluster_id:
                self.here[id_] = inventory
                self._by_label[labels.of_id(id_)] = id_
            elif inventory is not None or (told and told.cluster_id != self._cluster_id):
                continue  # it is another cluster's to tell of
            if told is not None and (inventory is not None or told.nodes):
                self.known[id_] = told

    async def _follow(self, workflow_ids: Collection[Id], active: Mapping[Id, Id]) -> None:
        """Notes what the active runs of these workflows are doing."""
        for id_ in workflow_ids:
            if id_ in self._moving and self._moving[id_][0] != active.get(id_):
                del self._moving[id_]
        new = {run_id: id_ for id_, run_id in active.items() if id_ not in self._moving}
        for run in await self._runs.by_ids(list(new)) if new else ():
            self._moving[new[run.id]] = (run.id, Moving.by(run))

    def moving(self, workflow_id: Id) -> Moving | None:
        """What a run is doing to a workflow that is deployed here."""
        found = self._moving.get(workflow_id)
        return found[1] if found is not None else None

    def forget(self, workflow_id: Id) -> None:
        """Nothing is to be told of this workflow any more."""
        self.here.pop(workflow_id, None)
        self.known.pop(workflow_id, None)
        self._by_label.pop(labels.of_id(workflow_id), None)

    @property
    def workflows(self) -> set[Id]:
        """All of which something may be to tell."""
        return self.here.keys() | self.known.keys()

    def labelled(self, found: Iterable[str]) -> set[Id]:
        """The workflows with these labels, of those that are deployed here."""
        return {self._by_label[label] for label in found if label in self._by_label}

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds that are to be watched."""
        keys = (entry.key for one in self.here.values() for entry in one.of_nodes)
        return frozenset({*PODS_AND_CO, *(Kind(key.api_version, key.kind) for key in keys)})

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces that are to be watched."""
        found = {name for one in self.here.values() for name in namespaces_of(one)}
        return frozenset(name for name in found if name is not None)


def namespaces_of(inventory: Inventory) -> tuple[str | None, ...]:
    """Where the objects of an inventory are, and its nodes without a namespace; None stands for
    what belongs to the whole cluster."""
    found = {inventory.namespace, *(entry.place for entry in inventory.of_nodes)}
    return tuple(sorted(found, key=lambda name: name or ""))
