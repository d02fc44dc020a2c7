"""What a workflow's runs made on a cluster: what may be pruned, and what is looked at there."""

from datetime import datetime

from pydantic import ConfigDict, Field

from app.domain.ids import Id
from app.domain.planning.objects import InventoryEntry
from app.domain.workflow import Entity


class Inventory(Entity):
    """What is on a cluster of a workflow, as far as its runs know.

    Entries are written before the object is made, with its uid when there is one. `version` is the
    one that a run last finished applying, None when nothing is deployed; `namespace` where its
    nodes without one are.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    workflow_id: Id
    cluster_id: Id
    namespace: str
    version: int | None = None
    workflow_name: str = ""
    """As it was when that version was applied: objects carry it."""
    entries: list[InventoryEntry] = Field(default_factory=list)
    updated_at: datetime

    @property
    def of_nodes(self) -> list[InventoryEntry]:
        """The entries that nodes stand for: not what stays behind when its node is removed."""
        return [one for one in self.entries if one.node_id is not None and not one.kept]
