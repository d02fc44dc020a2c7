"""Credentials of clusters in MongoDB: sealed, and apart, so that reading a cluster reads none.

A version is what somebody gave. A renewed session, and another key around the same secret, are the
same version still.
"""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, IndexModel, ReturnDocument

from app.documents.database import Stored, Transaction
from app.domain.ids import Id
from app.domain.sealed import Sealed


class CredentialDocument(Stored):
    """A cluster's credentials, under the cluster's id."""

    version: int
    key_id: str
    wrapped_key: bytes
    nonce: bytes
    ciphertext: bytes

    class Settings(Stored.Settings):
        name = "cluster_credentials"
        indexes = [  # noqa: RUF012
            IndexModel([("key_id", ASCENDING), ("_id", ASCENDING)], name="key")
        ]


@dataclass(frozen=True, slots=True)
class StoredCredentials:
    """Credentials as they are kept, and which they are."""

    cluster_id: Id
    version: int
    sealed: Sealed


class CredentialStore:
    """Every query on credentials."""

    async def put(self, cluster_id: Id, sealed: Sealed, transaction: Transaction) -> int:
        """Keeps them, whatever was there; the new version, which is 1 for a new cluster."""
        credentials = CredentialDocument.get_pymongo_collection()
        found: Any = await credentials.find_one_and_update(
            {"_id": ObjectId(cluster_id)},
            {"$set": asdict(sealed), "$inc": {"version": 1}},
            {"version": True},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=transaction,
        )
        return int(found["version"])

    async def get(
        self, cluster_id: Id, transaction: Transaction | None = None
    ) -> StoredCredentials | None:
        found = await CredentialDocument.get_pymongo_collection().find_one(
            {"_id": ObjectId(cluster_id)}, session=transaction
        )
        return None if found is None else _stored(found)

    async def renew(self, before: StoredCredentials, sealed: Sealed) -> bool:
        """Keeps `sealed` instead of `before`, as the same version: it gives the same access.

        False when something else is kept by now: somebody was faster. Another key around the same
        secret is nothing else.
        """
        done = await CredentialDocument.get_pymongo_collection().update_one(
            {
                "_id": ObjectId(before.cluster_id),
                "version": before.version,
                "nonce": before.sealed.nonce,
            },
            {"$set": asdict(sealed)},
        )
        return done.matched_count == 1

    async def delete(self, cluster_id: Id, transaction: Transaction) -> None:
        """The cluster is gone."""
        await CredentialDocument.get_pymongo_collection().delete_one(
            {"_id": ObjectId(cluster_id)}, session=transaction
        )

    async def not_under(self, key_id: str) -> AsyncIterator[StoredCredentials]:
        """All that another key wraps, in the order of the keys and ids."""
        found = CredentialDocument.get_pymongo_collection().find(
            {"key_id": {"$ne": key_id}},
            sort=[("key_id", ASCENDING), ("_id", ASCENDING)],
            batch_size=100,
        )
        async with found as documents:
            async for document in documents:
                yield _stored(document)

    async def count_not_under(self, key_id: str) -> int:
        """How many another key wraps."""
        return await CredentialDocument.get_pymongo_collection().count_documents(
            {"key_id": {"$ne": key_id}}
        )

    async def rewrap(self, before: StoredCredentials, after: Sealed) -> bool:
        """Writes the same credentials under another key; False when they are not what they were."""
        done = await CredentialDocument.get_pymongo_collection().update_one(
            {
                "_id": ObjectId(before.cluster_id),
                "version": before.version,
                "wrapped_key": before.sealed.wrapped_key,
            },
            {"$set": {"key_id": after.key_id, "wrapped_key": after.wrapped_key}},
        )
        return done.matched_count == 1


def _stored(document: dict[str, Any]) -> StoredCredentials:
    return StoredCredentials(
        cluster_id=Id(document["_id"]),
        version=document["version"],
        sealed=Sealed(
            key_id=document["key_id"],
            wrapped_key=document["wrapped_key"],
            nonce=document["nonce"],
            ciphertext=document["ciphertext"],
        ),
    )
