"""What is left to do of runs: one document while a run is active, and so at most one per workflow.

Who claims it moves its due time to the end of the lease; a process that dies leaves a document that
is due a little later. Every claim has a greater `fence`, and everything that a worker writes of a
run is written on the condition that its fence is still the greatest.

A deploy that is being prepared keeps the workflow for itself by a reservation: a document without a
due time, so nobody claims it. Its run takes its place, or it goes, at the latest after a while.
"""

import enum
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import DuplicateKeyError, ExecutionTimeout

from app.documents.database import Stored, Transaction
from app.domain.ids import Id

_MOST = 20
"""Candidates for a claim that are looked at."""
_LOCKED_MILLISECONDS = 500
"""How long a claim may take before the work is taken for locked."""


class WorkDocument(Stored):
    """The work of a run, under the run's id."""

    workflow_id: Id
    cluster_id: Id
    started_by: Id
    due_at: datetime | None = None
    reserved_until: datetime | None = None
    """Of a reservation, instead of everything below."""
    fence: int = 0
    cancel: bool = False
    workflow_name: str
    plan: str
    """The plan as JSON text, without what is only for people."""
    done: dict[str, str] = Field(default_factory=dict)
    """Objects that were dealt with: their uid, or nothing, by the digest of their identity."""
    marked: str | None = None
    """What was written last, by a name that its writer gave it."""
    handed_back: int | None = None
    """The fence of the claim that was given up last."""

    class Settings(Stored.Settings):
        name = "run_work"
        indexes = [  # noqa: RUF012
            IndexModel([("workflow_id", ASCENDING)], name="one_per_workflow", unique=True),
            IndexModel([("due_at", ASCENDING)], name="due"),
            IndexModel([("cluster_id", ASCENDING)], name="cluster"),
            IndexModel([("started_by", ASCENDING)], name="started_by"),
            IndexModel([("reserved_until", ASCENDING)], name="reserved_ttl", expireAfterSeconds=0),
        ]


@dataclass(frozen=True, slots=True)
class Work:
    """The right to do a run, until somebody has a greater fence."""

    run_id: Id
    workflow_id: Id
    cluster_id: Id
    started_by: Id
    fence: int
    cancel: bool
    workflow_name: str
    plan: str
    done: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Busy:
    """Whose work is not to be claimed at the moment: of these people, and on these clusters."""

    people: Sequence[Id] = ()
    clusters: Sequence[Id] = ()


NOBODY = Busy()


class Marked(enum.Enum):
    """What became of a write that is conditioned on the claim."""

    MARKED = enum.auto()
    BEFORE = enum.auto()
    """It had been made already."""
    LOST = enum.auto()
    """Somebody else has claimed the work since: then nothing may be written."""


class WorkStore:
    """Every query on the work of runs."""

    async def reserve(
        self,
        run_id: Id,
        *,
        workflow_id: Id,
        cluster_id: Id,
        started_by: Id,
        now: datetime,
        until: datetime,
    ) -> bool:
        """Keeps the workflow for a run that is being prepared, until then.

        False when it has an active run, or another one that is being prepared.
        """
        works = WorkDocument.get_pymongo_collection()
        place = {"workflow_id": ObjectId(workflow_id)}
        await works.delete_one({**place, "reserved_until": {"$lte": now}})
        try:
            await works.insert_one(
                {
                    "_id": ObjectId(run_id),
                    **place,
                    "cluster_id": ObjectId(cluster_id),
                    "started_by": ObjectId(started_by),
                    "reserved_until": until,
                }
            )
        except DuplicateKeyError:
            return False
        return True

    async def release(self, run_id: Id) -> None:
        """The run is not added after all. One that was added stays."""
        await WorkDocument.get_pymongo_collection().delete_one(_reserved(run_id))

    async def add(
        self,
        run_id: Id,
        *,
        workflow_id: Id,
        cluster_id: Id,
        started_by: Id,
        workflow_name: str,
        plan: str,
        due_at: datetime,
        transaction: Transaction,
    ) -> bool:
        """Puts the work where its reservation is. False when that has run out, and is gone."""
        replaced = await WorkDocument.get_pymongo_collection().replace_one(
            _reserved(run_id),
            {
                "workflow_id": ObjectId(workflow_id),
                "cluster_id": ObjectId(cluster_id),
                "started_by": ObjectId(started_by),
                "due_at": due_at,
                "fence": 0,
                "cancel": False,
                "workflow_name": workflow_name,
                "plan": plan,
                "done": {},
            },
            session=transaction,
        )
        return replaced.matched_count == 1

    async def active_run(
        self, workflow_id: Id, transaction: Transaction | None = None
    ) -> Id | None:
        """The workflow's active run."""
        found = await WorkDocument.get_pymongo_collection().find_one(
            {"workflow_id": ObjectId(workflow_id), "reserved_until": None},
            {"_id": 1},
            session=transaction,
        )
        return Id(found["_id"]) if found else None

    async def active(self, workflow_ids: Collection[Id]) -> dict[Id, Id]:
        """The active runs of these workflows, by workflow."""
        wanted = [ObjectId(id_) for id_ in workflow_ids]
        found = WorkDocument.get_pymongo_collection().find(
            {"workflow_id": {"$in": wanted}, "reserved_until": None}, {"workflow_id": 1}
        )
        return {Id(one["workflow_id"]): Id(one["_id"]) async for one in found}

    async def is_busy(self, workflow_id: Id, transaction: Transaction | None = None) -> bool:
        """Whether the workflow has an active run, or one that is being prepared."""
        found = await WorkDocument.get_pymongo_collection().find_one(
            {"workflow_id": ObjectId(workflow_id)}, {"_id": 1}, session=transaction
        )
        return found is not None

    async def count_of(self, person: Id) -> int:
        """How many active runs a person has started, those that are being prepared among them."""
        return await WorkDocument.get_pymongo_collection().count_documents(
            {"started_by": ObjectId(person)}
        )

    async def count_on(self, cluster_id: Id, transaction: Transaction | None = None) -> int:
        """How many active runs the cluster has, those that are being prepared among them."""
        return await WorkDocument.get_pymongo_collection().count_documents(
            {"cluster_id": ObjectId(cluster_id)}, session=transaction
        )

    async def claim_due(
        self, *, now: datetime, until: datetime, besides: Busy = NOBODY
    ) -> Work | None:
        """The work that has been due for the longest time, claimed until `until`.

        What a process died over in the middle of a transaction is locked until MongoDB ends that:
        it is left for later, so that it holds nothing else up.
        """
        works = WorkDocument.get_pymongo_collection()
        due = {"due_at": {"$lte": now}}
        wanted = {**due, **_not_of(besides)}
        oldest = works.find(wanted, {"_id": 1}, sort=[("due_at", ASCENDING)])
        candidates = await oldest.to_list(_MOST)
        for candidate in candidates:
            try:
                found = await works.find_one_and_update(
                    {"_id": candidate["_id"], **due},
                    {"$set": {"due_at": until}, "$inc": {"fence": 1}},
                    return_document=ReturnDocument.AFTER,
                    maxTimeMS=_LOCKED_MILLISECONDS,
                )
            except ExecutionTimeout:
                continue
            if found is not None:
                return _work(found)
        return None

    async def next_due(self, *, besides: Busy = NOBODY) -> datetime | None:
        """When the next work is due; None when there is none."""
        found = await WorkDocument.get_pymongo_collection().find_one(
            {"due_at": {"$ne": None}, **_not_of(besides)},
            {"due_at": 1},
            sort=[("due_at", ASCENDING)],
        )
        return found["due_at"] if found else None

    async def renew(self, work: Work, *, until: datetime) -> bool | None:
        """Keeps the claim: whether the run is to be cancelled; None when it is lost."""
        found = await WorkDocument.get_pymongo_collection().find_one_and_update(
            _held(work), {"$set": {"due_at": until}}, projection={"cancel": 1}
        )
        return bool(found["cancel"]) if found else None

    async def mark(
        self,
        work: Work,
        done: Mapping[str, str],
        *,
        name: str,
        until: datetime,
        transaction: Transaction,
    ) -> Marked:
        """Notes what was dealt with, as part of telling of it, and keeps the claim until `until`.

        `name` is this write's own: who does not know whether it came to be makes it once more. Only
        when it is MARKED may anything else be written.
        """
        marks = {f"done.{digest}": uid for digest, uid in done.items()}
        before = await WorkDocument.get_pymongo_collection().find_one_and_update(
            _held(work),
            {"$set": {"due_at": until, "marked": name, **marks}},
            projection={"marked": 1},
            session=transaction,
        )
        if before is None:
            return Marked.LOST
        return Marked.BEFORE if before.get("marked") == name else Marked.MARKED

    async def hand_back(self, work: Work, *, now: datetime) -> None:
        """Gives the claim up: the work is due at once."""
        await WorkDocument.get_pymongo_collection().update_one(
            _held(work), {"$set": {"due_at": now, "handed_back": work.fence}}
        )

    async def finish(self, work: Work, transaction: Transaction) -> bool:
        """The run has ended. False when somebody else has claimed it since."""
        gone = await WorkDocument.get_pymongo_collection().delete_one(
            _held(work), session=transaction
        )
        return gone.deleted_count == 1

    async def cancel(self, run_id: Id, transaction: Transaction) -> int | None:
        """Asks whoever does it to stop: the fence of the last claim, 0 when nobody has begun; None
        when the run has ended."""
        found = await WorkDocument.get_pymongo_collection().find_one_and_update(
            {"_id": ObjectId(run_id)}, {"$set": {"cancel": True}}, session=transaction
        )
        return int(found["fence"]) if found else None

    async def withdraw(self, run_id: Id, transaction: Transaction) -> None:
        """Takes back what nobody has begun."""
        await WorkDocument.get_pymongo_collection().delete_one(
            {"_id": ObjectId(run_id), "fence": 0}, session=transaction
        )

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[AsyncChangeStream[dict[str, Any]]]:
        """Changes that a worker wants to hear of: work that is new or was handed back, and runs
        that are to be cancelled, which have `updateDescription.updatedFields.cancel`.

        Their `documentKey._id` is the run's.
        """
        pipeline: Sequence[dict[str, Any]] = [
            {
                "$match": {
                    "$or": [
                        # Work takes the place of its reservation.
                        {"operationType": "replace"},
                        {"updateDescription.updatedFields.cancel": True},
                        {"updateDescription.updatedFields.handed_back": {"$exists": True}},
                    ]
                }
            },
            {
                "$project": {
                    "operationType": 1,
                    "documentKey": 1,
                    "updateDescription.updatedFields.cancel": 1,
                }
            },
        ]
        async with await WorkDocument.get_pymongo_collection().watch(pipeline) as changes:
            yield changes


def _reserved(run_id: Id) -> dict[str, Any]:
    return {"_id": ObjectId(run_id), "reserved_until": {"$ne": None}}


def _not_of(busy: Busy) -> dict[str, Any]:
    left_out = {"started_by": busy.people, "cluster_id": busy.clusters}
    return {name: {"$nin": [ObjectId(id_) for id_ in ids]} for name, ids in left_out.items() if ids}


def _held(work: Work) -> dict[str, Any]:
    return {"_id": ObjectId(work.run_id), "fence": work.fence}


def _work(found: Mapping[str, Any]) -> Work:
    return Work(
        run_id=Id(found["_id"]),
        workflow_id=Id(found["workflow_id"]),
        cluster_id=Id(found["cluster_id"]),
        started_by=Id(found["started_by"]),
        fence=found["fence"],
        cancel=found["cancel"],
        workflow_name=found["workflow_name"],
        plan=found["plan"],
        done=found["done"],
    )
