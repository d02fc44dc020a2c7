"""What was found of drifts, in MongoDB: of each workflow the last, as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bson import ObjectId
from pydantic import TypeAdapter
from pymongo.errors import DuplicateKeyError

from app.documents.database import Stored
from app.domain.drift import Drift
from app.domain.ids import Id

_DRIFT = TypeAdapter(Drift)


class DriftDocument(Stored):
    """The last drift of a workflow, under the workflow's id."""

    cluster_id: Id
    version: int
    namespaces: list[str | None]
    checked_at: datetime
    drift: str

    class Settings(Stored.Settings):
        name = "drifts"


@dataclass(frozen=True, slots=True)
class StoredDrift:
    """How a version was found that was deployed on a cluster. `namespaces` are those of its
    objects; None stands for the whole cluster."""

    workflow_id: Id
    cluster_id: Id
    version: int
    namespaces: tuple[str | None, ...]
    drift: Drift


class DriftStore:
    """Every query on drifts."""

    async def put(self, found: StoredDrift) -> None:
        """Keeps what was found, unless something newer is kept."""
        at = found.drift.checked_at
        document = {
            "cluster_id": ObjectId(found.cluster_id),
            "version": found.version,
            "namespaces": list(found.namespaces),
            "checked_at": at,
            "drift": _DRIFT.dump_json(found.drift).decode(),
        }
        try:
            await DriftDocument.get_pymongo_collection().replace_one(
                {"_id": ObjectId(found.workflow_id), "checked_at": {"$lte": at}},
                document,
                upsert=True,
            )
        except DuplicateKeyError:
            return  # what is kept is newer

    async def of(self, workflow_ids: Sequence[Id]) -> dict[Id, StoredDrift]:
        """What is kept of these workflows, in one command."""
        wanted = [ObjectId(id_) for id_ in workflow_ids]
        found = DriftDocument.get_pymongo_collection().find(
            {"_id": {"$in": wanted}}, batch_size=len(wanted) + 1
        )
        return {
            Id(one["_id"]): StoredDrift(
                workflow_id=Id(one["_id"]),
                cluster_id=Id(one["cluster_id"]),
                version=one["version"],
                namespaces=tuple(one["namespaces"]),
                drift=_DRIFT.validate_json(one["drift"]),
            )
            async for one in found
        }
