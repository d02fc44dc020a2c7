"""Shares of clusters, by when they end."""

from datetime import datetime

from app.documents.clusters import ClusterDocument
from app.domain.ids import Id


class ShareStore:
    """Every query on the ends of shares."""

    async def first_end(self) -> datetime | None:
        """When the next share ends, or ended unnoticed; None when none ever does."""
        pipeline: list[dict[str, object]] = [
            {"$match": {"shared_with.expires_at": {"$gt": datetime.min}}},
            {"$sort": {"shared_with.expires_at": 1}},
            {"$limit": 1},
            {"$project": {"first": {"$min": "$shared_with.expires_at"}}},
        ]
        collection = ClusterDocument.get_pymongo_collection()
        async with await collection.aggregate(pipeline) as found:
            async for document in found:
                return document["first"]  # type: ignore[no-any-return]
        return None

    async def ended(self, now: datetime) -> list[Id]:
        """Some clusters with a share that has ended."""
        found = ClusterDocument.get_pymongo_collection().find(
            {"shared_with.expires_at": {"$lte": now}}, projection={"_id": 1}, limit=100
        )
        return [Id(document["_id"]) async for document in found]
