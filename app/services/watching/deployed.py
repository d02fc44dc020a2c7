"""What is deployed on one cluster: which workflows were deployed there last, and what of them."""

from collections.abc import Collection, Iterable

from app.documents.inventories import InventoryStore
from app.documents.statuses import StatusStore, WorkflowStatuses
from app.domain import labels
from app.domain.ids import Id
from app.domain.inventory import Inventory
from app.kube.informers import PODS_AND_CO, Kind


class Deployed:
    """As the database said when it was asked last."""

    def __init__(
        self, cluster_id: Id, *, inventories: InventoryStore, statuses: StatusStore
    ) -> None:
        self._cluster_id = cluster_id
        self._inventories = inventories
        self._statuses = statuses
        self.here: dict[Id, Inventory] = {}
        """Of the workflows that are deployed here."""
        self.known: dict[Id, WorkflowStatuses] = {}
        """What was told of them, and of those that are not deployed any more."""
        self._by_label: dict[str, Id] = {}

    async def load(self) -> None:
        """Asks for everything."""
        ids = {one.workflow_id for one in await self._inventories.on_cluster(self._cluster_id)}
        ids.update(self.here, await self._statuses.on_cluster(self._cluster_id))
        await self.reload(ids)

    async def reload(self, workflow_ids: Collection[Id]) -> None:
        """Asks again for these workflows."""
        ids = list(workflow_ids)
        current: dict[Id, Inventory] = {}
        for one in await self._inventories.of_workflows(ids):
            if one.of_nodes:
                current.setdefault(one.workflow_id, one)
        known = await self._statuses.of(ids)
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
        return frozenset(name for one in self.here.values() for name in namespaces_of(one))


def namespaces_of(inventory: Inventory) -> tuple[str, ...]:
    """Where the objects of an inventory are, and its nodes without a namespace."""
    found = {entry.key.namespace for entry in inventory.of_nodes} - {None}
    return tuple(sorted({inventory.namespace, *map(str, found)}))
