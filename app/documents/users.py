"""Users in MongoDB. A password hash leaves this module only inside `Credentials`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson import ObjectId
from pydantic import Field
from pymongo import ASCENDING, IndexModel, ReturnDocument
from pymongo.errors import DuplicateKeyError

from app.documents.database import Database, Overtaken, Stored, Transaction, encode
from app.documents.keyset import Keyset, Page, find_page
from app.documents.words import beginnings, matching
from app.domain.ids import Id
from app.domain.user import User

PUBLIC = {"password_hash": False, "words": False, "email_key": False, "generation": False}
"""Projection without what is for signing in and searching only."""


class UserDocument(User, Stored):
    """A user as stored."""

    email_key: str
    """The address without regard to case: what makes it unique."""
    password_hash: str | None = Field(default=None, repr=False)
    generation: int = 0
    """Grows when every session must end at once: a session of an older generation is over."""
    words: list[str] = Field(default_factory=list, repr=False)

    class Settings(Stored.Settings):
        name = "users"
        indexes = [  # noqa: RUF012
            IndexModel([("email_key", ASCENDING)], name="email", unique=True),
            IndexModel([("words", ASCENDING), ("_id", ASCENDING)], name="words"),
        ]


class ClaimDocument(Stored):
    """Something that only the first may have; `_id` is its name."""

    id: str = Field(alias="_id")  # type: ignore[assignment]
    user_id: Id

    class Settings(Stored.Settings):
        name = "claims"


DOCUMENTS = [UserDocument, ClaimDocument]

_FIRST_USER = "first-user"


class EmailTaken(Exception):
    """There is a user with this address."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in needs to know of a user."""

    user: User
    password_hash: str | None = field(repr=False)
    generation: int


class UserStore:
    """Every query on users."""

    def __init__(self, database: Database) -> None:
        self._users = database.raw[UserDocument.Settings.name]
        self._claims = database.raw[ClaimDocument.Settings.name]

    async def insert(
        self,
        user: User,
        *,
        email_key: str,
        password_hash: str | None,
        transaction: Transaction,
    ) -> None:
        """Raises EmailTaken."""
        document = {
            **encode(user.model_dump(exclude={"id"})),
            "_id": ObjectId(user.id),
            "email_key": email_key,
            "generation": 0,
            "words": beginnings(user.name, user.email),
        }
        if password_hash is not None:
            document["password_hash"] = password_hash
        try:
            await self._users.insert_one(document, session=transaction)
        except DuplicateKeyError as error:
            raise EmailTaken from error

    async def claim_first(self, user_id: Id, transaction: Transaction) -> bool:
        """Whether `user_id` is the first user; of any number at once exactly one is.

        Raises Overtaken when another became it after the transaction had begun.
        """
        if await self._claims.find_one({"_id": _FIRST_USER}, session=transaction):
            return False
        try:
            await self._claims.insert_one(
                {"_id": _FIRST_USER, "user_id": ObjectId(user_id)}, session=transaction
            )
        except DuplicateKeyError as error:
            raise Overtaken from error
        return True

    async def anybody(self) -> bool:
        """Whether the first user has come."""
        return await self._claims.find_one({"_id": _FIRST_USER}) is not None

    async def has_email(self, email_key: str) -> bool:
        return await self._users.find_one({"email_key": email_key}, {"_id": True}) is not None

    async def credentials(
        self, *, email_key: str | None = None, user_id: Id | None = None
    ) -> Credentials | None:
        """By address or by id."""
        where = {"email_key": email_key} if user_id is None else {"_id": ObjectId(user_id)}
        found = await self._users.find_one(where, {"words": False})
        return None if found is None else _credentials(found)

    async def by_ids(self, ids: Sequence[Id]) -> list[User]:
        wanted = [ObjectId(id_) for id_ in ids]
        return [as_user(d) async for d in self._users.find({"_id": {"$in": wanted}}, PUBLIC)]

    async def by_email(self, email_key: str) -> User | None:
        found = await self._users.find_one({"email_key": email_key}, PUBLIC)
        return None if found is None else as_user(found)

    async def page(self, search: str | None, keyset: Keyset) -> Page[User]:
        """Users whose name or address has words that begin as those of `search` do."""
        return await find_page(
            self._users, matching("words", search), keyset, as_user, projection=PUBLIC
        )

    async def count(self, search: str | None) -> int:
        return await self._users.count_documents(matching("words", search))

    async def set_password(
        self,
        user_id: Id,
        password_hash: str,
        *,
        instead_of: str | None,
        now: datetime,
        transaction: Transaction,
    ) -> Credentials | None:
        """Sets the hash and begins a new generation.

        None when the hash is no longer `instead_of`: somebody was faster.
        """
        found = await self._users.find_one_and_update(
            {"_id": ObjectId(user_id), "password_hash": instead_of},
            {
                "$set": {"password_hash": password_hash, "updated_at": now},
                "$inc": {"generation": 1},
            },
            {"words": False},
            return_document=ReturnDocument.AFTER,
            session=transaction,
        )
        return None if found is None else _credentials(found)

    async def rehash(self, user_id: Id, password_hash: str, *, instead_of: str) -> None:
        """Replaces the hash of the same password."""
        await self._users.update_one(
            {"_id": ObjectId(user_id), "password_hash": instead_of},
            {"$set": {"password_hash": password_hash}},
        )

    async def update_profile(
        self,
        user_id: Id,
        fields: Mapping[str, Any],
        *,
        now: datetime,
        transaction: Transaction,
    ) -> User | None:
        """Sets `name`, or `email` and `email_key`. None when there is no such user.

        Raises EmailTaken.
        """
        where = {"_id": ObjectId(user_id)}
        old = await self._users.find_one(where, {"name": True, "email": True}, session=transaction)
        if old is None:
            return None
        new = {**old, **fields}
        words = beginnings(new["name"], new["email"])
        try:
            found = await self._users.find_one_and_update(
                where,
                {"$set": {**fields, "words": words, "updated_at": now}},
                PUBLIC,
                return_document=ReturnDocument.AFTER,
                session=transaction,
            )
        except DuplicateKeyError as error:
            raise EmailTaken from error
        return None if found is None else as_user(found)


def as_user(document: Mapping[str, Any]) -> User:
    """The user without what is for signing in only."""
    return User.model_validate({**document, "id": document["_id"]})


def _credentials(document: Mapping[str, Any]) -> Credentials:
    return Credentials(as_user(document), document.get("password_hash"), document["generation"])
