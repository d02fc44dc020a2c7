"""Runs in MongoDB: what people see of them. What a worker needs meanwhile is in `work`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel

from app.documents.database import Stored, Transaction, encode
from app.documents.keyset import Keyset, Page, find_page
from app.domain.ids import Id
from app.domain.run import RunFilter, WorkflowRun


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
            # What can be filtered by stands behind the order, so that no other run is loaded.
            IndexModel(
                [
                    ("started_by", ASCENDING),
                    ("_id", DESCENDING),
                    ("status", ASCENDING),
                    ("kind", ASCENDING),
                    ("cluster_id", ASCENDING),
                    ("workflow_id", ASCENDING),
                ],
                name="started_newest",
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

    async def record(
        self, run: WorkflowRun, nodes: Iterable[int], transaction: Transaction
    ) -> None:
        """The same of everything but its nodes, and of these, those at the places `nodes`."""
        fields = {name: value for name, value in dict(run).items() if name not in {"id", "nodes"}}
        changed = encode(fields) | {f"nodes.{n}": encode(run.nodes[n]) for n in nodes}
        await RunDocument.get_pymongo_collection().update_one(
            {"_id": ObjectId(run.id)}, {"$set": changed}, session=transaction
        )

    async def told(self, id_: Id, transaction: Transaction) -> tuple[int, datetime | None] | None:
        """The number of the newest event, and when it was asked to cancel the run."""
        found = await RunDocument.get_pymongo_collection().find_one(
            {"_id": ObjectId(id_)}, {"seq": 1, "cancel_requested_at": 1}, session=transaction
        )
        return (found["seq"], found.get("cancel_requested_at")) if found else None

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

    async def page_started(
        self, started_by: Id, filter_: RunFilter, keyset: Keyset
    ) -> Page[WorkflowRun]:
        """The runs that somebody started, in the keyset's order."""
        return await find_page(
            RunDocument.get_pymongo_collection(),
            _started(started_by, filter_),
            keyset,
            _run,
            projection=_SEEN,
        )

    async def count_started(self, started_by: Id, filter_: RunFilter) -> int:
        return await RunDocument.get_pymongo_collection().count_documents(
            _started(started_by, filter_)
        )


def _started(started_by: Id, filter_: RunFilter) -> dict[str, Any]:
    query: dict[str, Any] = {"started_by": ObjectId(started_by)}
    if filter_.workflow_id is not None:
        query["workflow_id"] = ObjectId(filter_.workflow_id)
    if filter_.cluster_id is not None:
        query["cluster_id"] = ObjectId(filter_.cluster_id)
    if filter_.status is not None:
        query["status"] = {"$in": [status.value for status in filter_.status]}
    if filter_.kind is not None:
        query["kind"] = {"$in": [kind.value for kind in filter_.kind]}
    return query


def _run(document: dict[str, Any]) -> WorkflowRun:
    return WorkflowRun.model_validate({**document, "id": document["_id"]})
