"""Live statuses in MongoDB: one document per workflow, with the counter of its stream."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from app.documents.database import Stored, Transaction, encode
from app.domain.ids import Id
from app.domain.node import NodeStatus


class NodeStatusDocument(Stored):
    """How the nodes of a workflow are, under the workflow's id."""

    cluster_id: Id
    namespaces: list[str | None]
    seq: int = 0
    nodes: dict[str, NodeStatus] = Field(default_factory=dict)

    class Settings(Stored.Settings):
        name = "node_status"
        indexes = [IndexModel([("cluster_id", ASCENDING)], name="cluster")]  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class WorkflowStatuses:
    """How the nodes of a workflow are on the cluster that it was deployed to last.

    `namespaces` are those of its objects; None stands for the whole cluster. `seq` is of the newest
    event.
    """

    workflow_id: Id
    cluster_id: Id
    namespaces: tuple[str | None, ...]
    seq: int
    nodes: Mapping[str, NodeStatus]


class StatusStore:
    """Every query on live statuses."""

    async def get(
        self, workflow_id: Id, transaction: Transaction | None = None
    ) -> WorkflowStatuses | None:
        """Those of a workflow; None when it was never deployed."""
        found = await NodeStatusDocument.get_pymongo_collection().find_one(
            {"_id": ObjectId(workflow_id)}, session=transaction
        )
        return _statuses(found) if found else None

    async def of(self, workflow_ids: Sequence[Id]) -> dict[Id, WorkflowStatuses]:
        """Those of the workflows that were ever deployed, in one command."""
        wanted = [ObjectId(id_) for id_ in workflow_ids]
        found = NodeStatusDocument.get_pymongo_collection().find(
            {"_id": {"$in": wanted}}, batch_size=len(wanted) + 1
        )
        statuses = [_statuses(one) async for one in found]
        return {one.workflow_id: one for one in statuses}

    async def on_cluster(self, cluster_id: Id) -> list[Id]:
        """The workflows that have a status from there."""
        found = NodeStatusDocument.get_pymongo_collection().find(
            {"cluster_id": ObjectId(cluster_id), "nodes": {"$gt": {}}}, {"_id": 1}
        )
        return [Id(one["_id"]) async for one in found]

    async def clusters(self) -> list[Id]:
        """The clusters that any workflow has a status from."""
        found = await NodeStatusDocument.get_pymongo_collection().distinct(
            "cluster_id", {"nodes": {"$gt": {}}}
        )
        return [Id(one) for one in found]

    async def record(
        self,
        after: WorkflowStatuses,
        *,
        changed: Collection[str],
        gone: Collection[str],
        transaction: Transaction,
    ) -> None:
        """Writes what was read in the same transaction; of the nodes those that are named."""
        put = {f"nodes.{id_}": encode(after.nodes[id_]) for id_ in changed}
        head = {
            "cluster_id": ObjectId(after.cluster_id),
            "namespaces": list(after.namespaces),
            "seq": after.seq,
        }
        change: dict[str, Any] = {"$set": head | put}
        if gone:
            change["$unset"] = {f"nodes.{id_}": "" for id_ in gone}
        await NodeStatusDocument.get_pymongo_collection().update_one(
            {"_id": ObjectId(after.workflow_id)}, change, upsert=True, session=transaction
        )


def _statuses(found: Mapping[str, Any]) -> WorkflowStatuses:
    return WorkflowStatuses(
        workflow_id=Id(found["_id"]),
        cluster_id=Id(found["cluster_id"]),
        namespaces=tuple(found["namespaces"]),
        seq=found["seq"],
        nodes={id_: NodeStatus.model_validate(one) for id_, one in found.get("nodes", {}).items()},
    )
