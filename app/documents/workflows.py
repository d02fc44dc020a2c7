"""Workflows in MongoDB: nodes and edges as maps by id, so that an edit patches what it changed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from app.documents import trusting
from app.documents.canvases import WITHOUT_CANVAS, read_canvas, write_canvas
from app.documents.database import Stored, Transaction, encode
from app.documents.keyset import Keyset, Page, find_page
from app.domain.canvas import Canvas
from app.domain.ids import Id
from app.domain.node import Value, WorkflowNode
from app.domain.workflow import Workflow, WorkflowFilter, WorkflowRow


class WorkflowDocument(Workflow, Stored):
    """A workflow as it is stored."""

    class Settings(Stored.Settings):
        name = "workflows"
        indexes = [  # noqa: RUF012
            *(
                IndexModel(
                    [
                        ("owner_id", ASCENDING),
                        ("deleted_at", ASCENDING),
                        (key, order),
                        ("_id", order),
                    ],
                    name=f"owner_{key}",
                )
                for key, order in (
                    ("updated_at", DESCENDING),
                    ("created_at", DESCENDING),
                    ("name", ASCENDING),
                )
            ),
            IndexModel([("cluster_id", ASCENDING), ("deleted_at", ASCENDING)], name="cluster"),
        ]


def _query(owner_id: Id, filter_: WorkflowFilter) -> dict[str, Any]:
    query: dict[str, Any] = {
        "owner_id": ObjectId(owner_id),
        "deleted_at": {"$gt": _BEGINNING} if filter_.deleted else None,
    }
    if filter_.search:
        query["name"] = {"$regex": re.escape(filter_.search), "$options": "i"}
    if filter_.status is not None:
        query["status"] = {"$in": [status.value for status in filter_.status]}
    if filter_.tags:
        query["tags"] = {"$all": list(filter_.tags)}
    if filter_.cluster_id is not None:
        query["cluster_id"] = ObjectId(filter_.cluster_id)
    return query


_BEGINNING = datetime.min


@dataclass(frozen=True, slots=True)
class WorkflowPatch:
    """What one write changes. `fields` are metadata by their names in the document."""

    before: Canvas
    after: Canvas
    fields: Mapping[str, Any] = field(default_factory=dict)
    increments: Mapping[str, int] = field(default_factory=dict)

    def operators(self) -> dict[str, dict[str, Any]]:
        """The update: only what differs is named, so a moved node costs one position.

        MongoDB puts several new fields in an order of its own. Parts that would not end up in the
        canvas's order are written whole.
        """
        put = {name: encode(value) for name, value in self.fields.items()}
        gone: dict[str, str] = {}
        for name, before, after in (
            ("nodes", self.before.nodes, self.after.nodes),
            ("edges", self.before.edges, self.after.edges),
        ):
            if _appends(before, after):
                put |= _differences(name, before, after)
                gone |= {f"{name}.{key}": "" for key in before if key not in after}
            else:
                put[name] = {key: trusting.write(value) for key, value in after.items()}
        return {"$set": put, "$inc": dict(self.increments), "$unset": gone}


def _appends(before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
    """Whether patching `before` part by part gives the order of `after`."""
    new = [key for key in after if key not in before]
    kept = [key for key in before if key in after]
    return len(new) <= 1 and list(after) == kept + new


def _differences(
    name: str, before: Mapping[str, Value], after: Mapping[str, Value]
) -> dict[str, Any]:
    put: dict[str, Any] = {}
    for key, value in after.items():
        old = before.get(key)
        if old == value:
            continue
        stored = trusting.write(value)
        if isinstance(old, WorkflowNode) and isinstance(value, WorkflowNode):
            for part in ("position", "data"):
                if getattr(old, part) != getattr(value, part):
                    put[f"{name}.{key}.{part}"] = stored[part]
        else:
            put[f"{name}.{key}"] = stored
    return put


class WorkflowStore:
    """Every query on workflows."""

    async def insert(self, workflow: Workflow) -> None:
        row = encode({name: getattr(workflow, name) for name in WorkflowRow.model_fields})
        row["_id"] = row.pop("id")
        await WorkflowDocument.get_pymongo_collection().insert_one(
            row | write_canvas(workflow.canvas)
        )

    async def get(self, id_: Id) -> Workflow | None:
        """A workflow with its canvas, deleted or not."""
        found = await WorkflowDocument.get_pymongo_collection().find_one({"_id": ObjectId(id_)})
        return _workflow(found) if found else None

    async def by_ids(self, ids: Sequence[Id]) -> list[Workflow]:
        """Workflows with their canvases, deleted or not."""
        wanted = [ObjectId(id_) for id_ in ids]
        found = WorkflowDocument.get_pymongo_collection().find({"_id": {"$in": wanted}})
        return [_workflow(document) async for document in found]

    async def rows(self, ids: Sequence[Id]) -> list[WorkflowRow]:
        """Workflows without their canvases, deleted or not."""
        wanted = [ObjectId(id_) for id_ in ids]
        found = WorkflowDocument.get_pymongo_collection().find(
            {"_id": {"$in": wanted}}, WITHOUT_CANVAS
        )
        return [_row(document) async for document in found]

    async def page(
        self, owner_id: Id, filter_: WorkflowFilter, keyset: Keyset
    ) -> Page[WorkflowRow]:
        """Rows without their canvases, in the keyset's order."""
        return await find_page(
            WorkflowDocument.get_pymongo_collection(),
            _query(owner_id, filter_),
            keyset,
            _row,
            projection=WITHOUT_CANVAS,
        )

    async def count(self, owner_id: Id, filter_: WorkflowFilter) -> int:
        return await WorkflowDocument.get_pymongo_collection().count_documents(
            _query(owner_id, filter_)
        )

    async def count_choosing(self, cluster_id: Id, transaction: Transaction) -> int:
        """How many workflows, whoever's, are to be deployed to the cluster."""
        return await WorkflowDocument.get_pymongo_collection().count_documents(
            {"cluster_id": ObjectId(cluster_id), "deleted_at": None}, session=transaction
        )

    async def update(
        self,
        id_: Id,
        patch: WorkflowPatch,
        *,
        where: Mapping[str, Any],
        now: datetime | None,
        transaction: Transaction,
    ) -> WorkflowRow | None:
        """One conditional write; None when the document no longer fits `where`.

        Without `now` it does not count as a change by somebody. The number of the stream's newest
        event, `seq`, grows with every write.
        """
        update = patch.operators()
        if now is not None:
            update["$set"]["updated_at"] = now
        update["$inc"]["seq"] = 1
        update = {operator: what for operator, what in update.items() if what}
        found = await WorkflowDocument.get_pymongo_collection().find_one_and_update(
            {"_id": ObjectId(id_), **where},
            update,
            projection=WITHOUT_CANVAS,
            return_document=ReturnDocument.AFTER,
            session=transaction,
        )
        return _row(found) if found else None


def _row(document: Mapping[str, Any]) -> WorkflowRow:
    return WorkflowRow.model_validate({**document, "id": document["_id"]})


def _workflow(document: Mapping[str, Any]) -> Workflow:
    canvas = read_canvas(document)
    return Workflow.model_construct(**vars(_row(document)), nodes=canvas.nodes, edges=canvas.edges)
