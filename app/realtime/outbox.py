"""The outbox: an append-only collection of events. Nothing else publishes.

An event is inserted in the transaction of the state it tells of, and takes its `seq` from the
counter that the same transaction moved. So a stream has no gap, no duplicate, and no event for a
change that did not happen.
"""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from app.domain.events import Event
from app.domain.ids import Id

COLLECTION = "events"


class Outbox:
    """Appends events and reads them back by `seq`."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self.events = database[COLLECTION]

    async def prepare(self, *, ttl_seconds: int) -> None:
        """Creates the indexes; a changed TTL takes effect."""
        await self.events.create_indexes(
            [
                IndexModel(
                    [("stream", ASCENDING), ("seq", ASCENDING)], name="stream_seq", unique=True
                )
            ]
        )
        indexes = await self.events.index_information()
        if "at_ttl" not in indexes:
            await self.events.create_index("at", name="at_ttl", expireAfterSeconds=ttl_seconds)
        elif indexes["at_ttl"].get("expireAfterSeconds") != ttl_seconds:
            await self.events.database.command(
                "collMod",
                COLLECTION,
                index={"name": "at_ttl", "expireAfterSeconds": ttl_seconds},
            )

    async def append(self, event: Event, transaction: AsyncClientSession) -> None:
        """Adds `event` to its stream, as part of `transaction`."""
        await self.events.insert_one(
            {
                "stream": event.stream,
                "seq": event.seq,
                "type": event.type,
                "payload": event.payload,
                "actor_id": ObjectId(event.actor_id) if event.actor_id else None,
                "at": event.at,
            },
            session=transaction,
        )

    async def read(self, stream: str, *, after: int, limit: int) -> list[Event]:
        """The events of `stream` behind `after`, oldest first, at most `limit`."""
        found = self.events.find({"stream": stream, "seq": {"$gt": after}}).sort("seq").limit(limit)
        return [event_of(document) async for document in found]


def event_of(document: Mapping[str, Any]) -> Event:
    """The event that a stored document holds."""
    return Event(
        stream=document["stream"],
        seq=document["seq"],
        type=document["type"],
        payload=document["payload"],
        actor_id=Id(document["actor_id"]) if document["actor_id"] else None,
        at=document["at"],
    )
