"""Clusters in MongoDB. Their credentials are in a collection of their own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from app.documents.database import Overtaken, Stored, Transaction, encode
from app.documents.keyset import Keyset, Page, find_page
from app.domain.cluster import Cluster
from app.domain.ids import Id


class ClusterDocument(Cluster, Stored):
    """A cluster as it is stored."""

    class Settings(Stored.Settings):
        name = "clusters"
        indexes = [  # noqa: RUF012
            IndexModel(
                [("owner_id", ASCENDING), ("name", ASCENDING)], name="owner_name", unique=True
            ),
            IndexModel(
                [("owner_id", ASCENDING)],
                name="owner_default",
                unique=True,
                partialFilterExpression={"default": True},
            ),
            # Two ways to see a cluster, each in the order of the list.
            IndexModel(
                [("owner_id", ASCENDING), ("name", ASCENDING), ("_id", ASCENDING)],
                name="owner_list",
            ),
            IndexModel(
                [("shared_with.user_id", ASCENDING), ("name", ASCENDING), ("_id", ASCENDING)],
                name="shared_list",
            ),
        ]


class NameTaken(Exception):
    """The owner has a cluster with this name."""


class DefaultTaken(Overtaken):
    """The owner has a default cluster: somebody was faster."""


class ClusterStore:
    """Every query on clusters."""

    async def insert(self, cluster: Cluster, transaction: Transaction | None = None) -> None:
        """Raises NameTaken and DefaultTaken."""
        try:
            await ClusterDocument.get_pymongo_collection().insert_one(
                _document(cluster), session=transaction
            )
        except DuplicateKeyError as error:
            raise _taken(error) from error

    async def get(self, id_: Id, *, transaction: Transaction | None = None) -> Cluster | None:
        found = await ClusterDocument.get_pymongo_collection().find_one(
            {"_id": ObjectId(id_)}, session=transaction
        )
        return None if found is None else _cluster(found)

    async def by_ids(self, ids: Sequence[Id]) -> list[Cluster]:
        wanted = [ObjectId(id_) for id_ in ids]
        found = ClusterDocument.get_pymongo_collection().find({"_id": {"$in": wanted}})
        return [_cluster(document) async for document in found]

    async def page(self, user_id: Id, keyset: Keyset, *, now: datetime) -> Page[Cluster]:
        """What somebody sees: their own and what is shared with them, in the keyset's order."""
        return await find_page(
            ClusterDocument.get_pymongo_collection(), _seen_by(user_id, now), keyset, _cluster
        )

    async def count(self, user_id: Id, *, now: datetime) -> int:
        """How many `page` would walk through."""
        return await ClusterDocument.get_pymongo_collection().count_documents(
            _seen_by(user_id, now)
        )

    async def seen_by(self, user_id: Id, *, now: datetime, most: int) -> list[Cluster]:
        """The first of them, by name."""
        found = ClusterDocument.get_pymongo_collection().find(
            _seen_by(user_id, now), sort=[("name", ASCENDING), ("_id", ASCENDING)], limit=most
        )
        return [_cluster(document) async for document in found]

    async def named(self, owner_id: Id, name: str) -> Cluster | None:
        """The owner's cluster of this name."""
        found = await ClusterDocument.get_pymongo_collection().find_one(
            {"owner_id": ObjectId(owner_id), "name": name}
        )
        return None if found is None else _cluster(found)

    async def default_of(
        self, owner_id: Id, *, transaction: Transaction | None = None
    ) -> Cluster | None:
        """The owner's default."""
        found = await ClusterDocument.get_pymongo_collection().find_one(
            {"owner_id": ObjectId(owner_id), "default": True}, session=transaction
        )
        return None if found is None else _cluster(found)

    async def count_of(self, owner_id: Id, *, transaction: Transaction) -> int:
        """How many somebody owns."""
        return await ClusterDocument.get_pymongo_collection().count_documents(
            {"owner_id": ObjectId(owner_id)}, session=transaction
        )

    async def record(self, cluster: Cluster, *, transaction: Transaction) -> None:
        """Writes a cluster that was read in the same transaction. Raises DefaultTaken."""
        try:
            await ClusterDocument.get_pymongo_collection().replace_one(
                {"_id": ObjectId(cluster.id)}, _document(cluster), session=transaction
            )
        except DuplicateKeyError as error:
            raise _taken(error) from error

    async def delete(self, id_: Id, *, transaction: Transaction) -> None:
        await ClusterDocument.get_pymongo_collection().delete_one(
            {"_id": ObjectId(id_)}, session=transaction
        )


def _seen_by(user_id: Id, now: datetime) -> dict[str, Any]:
    lasts = [{"expires_at": None}, {"expires_at": {"$gt": now}}]
    person = ObjectId(user_id)
    share = {"$elemMatch": {"user_id": person, "$or": lasts}}
    return {"$or": [{"owner_id": person}, {"shared_with": share}]}


def _taken(error: DuplicateKeyError) -> Exception:
    by_name = "name" in (error.details or {}).get("keyPattern", {})
    return NameTaken() if by_name else DefaultTaken()


def _document(cluster: Cluster) -> dict[str, Any]:
    fields: dict[str, Any] = encode({name: getattr(cluster, name) for name in Cluster.model_fields})
    fields["_id"] = fields.pop("id")
    return fields


def _cluster(document: Mapping[str, Any]) -> Cluster:
    return Cluster.model_validate({**document, "id": document["_id"]})
