"""Sessions and their refresh tokens in MongoDB.

A session is alive when it exists, has not expired, and is of its user's generation. Its refresh
tokens are a chain: each is used once, for the next one. A used one stays until it expires, so that
using it again is noticed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from app.documents.database import Database, Stored, Transaction
from app.documents.users import PUBLIC, UserDocument, as_user
from app.domain.ids import Id
from app.domain.user import User


class SessionDocument(Stored):
    """Somebody signed in, somewhere."""

    user_id: Id
    generation: int
    created_at: datetime
    expires_at: datetime

    class Settings(Stored.Settings):
        name = "sessions"
        indexes = [  # noqa: RUF012
            IndexModel([("expires_at", ASCENDING)], name="expired", expireAfterSeconds=0),
            IndexModel([("user_id", ASCENDING)], name="user"),
        ]


class RefreshTokenDocument(Stored):
    """A refresh token; `_id` is its digest."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    session_id: Id
    used_at: datetime | None = None
    expires_at: datetime

    class Settings(Stored.Settings):
        name = "refresh_tokens"
        indexes = [  # noqa: RUF012
            IndexModel([("expires_at", ASCENDING)], name="expired", expireAfterSeconds=0),
            IndexModel([("session_id", ASCENDING)], name="session"),
        ]


DOCUMENTS = [SessionDocument, RefreshTokenDocument]


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token that was found."""

    session_id: Id
    used: bool


class SessionStore:
    """Every query on sessions and refresh tokens. TTL deletes late, so each query looks itself."""

    def __init__(self, database: Database) -> None:
        self._sessions = database.raw[SessionDocument.Settings.name]
        self._tokens = database.raw[RefreshTokenDocument.Settings.name]

    async def insert(
        self,
        session_id: Id,
        *,
        user_id: Id,
        generation: int,
        now: datetime,
        expires_at: datetime,
        transaction: Transaction | None = None,
    ) -> None:
        session = {
            "_id": ObjectId(session_id),
            "user_id": ObjectId(user_id),
            "generation": generation,
            "created_at": now,
            "expires_at": expires_at,
        }
        await self._sessions.insert_one(session, session=transaction)

    async def insert_token(
        self,
        digest: str,
        session_id: Id,
        *,
        expires_at: datetime,
        transaction: Transaction | None = None,
    ) -> None:
        token = {"_id": digest, "session_id": ObjectId(session_id), "expires_at": expires_at}
        await self._tokens.insert_one(token, session=transaction)

    async def find_token(self, digest: str, *, now: datetime) -> RefreshToken | None:
        found = await self._tokens.find_one({"_id": digest, "expires_at": {"$gt": now}})
        if found is None:
            return None
        return RefreshToken(Id(found["session_id"]), used="used_at" in found)

    async def use_token(self, digest: str, *, now: datetime, transaction: Transaction) -> bool:
        """Uses the token up; False when somebody else has."""
        used = await self._tokens.update_one(
            {"_id": digest, "used_at": None, "expires_at": {"$gt": now}},
            {"$set": {"used_at": now}},
            session=transaction,
        )
        return used.modified_count == 1

    async def extend(
        self, session_id: Id, *, expires_at: datetime, transaction: Transaction
    ) -> None:
        await self._sessions.update_one(
            {"_id": ObjectId(session_id)},
            {"$set": {"expires_at": expires_at}},
            session=transaction,
        )

    async def user_of(
        self, session_id: Id, *, now: datetime, transaction: Transaction | None = None
    ) -> User | None:
        """Whose session it is, in one command; None when it is not alive or the user is gone."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"_id": ObjectId(session_id), "expires_at": {"$gt": now}}},
            {
                "$lookup": {
                    "from": UserDocument.Settings.name,
                    "localField": "user_id",
                    "foreignField": "_id",
                    "let": {"generation": "$generation"},
                    "pipeline": [
                        {"$match": {"$expr": {"$eq": ["$generation", "$$generation"]}}},
                        {"$project": PUBLIC},
                    ],
                    "as": "users",
                }
            },
        ]
        async with await self._sessions.aggregate(pipeline, session=transaction) as found:
            async for session in found:
                for user in session["users"]:
                    return as_user(user)
        return None

    async def end(self, session_id: Id, transaction: Transaction) -> bool:
        """Ends the session: none of its tokens is worth anything. False when there was none."""
        ended = await self._sessions.delete_one({"_id": ObjectId(session_id)}, session=transaction)
        await self._tokens.delete_many({"session_id": ObjectId(session_id)}, session=transaction)
        return ended.deleted_count == 1

    async def of_user(
        self, user_id: Id, *, before_generation: int, transaction: Transaction
    ) -> list[Id]:
        """The user's sessions of older generations."""
        found = self._sessions.find(
            {"user_id": ObjectId(user_id), "generation": {"$lt": before_generation}},
            {"_id": True},
            session=transaction,
        )
        return [Id(session["_id"]) async for session in found]
