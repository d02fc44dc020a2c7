"""Feeds in MongoDB: how far the stream has come that tells somebody of all their clusters."""

from bson import ObjectId
from pymongo import ReturnDocument

from app.documents.database import Stored, Transaction
from app.domain.ids import Id


class ClusterFeedDocument(Stored):
    """A person's feed, under the person's id. `seq` is of its newest event."""

    seq: int = 0

    class Settings(Stored.Settings):
        name = "cluster_feeds"


class FeedStore:
    """Every query on feeds."""

    async def next(self, user_id: Id, transaction: Transaction) -> int:
        """Takes the next number of the person's feed."""
        found = await ClusterFeedDocument.get_pymongo_collection().find_one_and_update(
            {"_id": ObjectId(user_id)},
            {"$inc": {"seq": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=transaction,
        )
        return int(found["seq"]) if found else 0  # there is always one: it is made when missing

    async def seq(self, user_id: Id) -> int:
        """The number of the newest event; 0 when nothing was ever told."""
        found = await ClusterFeedDocument.get_pymongo_collection().find_one(
            {"_id": ObjectId(user_id)}
        )
        return int(found["seq"]) if found else 0
