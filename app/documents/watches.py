"""Watches of clusters in MongoDB: which process looks after what is deployed on which cluster.

Who claims a cluster moves its due time to the end of the lease; a process that dies leaves a
document that is due a little later. Every claim has a greater `fence`, and everything that is
written of the cluster is written on the condition that its fence is still the greatest. A cluster
on which nothing is deployed has no due time.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, IndexModel, ReturnDocument, UpdateOne

from app.documents.database import Stored, Transaction
from app.domain.ids import Id


class ClusterWatchDocument(Stored):
    """The watch of a cluster, under the cluster's id."""

    due_at: datetime | None = None
    fence: int = 0
    needed: int = 0
    """How often somebody has said that it is needed."""

    class Settings(Stored.Settings):
        name = "cluster_watches"
        indexes = [IndexModel([("due_at", ASCENDING)], name="due")]  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class Watch:
    """The right to tell of a cluster, until somebody has a greater fence."""

    cluster_id: Id
    fence: int


class WatchStore:
    """Every query on watches."""

    async def need(self, cluster_ids: Collection[Id], *, now: datetime) -> None:
        """Something is deployed there: somebody is to look after it."""
        due = {"$ifNull": ["$due_at", now]}
        fence, needed = {"$ifNull": ["$fence", 0]}, {"$add": [{"$ifNull": ["$needed", 0]}, 1]}
        change = [{"$set": {"due_at": due, "fence": fence, "needed": needed}}]
        if cluster_ids:
            await ClusterWatchDocument.get_pymongo_collection().bulk_write(
                [UpdateOne({"_id": ObjectId(id_)}, change, upsert=True) for id_ in cluster_ids],
                ordered=False,
            )

    async def claim_due(self, *, now: datetime, until: datetime) -> Watch | None:
        """The watch that nobody has had for the longest time, claimed until `until`."""
        found = await ClusterWatchDocument.get_pymongo_collection().find_one_and_update(
            {"due_at": {"$lte": now}},
            {"$set": {"due_at": until}, "$inc": {"fence": 1}},
            sort=[("due_at", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )
        return Watch(Id(found["_id"]), found["fence"]) if found else None

    async def next_due(self, *, besides: Collection[Id]) -> datetime | None:
        """When the next watch is due of clusters besides these; None when there is none."""
        others = {"$nin": [ObjectId(id_) for id_ in besides]}
        found = await ClusterWatchDocument.get_pymongo_collection().find_one(
            {"_id": others, "due_at": {"$gt": datetime.min}}, sort=[("due_at", ASCENDING)]
        )
        return found["due_at"] if found else None

    async def keep(
        self, watch: Watch, *, until: datetime, transaction: Transaction | None = None
    ) -> bool:
        """Keeps the claim until then. False when somebody else has claimed it since: then nothing
        may be written."""
        held = await ClusterWatchDocument.get_pymongo_collection().update_one(
            _held(watch), {"$set": {"due_at": until}}, session=transaction
        )
        return held.matched_count == 1

    async def hand_back(self, watch: Watch, *, now: datetime) -> None:
        """Gives the claim up: the watch is due at once."""
        await ClusterWatchDocument.get_pymongo_collection().update_one(
            _held(watch), {"$set": {"due_at": now}}
        )

    async def needed(self, watch: Watch) -> int:
        """A number that grows whenever the watch is needed."""
        found = await ClusterWatchDocument.get_pymongo_collection().find_one(_held(watch))
        return int(found["needed"]) if found else -1

    async def rest(self, watch: Watch, *, needed: int) -> bool:
        """Ends the watch until it is needed. False when it has been since that number was read."""
        done = await ClusterWatchDocument.get_pymongo_collection().update_one(
            {**_held(watch), "needed": needed}, {"$unset": {"due_at": ""}}
        )
        return done.matched_count == 1

    async def forget(self, watch: Watch) -> None:
        """The cluster is gone."""
        await ClusterWatchDocument.get_pymongo_collection().delete_one(_held(watch))


def _held(watch: Watch) -> dict[str, Any]:
    return {"_id": ObjectId(watch.cluster_id), "fence": watch.fence}
