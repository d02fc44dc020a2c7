"""A server for all end-to-end tests, and more of them for those that stop and kill theirs."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from tests.e2e.running import RunningServer, log
from tests.secrecy import search

StartServer = Callable[..., Awaitable[RunningServer]]

QUICK = {
    "KUBEORCH_BCRYPT_ROUNDS": "4",
    "KUBEORCH_EXPLORER": "off",
    "KUBEORCH_ACCESS_TOKEN_SECONDS": "86400",
    "KUBEORCH_LOG_LEVEL": "warning",
    "KUBEORCH_SANDBOX": "false",
}
"""For servers that are started often, or for long."""


@pytest.fixture(scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningServer]:
    """The server of the whole run, with the demo data; it must survive every test."""
    running = await RunningServer.start(tmp_path_factory.mktemp("server"))
    yield running
    assert running.process.returncode is None, log(running.data_dir)
    assert await running.stop(signal.SIGTERM) == 0, log(running.data_dir)
    assert "Traceback" not in log(running.data_dir), log(running.data_dir)
    search("the log of the server", log(running.data_dir), of_all_tests=True)


@pytest.fixture
async def start_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    """`await start_server(**settings)`: another one, on this test's own data folder.

    What the test has not stopped itself is killed afterwards.
    """
    started: list[RunningServer] = []

    async def start(data_dir: Path = tmp_path / "kubeorch", **settings: str) -> RunningServer:
        started.append(await RunningServer.start(data_dir, **settings))
        return started[-1]

    yield start
    for each in started:
        if each.process.returncode is None:
            await each.kill()
    for folder in {each.data_dir for each in started}:
        search("the log of a server", log(folder), of_all_tests=True)


@pytest.fixture
def start_replica(mongodb_uri: str, database_name: str, start_server: StartServer) -> StartServer:
    """`await start_replica(**settings)`: a server on the test's own database.

    All of them have the same keys and users, because they share a data folder.
    """

    async def start(**settings: str) -> RunningServer:
        place = {"MONGODB_URI": mongodb_uri, "KUBEORCH_DATABASE": database_name}
        return await start_server(**QUICK | place | settings)

    return start


@pytest.fixture
async def short_transactions(mongodb: AsyncMongoClient[dict[str, Any]]) -> AsyncIterator[None]:
    """A killed process leaves its transaction to MongoDB, which ends it after a minute.

    Until then nobody can change the same things: events come late. Here it takes two seconds.
    """
    name = "transactionLifetimeLimitSeconds"
    usual = (await mongodb.admin.command({"getParameter": 1, name: 1}))[name]
    await mongodb.admin.command({"setParameter": 1, name: 2})
    yield
    await mongodb.admin.command({"setParameter": 1, name: usual})
