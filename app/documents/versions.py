"""Versions in MongoDB: one document each, inserted once."""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo import DESCENDING, IndexModel

from app.documents.database import Stored, Transaction
from app.documents.keyset import Keyset, Page, find_page
from app.domain.ids import Id
from app.domain.workflow import Version, VersionRow

_WITHOUT_CANVAS = {"nodes": False, "edges": False}


class VersionDocument(Version, Stored):
    """A version as it is stored."""

    class Settings(Stored.Settings):
        name = "workflow_versions"
        indexes = [  # noqa: RUF012
            IndexModel(
                [("workflow_id", DESCENDING), ("number", DESCENDING)],
                name="workflow_number",
                unique=True,
            )
        ]


class VersionStore:
    """Every query on versions."""

    async def insert(self, version: Version, transaction: Transaction) -> None:
        await VersionDocument.model_construct(None, **dict(version)).insert(session=transaction)

    async def get(self, workflow_id: Id, number: int) -> Version | None:
        return await VersionDocument.find_one(
            {"workflow_id": ObjectId(workflow_id), "number": number}
        )

    async def by_ids(self, ids: Sequence[Id]) -> list[Version]:
        wanted = [ObjectId(id_) for id_ in ids]
        return list(await VersionDocument.find({"_id": {"$in": wanted}}).to_list())

    async def page(self, workflow_id: Id, keyset: Keyset) -> Page[VersionRow]:
        """Rows without their canvases, in the keyset's order."""
        return await find_page(
            VersionDocument.get_pymongo_collection(),
            {"workflow_id": ObjectId(workflow_id)},
            keyset,
            _row,
            projection=_WITHOUT_CANVAS,
        )


def _row(document: Mapping[str, Any]) -> VersionRow:
    return VersionRow.model_validate({**document, "id": document["_id"]})
