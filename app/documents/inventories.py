"""Inventories in MongoDB: one per workflow and cluster, its entries by a digest of their identity,
so that a run can say of one object what has become of it."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bson import ObjectId
from pydantic import Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from app.documents.database import Stored, Transaction
from app.documents.runs import RunDocument
from app.documents.work import WorkDocument
from app.domain.ids import Id
from app.domain.inventory import Inventory
from app.domain.labels import digest
from app.domain.planning import InventoryEntry, ObjectKey

_MARKS = ("kept", "of_cluster")
"""What is written of an entry only when it is so."""


class InventoryDocument(Stored):
    """An inventory as it is stored."""

    workflow_id: Id
    cluster_id: Id
    namespace: str
    version: int | None = None
    workflow_name: str = ""
    entries: dict[str, dict[str, Any]] = Field(default_factory=dict)
    updated_at: datetime

    class Settings(Stored.Settings):
        name = "inventories"
        indexes = [  # noqa: RUF012
            IndexModel(
                [("workflow_id", ASCENDING), ("cluster_id", ASCENDING)],
                name="workflow_cluster",
                unique=True,
            ),
            IndexModel([("cluster_id", ASCENDING), ("_id", ASCENDING)], name="cluster"),
        ]


def digest_of(key: ObjectKey) -> str:
    """Stands for an object in the documents of inventories and work: 24 hexadecimal digits."""
    return digest("\n".join(key.identity), 24)


class InventoryStore:
    """Every query on inventories."""

    async def get(
        self, workflow_id: Id, cluster_id: Id, transaction: Transaction | None = None
    ) -> Inventory | None:
        found = await InventoryDocument.get_pymongo_collection().find_one(
            _of(workflow_id, cluster_id), session=transaction
        )
        return _inventory(found) if found else None

    async def of_workflows(
        self, workflow_ids: Sequence[Id], transaction: Transaction | None = None
    ) -> list[Inventory]:
        """All inventories of the workflows, the last changed first."""
        wanted = [ObjectId(id_) for id_ in workflow_ids]
        found = (
            InventoryDocument.get_pymongo_collection()
            .find({"workflow_id": {"$in": wanted}}, session=transaction)
            .sort("updated_at", DESCENDING)
        )
        return [_inventory(document) async for document in found]

    async def on_cluster(self, cluster_id: Id) -> list[Inventory]:
        """All inventories of a cluster."""
        found = InventoryDocument.get_pymongo_collection().find(
            {"cluster_id": ObjectId(cluster_id)}
        )
        return [_inventory(document) async for document in found]

    async def count_on(self, cluster_id: Id, transaction: Transaction) -> int:
        """How many workflows have something on the cluster."""
        return await InventoryDocument.get_pymongo_collection().count_documents(
            {"cluster_id": ObjectId(cluster_id), "entries": {"$ne": {}}}, session=transaction
        )

    async def forget(self, cluster_id: Id, transaction: Transaction) -> None:
        """Forgets what is on a cluster."""
        await InventoryDocument.get_pymongo_collection().delete_many(
            {"cluster_id": ObjectId(cluster_id)}, session=transaction
        )

    async def put(
        self,
        workflow_id: Id,
        cluster_id: Id,
        *,
        namespace: str,
        entries: Iterable[InventoryEntry],
        now: datetime,
        transaction: Transaction,
    ) -> None:
        """Writes the entries of a run that is about to begin, in place of those before."""
        await InventoryDocument.get_pymongo_collection().update_one(
            _of(workflow_id, cluster_id),
            {
                "$set": {
                    "namespace": namespace,
                    "entries": {digest_of(one.key): _written(one) for one in entries},
                    "updated_at": now,
                }
            },
            upsert=True,
            session=transaction,
        )

    async def note(
        self,
        workflow_id: Id,
        cluster_id: Id,
        *,
        made: Mapping[str, str],
        gone: Iterable[str],
        transaction: Transaction,
    ) -> None:
        """The uids of what was made, and what is gone, by `digest_of` their keys."""
        put = {f"entries.{one}.uid": uid for one, uid in made.items()}
        away = {f"entries.{one}": "" for one in gone}
        changes = {op: what for op, what in (("$set", put), ("$unset", away)) if what}
        if changes:
            await InventoryDocument.get_pymongo_collection().update_one(
                _of(workflow_id, cluster_id), changes, session=transaction
            )

    async def deployed(
        self,
        workflow_id: Id,
        cluster_id: Id,
        *,
        version: int | None,
        workflow_name: str,
        now: datetime,
        transaction: Transaction,
    ) -> None:
        """A run has finished applying this version; None when it has removed it."""
        await InventoryDocument.get_pymongo_collection().update_one(
            _of(workflow_id, cluster_id),
            {"$set": {"version": version, "workflow_name": workflow_name, "updated_at": now}},
            session=transaction,
        )

    async def heads(self, workflow_ids: Sequence[Id]) -> list[Inventory]:
        """All inventories of the workflows without their entries, the last changed first."""
        wanted = [ObjectId(id_) for id_ in workflow_ids]
        found = (
            InventoryDocument.get_pymongo_collection()
            .find({"workflow_id": {"$in": wanted}}, {"entries": 0})
            .sort("updated_at", DESCENDING)
        )
        return [_inventory({**document, "entries": {}}) async for document in found]

    async def clusters(self) -> list[Id]:
        """The clusters of all inventories that are not empty."""
        found = await InventoryDocument.get_pymongo_collection().distinct(
            "cluster_id", {"entries": {"$gt": {}}}
        )
        return [Id(one) for one in found]

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncIterator[Id]]:
        """The workflows of which something was deployed or removed, and of which a run has ended,
        from now on.

        Whatever is not in it can be read from the collection once this is open.
        """
        collection = InventoryDocument.get_pymongo_collection()
        runs = RunDocument.get_pymongo_collection()
        changed: dict[str, Any] = {
            "ns.coll": collection.name,
            # Not the uids of what was made.
            "$or": [
                {"operationType": {"$in": ["insert", "replace"]}},
                {"updateDescription.updatedFields.updated_at": {"$exists": True}},
                {"updateDescription.removedFields.0": {"$exists": True}},
            ],
        }
        ended = {"ns.coll": WorkDocument.Settings.name, "operationType": "delete"}
        pipeline: list[dict[str, Any]] = [
            {"$match": {"$or": [changed, ended]}},
            {"$project": {"documentKey": 1, "ns": 1}},
        ]
        client = collection.database.client
        async with (
            client.start_session(causal_consistency=True) as session,
            await collection.database.watch(pipeline, session=session) as changes,
        ):
            # The stream may begin ahead of what a majority has; this waits until it does not.
            await collection.find_one({"_id": None}, session=session)

            async def workflows() -> AsyncIterator[Id]:
                async for change in changes:
                    told_by = collection if change["ns"]["coll"] == collection.name else runs
                    found = await told_by.find_one(change["documentKey"], {"workflow_id": 1})
                    if found is not None:
                        yield Id(found["workflow_id"])

            yield workflows()


def _of(workflow_id: Id, cluster_id: Id) -> dict[str, Any]:
    return {"workflow_id": ObjectId(workflow_id), "cluster_id": ObjectId(cluster_id)}


def _written(entry: InventoryEntry) -> dict[str, Any]:
    marks = {name: True for name in _MARKS if getattr(entry, name)}
    return {**asdict(entry.key), "uid": entry.uid, "node_id": entry.node_id, **marks}


def _read(stored: Mapping[str, Any]) -> InventoryEntry:
    key = ObjectKey(stored["api_version"], stored["kind"], stored["namespace"], stored["name"])
    marks = {name: stored.get(name, False) for name in _MARKS}
    return InventoryEntry(key, stored["uid"], stored["node_id"], **marks)


def _inventory(document: Mapping[str, Any]) -> Inventory:
    # An entry that was removed before a uid was noted is only that uid.
    whole = [one for one in document["entries"].values() if "name" in one]
    return Inventory.model_validate(
        {**document, "id": document["_id"], "entries": [_read(one) for one in whole]}
    )
