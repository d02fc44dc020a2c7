"""Invitations in MongoDB; only the digest of a code is stored."""

from datetime import datetime
from typing import Any

from bson import ObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel

from app.documents.database import Database, Stored, Transaction
from app.domain.ids import Id


class InviteDocument(Stored):
    """An invitation; `_id` is the digest of its code."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    email_key: str | None = None
    """The only address it is good for, if any."""
    created_by: Id
    created_at: datetime
    expires_at: datetime
    used_by: Id | None = None

    class Settings(Stored.Settings):
        name = "invites"
        indexes = [  # noqa: RUF012
            IndexModel([("expires_at", ASCENDING)], name="expired", expireAfterSeconds=0)
        ]


DOCUMENTS = [InviteDocument]


class InviteStore:
    """Every query on invitations."""

    def __init__(self, database: Database) -> None:
        self._invites = database.raw[InviteDocument.Settings.name]

    async def insert(
        self,
        digest: str,
        *,
        email_key: str | None,
        created_by: Id,
        now: datetime,
        expires_at: datetime,
    ) -> None:
        invite = {
            "_id": digest,
            "created_by": ObjectId(created_by),
            "created_at": now,
            "expires_at": expires_at,
        }
        if email_key is not None:
            invite["email_key"] = email_key
        await self._invites.insert_one(invite)

    async def is_good(self, digest: str, email_key: str, *, now: datetime) -> bool:
        return await self._invites.find_one(_good(digest, email_key, now)) is not None

    async def use(
        self, digest: str, email_key: str, user_id: Id, *, now: datetime, transaction: Transaction
    ) -> bool:
        """Uses the invitation up; False when it is not good, or no longer."""
        used = await self._invites.update_one(
            _good(digest, email_key, now),
            {"$set": {"used_by": ObjectId(user_id)}},
            session=transaction,
        )
        return used.modified_count == 1


def _good(digest: str, email_key: str, now: datetime) -> dict[str, Any]:
    return {
        "_id": digest,
        "used_by": None,
        "expires_at": {"$gt": now},
        "email_key": {"$in": [None, email_key]},
    }
