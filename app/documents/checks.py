"""Checks of clusters in MongoDB: when each is due, and who is at it.

Whoever claims a check moves its due time to the end of the claim: a process that dies leaves
nothing behind but a check that is due a little later. Every claim has a greater `fence`, and what
an older claim finds is not written any more.
"""

from dataclasses import dataclass
from datetime import datetime

from bson import ObjectId
from pymongo import ASCENDING, IndexModel, ReturnDocument

from app.documents.database import Stored, Transaction
from app.domain.ids import Id


class ClusterCheckDocument(Stored):
    """The next check of a cluster, under the cluster's id."""

    due_at: datetime
    fence: int = 0
    failures: int = 0
    """Checks in a row that found the cluster out of reach."""
    discovered_at: datetime | None = None
    """When it was last seen what the cluster offers."""

    class Settings(Stored.Settings):
        name = "cluster_checks"
        indexes = [IndexModel([("due_at", ASCENDING)], name="due")]  # noqa: RUF012


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to check a cluster, until somebody has a greater fence."""

    cluster_id: Id
    fence: int
    failures: int
    discovered_at: datetime | None


class CheckStore:
    """Every query on checks."""

    async def plan(self, cluster_id: Id, *, due_at: datetime, transaction: Transaction) -> None:
        """A new cluster is to be checked."""
        await ClusterCheckDocument.get_pymongo_collection().insert_one(
            {"_id": ObjectId(cluster_id), "due_at": due_at, "fence": 0, "failures": 0},
            session=transaction,
        )

    async def forget(self, cluster_id: Id, transaction: Transaction) -> None:
        """The cluster is gone."""
        await ClusterCheckDocument.get_pymongo_collection().delete_one(
            {"_id": ObjectId(cluster_id)}, session=transaction
        )

    async def claim_due(self, *, now: datetime, until: datetime) -> Claim | None:
        """The check that has been due for the longest time, claimed until `until`."""
        return await self._claim({"due_at": {"$lte": now}}, until)

    async def claim(self, cluster_id: Id, *, until: datetime) -> Claim | None:
        """The check of one cluster, due or not, from whoever is at it; None when it is gone."""
        return await self._claim({"_id": ObjectId(cluster_id)}, until)

    async def finish(
        self,
        claim: Claim,
        *,
        failures: int,
        due_at: datetime,
        discovered_at: datetime | None,
        transaction: Transaction,
    ) -> bool:
        """Plans the next check, as part of writing what this one found.

        False when somebody else has claimed it since: then nothing may be written.
        `discovered_at` stays as it is when it is None.
        """
        plan: dict[str, object] = {"failures": failures, "due_at": due_at}
        if discovered_at is not None:
            plan["discovered_at"] = discovered_at
        done = await ClusterCheckDocument.get_pymongo_collection().update_one(
            {"_id": ObjectId(claim.cluster_id), "fence": claim.fence},
            {"$set": plan},
            session=transaction,
        )
        return done.matched_count == 1

    async def next_due(self) -> datetime | None:
        """When the next check is due; None when there is no cluster."""
        found = await ClusterCheckDocument.get_pymongo_collection().find_one(
            {}, sort=[("due_at", ASCENDING)]
        )
        return found["due_at"] if found else None

    async def _claim(self, which: dict[str, object], until: datetime) -> Claim | None:
        found = await ClusterCheckDocument.get_pymongo_collection().find_one_and_update(
            which,
            {"$set": {"due_at": until}, "$inc": {"fence": 1}},
            sort=[("due_at", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )
        if found is None:
            return None
        return Claim(
            Id(found["_id"]), found["fence"], found["failures"], found.get("discovered_at")
        )
