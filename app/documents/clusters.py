"""Clusters in MongoDB."""

from collections.abc import Sequence

from bson import ObjectId
from pymongo import ASCENDING, IndexModel

from app.documents.database import Stored
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
            IndexModel([("shared_with.user_id", ASCENDING)], name="shared_with"),
        ]


class ClusterStore:
    """Every query on clusters."""

    async def insert(self, cluster: Cluster) -> None:
        await ClusterDocument.model_construct(None, **dict(cluster)).insert()

    async def by_ids(self, ids: Sequence[Id]) -> list[Cluster]:
        wanted = [ObjectId(id_) for id_ in ids]
        return list(await ClusterDocument.find({"_id": {"$in": wanted}}).to_list())
