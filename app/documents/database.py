"""The connection to MongoDB: a replica set, because transactions and change streams need one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from beanie import Document, init_beanie
from beanie.odm.utils.encoder import Encoder
from bson import ObjectId
from bson.codec_options import CodecOptions, TypeDecoder, TypeRegistry
from bson.int64 import Int64
from pydantic import Field
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from app.domain.ids import Id

T = TypeVar("T")

Transaction = AsyncClientSession
"""An open transaction, handed from a service to each write that belongs to it."""


def new_id() -> Id:
    """A fresh id; ids made later sort after."""
    return Id(ObjectId())


class Stored(Document):
    """Base of all documents: `Id` in Python, ObjectId in MongoDB."""

    id: Id = Field(default_factory=new_id, alias="_id")  # type: ignore[assignment]

    class Settings:
        keep_nulls = False
        bson_encoders: ClassVar[Mapping[type, Callable[[Any], Any]]] = {Id: ObjectId}


_ENCODER = Encoder(custom_encoders=Stored.Settings.bson_encoders, keep_nulls=False)


def encode(value: Any) -> Any:
    """A domain value as BSON takes it, without nulls; a mapping's key `id` is kept as it is."""
    return _ENCODER.encode(value)


class _Integers(TypeDecoder):
    """The driver marks 64-bit integers with a class of its own, which other libraries refuse."""

    bson_type = Int64

    def transform_bson(self, value: Any) -> int:
        return int(value)


class Overtaken(Exception):
    """Somebody was faster with what only one can have: the transaction is to be done again."""


_ATTEMPTS = 10


class Database:
    """A connected database. Acknowledged means: on the disks of a majority."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], name: str) -> None:
        self.client = client
        self.raw: AsyncDatabase[dict[str, Any]] = client.get_database(
            name,
            codec_options=CodecOptions(tz_aware=True, type_registry=TypeRegistry([_Integers()])),
            write_concern=WriteConcern("majority", j=True),
            read_concern=ReadConcern("majority"),
        )

    @classmethod
    async def connect(cls, uri: str, name: str, documents: Sequence[type[Document]]) -> "Database":
        """Connects and creates the declared indexes. Raises pymongo's errors when unreachable."""
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            uri, tz_aware=True, serverSelectionTimeoutMS=10_000, appname="kubeorch"
        )
        database = cls(client, name)
        await init_beanie(database.raw, document_models=list(documents))
        return database

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Runs `work` in a transaction, again when MongoDB says so; all of it happens or none.

        `work` may run several times: it must read what it decides on through the transaction, and
        raises Overtaken for what it could not see. Raises Overtaken when that goes on.
        """
        for attempt in range(_ATTEMPTS):
            try:
                async with self.client.start_session() as session:
                    return await session.with_transaction(work)
            except Overtaken:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt answers or raises")

    async def ping(self) -> None:
        """Raises pymongo's errors when the database does not answer."""
        await self.raw.command("ping")

    async def close(self) -> None:
        await self.client.close()
