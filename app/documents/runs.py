"""Runs in MongoDB: what people see of them. What a worker needs meanwhile is in `work`."""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel

from app.documents.database import Stored, Transaction, encode
from app.documents.keyset import Keyset, Page, find_page
from app.domain.ids import Id
from app.domain.run import WorkflowRun


class RunDocument(WorkflowRun, Stored):
    """A run as it is stored."""

    request_key: str | None = None
    """The client's idempotency key."""
    request_digest: str | None = None
    """What came with that key, without any secret value."""

    class Settings(Stored.Settings):
        name = "workflow_runs"
        indexes = [  # noqa: RUF012
            IndexModel([("workflow_id", ASCENDING), ("_id", DESCENDING)], name="workflow_newest"),
            IndexModel(
                [("started_by", ASCENDING), ("request_key", ASCENDING)],
                name="request_key",
                unique=True,
                partialFilterExpression={"request_key": {"$exists": True}},
            ),
        ]


_SEEN = {"request_key": 0, "request_digest": 0}


class RunStore:
    """Every query on runs."""

    async def insert(
        self,
        run: WorkflowRun,
        transaction: Transaction | None = None,
        *,
        request: tuple[str, str] | None = None,
    ) -> None:
        """Adds a run. `request` is its idempotency key with the digest of what came with it.

        Raises pymongo's DuplicateKeyError when the caller has used the key already.
        """
        document = encode(dict(run))
        document["_id"] = document.pop("id")
        if request is not None:
            document["request_key"], document["request_digest"] = request
        await RunDocument.get_pymongo_collection().insert_one(document, session=transaction)

    async def get(self, id_: Id, transaction: Transaction | None = None) -> WorkflowRun | None:
        found = await RunDocument.get_pymongo_collection().find_one(
            {"_id": ObjectId(id_)}, _SEEN, session=transaction
        )
        return _run(found) if found else None

    async def by_request(self, started_by: Id, key: str) -> tuple[WorkflowRun, str] | None:
        """The run that the caller asked for under an idempotency key, and what came with it."""
        found = await RunDocument.get_pymongo_collection().find_one(
            {"started_by": ObjectId(started_by), "request_key": key}
        )
        return (_run(found), found["request_digest"]) if found else None

    async def replace(self, run: WorkflowRun, transaction: Transaction) -> None:
        """Writes what has become of the run, as part of a transaction that holds its work."""
        document = encode(dict(run))
        del document["id"]
        await RunDocument.get_pymongo_collection().update_one(
            {"_id": ObjectId(run.id)}, {"$set": document}, session=transaction
        )

    async def by_ids(self, ids: Sequence[Id]) -> list[WorkflowRun]:
        wanted = [ObjectId(id_) for id_ in ids]
        found = RunDocument.get_pymongo_collection().find({"_id": {"$in": wanted}}, _SEEN)
        return [_run(document) async for document in found]

    async def page(self, workflow_id: Id, keyset: Keyset) -> Page[WorkflowRun]:
        """The runs of a workflow, in the keyset's order."""
        return await find_page(
            RunDocument.get_pymongo_collection(),
            {"workflow_id": ObjectId(workflow_id)},
            keyset,
            _run,
            projection=_SEEN,
        )

    async def count(self, workflow_id: Id) -> int:
        return await RunDocument.get_pymongo_collection().count_documents(
            {"workflow_id": ObjectId(workflow_id)}
        )

    async def newest(self, workflow_ids: Sequence[Id]) -> list[WorkflowRun]:
        """The newest run of each workflow that has one, in one command."""
        found = await RunDocument.get_pymongo_collection().aggregate(
            [
                {"$match": {"workflow_id": {"$in": [ObjectId(id_) for id_ in workflow_ids]}}},
                {"$sort": {"workflow_id": 1, "_id": -1}},
                {"$group": {"_id": "$workflow_id", "run": {"$first": "$$ROOT"}}},
            ]
        )
        return [_run(group["run"]) async for group in found]


def _run(document: dict[str, Any]) -> WorkflowRun:
    return WorkflowRun.model_validate({**document, "id": document["_id"]})
