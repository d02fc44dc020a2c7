"""`kubeorch rotate-keys`: everything moves under the first key, even if it is killed half-way."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from bson import ObjectId
from pymongo.asynchronous.collection import AsyncCollection

from app.commands.rotate_keys import EVERY
from app.documents.credentials import CredentialStore, StoredCredentials
from app.documents.database import Database, new_id
from app.domain.access import Access, BearerToken
from app.domain.ids import Id
from app.identity.keyring import ENCRYPTION, KeyRing
from app.identity.vault import Vault
from app.services.rotating import Rotation, rotate
from app.services.sealing import credentials_of, open_access, seal_access
from tests.secrecy import secret

OLDEST, OLD, NEW = (f"{name}:{secrets.token_urlsafe(32)}" for name in ("oldest", "old", "new"))

Raw = AsyncCollection[dict[str, Any]]


def vault(*keys: str) -> Vault:
    return Vault(KeyRing.parse(keys, ENCRYPTION))


def access() -> Access:
    return Access(
        server="https://192.0.2.1:6443", proof=BearerToken(token=secret("a cluster's token"))
    )


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[Raw]:
    yield database.raw["cluster_credentials"]


async def seal(database: Database, keys: Vault, number: int) -> dict[Id, Access]:
    """The credentials of so many clusters."""
    made = {new_id(): access() for _ in range(number)}

    async def work(transaction: Any) -> None:
        for id_, each in made.items():
            await CredentialStore().put(id_, seal_access(keys, id_, each), transaction)

    await database.transaction(work)
    return made


async def opened(keys: Vault, ids: Sequence[Id]) -> dict[Id, Access]:
    found = {}
    for id_ in ids:
        kept = await CredentialStore().get(id_)
        assert kept is not None
        found[id_] = open_access(keys, id_, kept.sealed)
    return found


async def key_ids(raw: Raw) -> set[str]:
    return set(await raw.distinct("key_id"))


def start(mongodb_uri: str, database_name: str, *keys: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", "rotate-keys"],
        env=os.environ
        | {
            "MONGODB_URI": mongodb_uri,
            "KUBEORCH_DATABASE": database_name,
            "KUBEORCH_ENCRYPTION_KEYS": "[" + ", ".join(f'"{key}"' for key in keys) + "]",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_everything_moves_and_stays_what_it_was(
    database: Database, raw: Raw, mongodb_uri: str, database_name: str
) -> None:
    made = await seal(database, vault(OLDEST), 3) | await seal(database, vault(OLD), 3)
    made |= await seal(database, vault(NEW), 2)
    before = {d["_id"]: d async for d in raw.find()}
    with start(mongodb_uri, database_name, NEW, OLD, OLDEST) as process:
        out, errors = process.communicate(timeout=60)
    assert out == "6 moved under the key new, 0 left under other keys.\n"
    assert (process.returncode, errors) == (0, "")
    assert await key_ids(raw) == {"new"}
    assert await opened(vault(NEW), list(made)) == made
    async for document in raw.find():
        old = before[document["_id"]]
        for part in ("version", "nonce", "ciphertext"):
            assert document[part] == old[part]


async def test_killed_half_way_the_next_run_goes_on(
    database: Database, raw: Raw, mongodb_uri: str, database_name: str
) -> None:
    number = EVERY * 6
    made = await seal(database, vault(OLD), number)
    with start(mongodb_uri, database_name, NEW, OLD) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{EVERY} of {number}\n"
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    left = await raw.count_documents({"key_id": "old"})
    assert 0 < left <= number - EVERY
    assert await key_ids(raw) == {"old", "new"}
    assert await opened(vault(NEW, OLD), list(made)) == made
    with start(mongodb_uri, database_name, NEW, OLD) as process:
        out, errors = process.communicate(timeout=60)
    lines = out.splitlines()
    assert lines[:-1] == [f"{done} of {left}" for done in range(EVERY, left + 1, EVERY)]
    assert lines[-1] == f"{left} moved under the key new, 0 left under other keys."
    assert (process.returncode, errors) == (0, "")
    assert await opened(vault(NEW), list(made)) == made


async def test_what_does_not_open_is_named_and_left_alone(
    database: Database, raw: Raw, mongodb_uri: str, database_name: str
) -> None:
    good = await seal(database, vault(OLD), 1)
    (lost,) = await seal(database, vault(OLDEST), 1)
    (spoilt,) = await seal(database, vault(OLD), 1)
    await raw.update_one({"_id": ObjectId(spoilt)}, {"$set": {"wrapped_key": b"spoilt"}})
    before = [await raw.find_one({"_id": ObjectId(id_)}) for id_ in (lost, spoilt)]
    with start(mongodb_uri, database_name, NEW, OLD) as process:
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == "1 moved under the key new, 2 left under other keys.\n"
    first, second = sorted(errors.splitlines(), key=lambda line: "oldest" not in line)
    assert first.startswith(
        f"cluster {lost}: The secret is sealed with the encryption key 'oldest', which this server"
    )
    assert second.startswith(
        f"cluster {spoilt}: The secret does not open with the encryption key 'old': "
    )
    assert [await raw.find_one({"_id": ObjectId(id_)}) for id_ in (lost, spoilt)] == before
    assert await opened(vault(NEW), list(good)) == good


async def test_nothing_to_do_is_done(
    database: Database, mongodb_uri: str, database_name: str
) -> None:
    with start(mongodb_uri, database_name, NEW) as process:
        out, errors = process.communicate(timeout=60)
    assert out == "0 moved under the key new, 0 left under other keys.\n"
    assert (process.returncode, errors) == (0, "")


class Interfering(CredentialStore):
    """Somebody replaces the credentials between our reading and our writing."""

    def __init__(self, database: Database, keys: Vault) -> None:
        self._database = database
        self._keys = keys
        self.given: dict[Id, Access] = {}

    async def rewrap(self, before: StoredCredentials, after: Any) -> bool:
        id_, given = before.cluster_id, access()

        async def work(transaction: Any) -> None:
            await self.put(id_, seal_access(self._keys, id_, given), transaction)

        await self._database.transaction(work)
        self.given[id_] = given
        return await super().rewrap(before, after)


async def test_credentials_that_are_replaced_meanwhile_are_not_written_over(
    database: Database, raw: Raw
) -> None:
    (id_,) = await seal(database, vault(OLD), 1)
    store = Interfering(database, vault(OLD, NEW))
    told: list[int] = []
    rotation = await rotate(store, vault(NEW, OLD), tell=lambda each: told.append(each.done))
    assert rotation == Rotation(total=1, done=1, moved=0)
    assert told == [1]
    assert await opened(vault(OLD), [id_]) == store.given
    assert await store.count_not_under("new") == 1


async def test_a_session_that_is_renewed_meanwhile_is_kept(database: Database) -> None:
    """A renewal that was begun before the key changed still finds what it renews."""
    (id_,) = await seal(database, vault(OLD), 1)
    store, renewed = CredentialStore(), access()
    before = await store.get(id_)
    assert before is not None
    await rotate(store, vault(NEW, OLD), tell=lambda _: None)
    assert await store.renew(before, seal_access(vault(OLD, NEW), id_, renewed))
    assert await opened(vault(OLD), [id_]) == {id_: renewed}
    assert not await store.renew(before, seal_access(vault(NEW, OLD), id_, access()))
    assert await opened(vault(OLD), [id_]) == {id_: renewed}


async def test_what_is_left_is_found_along_an_index(database: Database, raw: Raw) -> None:
    await seal(database, vault(NEW), 30)
    await seal(database, vault(OLD), 2)
    plan = await raw.database.command(
        "explain",
        {
            "find": raw.name,
            "filter": {"key_id": {"$ne": "new"}},
            "sort": {"key_id": 1, "_id": 1},
        },
        verbosity="executionStats",
    )
    assert plan["executionStats"]["totalDocsExamined"] == 2
    assert "SORT" not in {plan["queryPlanner"]["winningPlan"]["stage"]}


def test_the_context_names_the_cluster() -> None:
    id_ = Id("0" * 24)
    assert credentials_of(id_) == "credentials of cluster 000000000000000000000000"
