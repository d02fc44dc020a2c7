"""Versions in MongoDB: one document each, inserted once."""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from pymongo import DESCENDING, IndexModel

from app.documents.canvases import WITHOUT_CANVAS, read_canvas, write_canvas
from app.documents.database import Stored, Transaction, encode
from app.documents.keyset import Keyset, Page, find_page
from app.domain.ids import Id
from app.domain.workflow import Version, VersionRow


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
        row = encode({name: getattr(version, name) for name in VersionRow.model_fields})
        row["_id"] = row.pop("id")
        await VersionDocument.get_pymongo_collection().insert_one(
            row | write_canvas(version.canvas), session=transaction
        )

    async def get(self, workflow_id: Id, number: int) -> Version | None:
        found = await VersionDocument.get_pymongo_collection().find_one(
            {"workflow_id": ObjectId(workflow_id), "number": number}
        )
        return _version(found) if found else None

    async def by_ids(self, ids: Sequence[Id]) -> list[Version]:
        wanted = [ObjectId(id_) for id_ in ids]
        found = VersionDocument.get_pymongo_collection().find({"_id": {"$in": wanted}})
        return [_version(document) async for document in found]

    async def page(self, workflow_id: Id, keyset: Keyset) -> Page[VersionRow]:
        """Rows without their canvases, in the keyset's order."""
        return await find_page(
            VersionDocument.get_pymongo_collection(),
            {"workflow_id": ObjectId(workflow_id)},
            keyset,
            _row,
            projection=WITHOUT_CANVAS,
        )


def _row(document: Mapping[str, Any]) -> VersionRow:
    return VersionRow.model_validate({**document, "id": document["_id"]})


def _version(document: Mapping[str, Any]) -> Version:
    canvas = read_canvas(document)
    return Version.model_construct(**vars(_row(document)), nodes=canvas.nodes, edges=canvas.edges)
