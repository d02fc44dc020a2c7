"""Counters that forget: how often something happened in a window of time, over all replicas.

A window begins with the first event and ends by itself. Events while it is full do not prolong it,
so nobody can keep it full without a pause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field
from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError

from app.documents.database import Database, Stored


class ThrottleDocument(Stored):
    """A counter; `_id` is its name."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    events: int
    expires_at: datetime

    class Settings(Stored.Settings):
        name = "throttles"
        indexes = [  # noqa: RUF012
            IndexModel([("expires_at", ASCENDING)], name="expired", expireAfterSeconds=0)
        ]


DOCUMENTS = [ThrottleDocument]

_DUPLICATE_KEY = 11000


@dataclass(frozen=True, slots=True)
class Count:
    """How often, and until when that is remembered."""

    count: int
    expires_at: datetime


class ThrottleStore:
    """Every query on counters."""

    def __init__(self, database: Database) -> None:
        self._throttles = database.raw[ThrottleDocument.Settings.name]

    async def read(self, names: Sequence[str], *, now: datetime) -> dict[str, Count]:
        """The counters that have an open window."""
        open_ = {"_id": {"$in": list(names)}, "expires_at": {"$gt": now}}
        return {
            found["_id"]: Count(found["events"], found["expires_at"])
            async for found in self._throttles.find(open_)
        }

    async def add(self, names: Sequence[str], *, now: datetime, window: timedelta) -> None:
        """Counts one event in each, in one command."""
        await self._write([_added(name, now, window) for name in names])

    async def put(self, name: str, *, until: datetime) -> None:
        """Remembers `name` until then."""
        change = {"$set": {"events": 0, "expires_at": until}}
        await self._write([UpdateOne({"_id": name}, change, upsert=True)])

    async def take(self, names: Sequence[str], count: int) -> None:
        """Takes events back, in each, that turned out well."""
        await self._throttles.update_many(
            {"_id": {"$in": list(names)}}, {"$inc": {"events": -count}}
        )

    async def forget(self, names: Sequence[str]) -> None:
        await self._throttles.delete_many({"_id": {"$in": list(names)}})

    async def _write(self, writes: list[UpdateOne]) -> None:
        # Two upserts of one new document can collide; the loser finds it on its next try.
        try:
            await self._throttles.bulk_write(writes, ordered=False)
        except BulkWriteError as error:
            failed = [f["index"] for f in _failures(error) if f["code"] == _DUPLICATE_KEY]
            if len(failed) != len(_failures(error)):
                raise
            await self._throttles.bulk_write([writes[index] for index in failed], ordered=False)


def _failures(error: BulkWriteError) -> list[Mapping[str, Any]]:
    return list((error.details or {}).get("writeErrors", ()))


def _added(name: str, now: datetime, window: timedelta) -> UpdateOne:
    is_open = {"$gt": ["$expires_at", now]}
    begin_or_go_on = {
        "events": {"$cond": [is_open, {"$add": ["$events", 1]}, 1]},
        "expires_at": {"$cond": [is_open, "$expires_at", now + window]},
    }
    return UpdateOne({"_id": name}, [{"$set": begin_or_go_on}], upsert=True)
