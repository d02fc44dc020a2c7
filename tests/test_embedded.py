"""The embedded database: it keeps what was acknowledged, and leaves nothing running behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from app import mongod
from app.embedded import DataDirInUse, EmbeddedMongo, MongodFailed

Notes = AsyncCollection[dict[str, Any]]

# A server in a process of its own: says its database's address, then waits to be killed.
SERVER = """
import asyncio, sys
from pathlib import Path
from app.embedded import EmbeddedMongo

async def main():
    mongo = EmbeddedMongo(Path(sys.argv[1]))
    async with mongo as uri:
        print(uri, flush=True)
        await mongo.wait()

asyncio.run(main())
"""


@asynccontextmanager
async def notes(uri: str) -> AsyncIterator[Notes]:
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        yield client.test.notes


@contextmanager
def server(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(data_dir)], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def mongod_pid(data_dir: Path) -> int:
    return int((data_dir / "mongo" / "mongod.pid").read_text())


async def test_starts_a_replica_set_with_transactions(tmp_path: Path) -> None:
    async with EmbeddedMongo(tmp_path) as uri, AsyncMongoClient[dict[str, Any]](uri) as client:

        async def work(session: Any) -> None:
            await client.test.notes.insert_one({"_id": 1}, session=session)

        async with client.start_session() as session:
            await session.with_transaction(work)
        hello = await client.admin.command("hello")
        assert (hello["setName"], hello["isWritablePrimary"]) == ("kubeorch", True)
        assert hello["hosts"] == [hello["me"]]
        assert hello["me"].startswith("127.0.0.1:")


async def test_a_restart_keeps_data_and_address(tmp_path: Path) -> None:
    async with EmbeddedMongo(tmp_path) as first, notes(first) as collection:
        await collection.insert_one({"_id": 1})
    async with EmbeddedMongo(tmp_path) as second, notes(second) as collection:
        assert await collection.find().to_list() == [{"_id": 1}]
    assert second == first


async def test_moves_to_another_port_when_its_own_is_taken(tmp_path: Path) -> None:
    async with EmbeddedMongo(tmp_path) as first, notes(first) as collection:
        await collection.insert_one({"_id": 1})
    port = int((tmp_path / "mongo" / "port").read_text())
    taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    async with taken, EmbeddedMongo(tmp_path) as second, notes(second) as collection:
        await collection.insert_one({"_id": 2})
        assert await collection.count_documents({}) == 2
    assert second != first


async def test_nothing_runs_after_it_has_stopped(tmp_path: Path) -> None:
    async with EmbeddedMongo(tmp_path):
        pid = mongod_pid(tmp_path)
        assert mongod.is_mongod_of(pid, tmp_path / "mongo" / "db")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert EmbeddedMongo.running(tmp_path) is None


async def test_the_database_ends_with_a_server_that_was_killed(tmp_path: Path) -> None:
    with server(tmp_path) as (process, uri):
        async with notes(uri) as collection:
            await collection.insert_one({"_id": 1})
        pid = mongod_pid(tmp_path)
        process.kill()
        await mongod.ended(pid)
    async with EmbeddedMongo(tmp_path) as uri, notes(uri) as collection:
        assert await collection.count_documents({}) == 1


async def test_an_orphan_is_stopped_before_the_next_start(tmp_path: Path) -> None:
    home = tmp_path / "mongo"
    async with EmbeddedMongo(tmp_path) as uri, notes(uri) as collection:
        await collection.insert_one({"_id": 1})
    # As after a crash on a platform that does not tell children: mongod runs on, alone.
    options = {"--dbpath": home / "db", "--port": (home / "port").read_text()}
    options |= {"--replSet": "kubeorch", "--bind_ip": "127.0.0.1", "--logpath": tmp_path / "log"}
    words = [str(word) for option in options.items() for word in option]
    start = await asyncio.create_subprocess_exec(mongod.find_mongod(), "--fork", *words)
    assert await start.wait() == 0
    orphan = int((home / "db" / "mongod.lock").read_text())
    async with EmbeddedMongo(tmp_path) as uri, notes(uri) as collection:
        assert mongod_pid(tmp_path) != orphan
        assert not mongod.is_mongod_of(orphan, home / "db")
        assert await collection.count_documents({}) == 1


async def test_the_files_of_a_crash_are_no_hindrance(tmp_path: Path) -> None:
    with server(tmp_path) as (process, uri):
        async with notes(uri) as collection:
            await collection.insert_one({"_id": 1})
        pid = mongod_pid(tmp_path)
        os.kill(pid, signal.SIGKILL)
        await mongod.ended(pid)
        process.kill()
    # Both files name processes that are gone, or that are someone else's by now.
    assert (tmp_path / "mongo" / "db" / "mongod.lock").read_text().strip() == str(pid)
    (tmp_path / "mongo" / "mongod.pid").write_text(str(os.getpid()))
    (tmp_path / "mongo" / "port").write_text("")
    async with EmbeddedMongo(tmp_path) as uri, notes(uri) as collection:
        assert await collection.count_documents({}) == 1


async def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with EmbeddedMongo(tmp_path) as uri, notes(uri) as collection:
        with pytest.raises(DataDirInUse) as refusal:
            await EmbeddedMongo(tmp_path).__aenter__()
        assert str(refusal.value) == (
            f"The data folder {tmp_path} is in use by another kubeorch server (process "
            f"{os.getpid()}). Stop that one first, or give this one a folder of its own with "
            "KUBEORCH_DATA_DIR."
        )
        assert EmbeddedMongo.running(tmp_path) == uri
        await collection.insert_one({"_id": 1})


async def test_no_mongod_names_the_two_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongod, "PACKAGE", "a-package-that-is-not-installed")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(mongod.MongodMissing) as missing:
        await EmbeddedMongo(tmp_path).__aenter__()
    assert "kubeorch[embedded]" in str(missing.value)
    assert "MONGODB_URI" in str(missing.value)


async def test_a_mongod_on_the_path_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = tmp_path / "mongod"
    binary.symlink_to(mongod.find_mongod())
    monkeypatch.setattr(mongod, "PACKAGE", "a-package-that-is-not-installed")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    async with EmbeddedMongo(tmp_path / "data"):
        assert mongod.is_mongod_of(mongod_pid(tmp_path / "data"), tmp_path / "data/mongo/db")


async def test_a_failed_start_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    async with EmbeddedMongo(tmp_path):
        pass
    (tmp_path / "mongo" / "db" / "WiredTiger.turtle").write_text("nonsense")
    with pytest.raises(
        MongodFailed, match=r"ended with code -6 while starting\. It said: .*turtle"
    ):
        await EmbeddedMongo(tmp_path).__aenter__()
    assert not (tmp_path / "mongo" / "mongod.pid").exists()
    assert EmbeddedMongo.running(tmp_path) is None
