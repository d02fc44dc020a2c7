"""What every test can ask for: a real MongoDB, a database of its own, and a tool that may lack."""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pymongo import AsyncMongoClient

from app.documents import DOCUMENTS
from app.documents.database import Database
from app.embedded import EmbeddedMongo

pytest_plugins = ["tests.commands", "tests.secrecy", "tests.wiring"]

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

CI = bool(os.environ.get("CI"))
ROOM = 2**30
"""Bytes that the test database may need; a container often has 64 MiB of shared memory."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that was skipped, for whatever reason, has failed: nobody would notice."""
    return _never_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module."""
    return _never_skipped((yield))


def _never_skipped(report: Report) -> Report:
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason}\nIn CI nothing is skipped: add what is missing to .ci/run."
    return report


@pytest.fixture(scope="session")
def requires() -> Callable[..., str]:
    """`requires("chromium", "chrome")`: the path of the first such program, or a skip."""

    def find(*names: str) -> str:
        found = next(filter(None, map(shutil.which, names)), None)
        if found is None:
            pytest.skip(f"this machine has no {' or '.join(names)}")
        return found

    return find


@pytest.fixture(scope="session")
async def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A MongoDB replica set for the whole run: TEST_MONGODB_URI, else an embedded one."""
    if given := os.environ.get("TEST_MONGODB_URI"):
        yield given
    else:
        # In memory where that can be: tests make and drop a database each, and wait for the disk.
        memory = Path("/dev/shm")  # noqa: S108
        roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
        parent = memory if roomy else tmp_path_factory.getbasetemp()
        with tempfile.TemporaryDirectory(prefix="kubeorch-tests-", dir=parent) as data_dir:
            async with EmbeddedMongo(Path(data_dir)) as uri:
                yield uri


@pytest.fixture(scope="session")
async def mongodb(mongodb_uri: str) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    """A client of that MongoDB, for looking behind the scenes."""
    async with AsyncMongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        yield client


@pytest.fixture
async def database_name(mongodb: AsyncMongoClient[dict[str, Any]]) -> AsyncIterator[str]:
    """The name of a database that only this test uses; it is dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    yield name
    from tests.secrecy import search_database  # noqa: PLC0415  # pytest is to load it first

    try:
        await search_database(mongodb, name)
    finally:
        await mongodb.drop_database(name)


@pytest.fixture
async def database(mongodb_uri: str, database_name: str) -> AsyncIterator[Database]:
    """That database, connected, with the indexes of every document."""
    connected = await Database.connect(mongodb_uri, database_name, DOCUMENTS)
    yield connected
    await connected.close()
