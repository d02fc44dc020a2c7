"""The audit record in MongoDB: entries are inserted and never changed."""

from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING, IndexModel

from app.documents.database import Stored, Transaction, encode
from app.domain.audit import AuditEntry
from app.domain.ids import Id


class AuditDocument(AuditEntry, Stored):
    """An entry as it is stored."""

    class Settings(Stored.Settings):
        name = "audit"
        indexes = [  # noqa: RUF012
            IndexModel([("workflow_id", ASCENDING), ("_id", DESCENDING)], name="workflow_newest"),
        ]


class AuditStore:
    """Every query on the audit record."""

    async def append(self, entry: AuditEntry, transaction: Transaction) -> None:
        """Adds an entry, as part of what it tells of."""
        document = encode(dict(entry))
        document["_id"] = document.pop("id")
        await AuditDocument.get_pymongo_collection().insert_one(document, session=transaction)

    async def of_workflow(self, workflow_id: Id, *, most: int = 100) -> list[AuditEntry]:
        """The newest entries of a workflow, newest first."""
        found = (
            AuditDocument.get_pymongo_collection()
            .find({"workflow_id": ObjectId(workflow_id)})
            .sort("_id", DESCENDING)
            .limit(most)
        )
        return [_entry(document) async for document in found]


def _entry(document: dict[str, Any]) -> AuditEntry:
    return AuditEntry.model_validate({**document, "id": document["_id"]})
