"""The outbox: an append-only collection of events. Nothing else publishes.

An event is inserted in the transaction of the state it tells of, and takes its `seq` from the
counter that the same transaction moved. So a stream has no gap, no duplicate, and no event for a
change that did not happen.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import bson
from bson import CodecOptions, ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import ASCENDING, IndexModel
from pymongo.asynchronous.change_stream import AsyncCollectionChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from app.domain.events import Event
from app.domain.ids import Id

COLLECTION: Final = "events"

PAGE: Final = 100
"""Events that are read at once."""
PAGE_BYTES: Final = 2**17
"""Size from which no more are read at once: a slow reader holds its page while it sends."""

_RAW: Final[CodecOptions[RawBSONDocument]] = CodecOptions(document_class=RawBSONDocument)


class Outbox:
    """Appends events and reads them back by `seq`."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]]) -> None:
        self.events = database[COLLECTION]
        self._raw = self.events.with_options(codec_options=_RAW)

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
        await self.events.insert_one(_document(event), session=transaction)

    async def extend(self, events: Sequence[Event], transaction: AsyncClientSession) -> None:
        """Adds several, in their order; each has its own `seq`."""
        documents = [_document(event) for event in events]
        await self.events.insert_many(documents, session=transaction)

    async def supersede(self, events: Sequence[Event], transaction: AsyncClientSession) -> None:
        """Adds states to one stream, in place of the older ones of the same keys.

        Only for streams whose readers fall onto the newest: nobody else reads over the holes.
        """
        first = events[0]
        older = {"stream": first.stream, "seq": {"$lt": first.seq}}
        keys = [event.key for event in events]
        await self.events.delete_many({**older, "key": {"$in": keys}}, session=transaction)
        await self.extend(events, transaction)

    async def read(self, stream: str, *, after: int) -> list[Event]:
        """The next events of `stream` behind `after`, oldest first: up to a page."""
        entries: list[Entry] = []
        size = 0
        found = self._raw.find({"stream": stream, "seq": {"$gt": after}}).sort("seq")
        async with found.limit(PAGE).batch_size(PAGE) as cursor:
            async for document in cursor:
                entries.append(self.entry(document))
                size += entries[-1].size
                if size >= PAGE_BYTES:
                    break
        return [entry.event() for entry in entries]

    async def newest(self, stream: str, *, after: int) -> list[Event]:
        """The newest event of every key of `stream` behind `after`, oldest first."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"stream": stream, "seq": {"$gt": after}}},
            {"$sort": {"seq": -1}},
            {"$group": {"_id": {"$ifNull": ["$key", "$seq"]}, "event": {"$first": "$$ROOT"}}},
            {"$replaceRoot": {"newRoot": "$event"}},
            {"$sort": {"seq": 1}},
        ]
        async with await self._raw.aggregate(pipeline) as found:
            return [self.entry(document).event() async for document in found]

    @asynccontextmanager
    async def watch(self, *, after: Mapping[str, Any] | None) -> AsyncIterator["Entries"]:
        """New events of all streams, from the token `after` on, or from now on.

        From now on means: whatever is not in it can be read from the collection once this is open.
        """
        client = self.events.database.client
        pipeline = [{"$match": {"operationType": "insert"}}]
        async with client.start_session(causal_consistency=True) as session:
            changes = await self._raw.watch(pipeline, resume_after=after, session=session)
            async with changes:
                # The beginning of the stream may be ahead of what a majority has, which is what
                # readers see; a read in the same session waits until it is not.
                await self.events.find_one({"_id": None}, session=session)
                yield Entries(changes, self)

    def entry(self, document: RawBSONDocument) -> "Entry":
        """The entry that a document holds."""
        return Entry(document, self.events.codec_options)


def _document(event: Event) -> dict[str, Any]:
    document = {
        "stream": event.stream,
        "seq": event.seq,
        "type": event.type,
        "payload": event.payload,
        "actor_id": ObjectId(event.actor_id) if event.actor_id else None,
        "at": event.at,
    }
    if event.key is not None:
        document["key"] = event.key
    return document


class Entry:
    """An event as it is stored, not read any further than need be."""

    __slots__ = ("_document", "_options")

    def __init__(self, document: RawBSONDocument, options: CodecOptions[dict[str, Any]]) -> None:
        self._document = document
        self._options = options

    @property
    def stream(self) -> str:
        return str(self._document["stream"])

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self._document.raw)

    def event(self) -> Event:
        """The event that it holds."""
        document = bson.decode(self._document.raw, self._options)
        return Event(
            stream=document["stream"],
            seq=document["seq"],
            type=document["type"],
            payload=document["payload"],
            key=document.get("key"),
            actor_id=Id(document["actor_id"]) if document["actor_id"] else None,
            at=document["at"],
        )


class Entries:
    """What a change stream brings. `token` is where to go on after it."""

    def __init__(
        self, changes: AsyncCollectionChangeStream[RawBSONDocument], outbox: Outbox
    ) -> None:
        self._changes = changes
        self._outbox = outbox

    @property
    def token(self) -> Mapping[str, Any] | None:
        return self._changes.resume_token

    def __aiter__(self) -> "Entries":
        return self

    async def __anext__(self) -> Entry:
        change = await self._changes.next()
        return self._outbox.entry(change["fullDocument"])
