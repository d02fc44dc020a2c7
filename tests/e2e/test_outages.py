"""The database fails under open streams: they wait, and go on without a gap on the same socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from pymongo import AsyncMongoClient

from tests.e2e.client import Client
from tests.e2e.conftest import QUICK
from tests.e2e.editor import Editor
from tests.e2e.outages import BreakableMongo
from tests.e2e.running import RunningServer, log
from tests.e2e.subscribing import Canvas, Follower

DATABASE = "kubeorch"
EVENTS = f"{DATABASE}.events"
REOPENED = "kubeorch_hub_reopened_total"
EACH = 5
"""Edits before, during and after an outage."""


@dataclass
class Scene:
    """A server on a database of its own, an editor at it, and somebody who follows."""

    mongo: BreakableMongo
    server: RunningServer
    client: Client
    editor: Editor
    follower: Follower
    workflow_id: str

    async def edits(self) -> int:
        """A few; the number of the last one."""
        for _ in range(EACH):
            revision = await self.editor.edit()
        return revision - 1

    async def told(self, last: int) -> None:
        """Returns when the follower has everything."""
        async with asyncio.timeout(30):
            await self.follower.reached(last)


@pytest.fixture(scope="module")
async def mongo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BreakableMongo]:
    breakable = BreakableMongo(tmp_path_factory.mktemp("breakable"))
    await breakable.start()
    yield breakable
    await breakable.stop()


@pytest.fixture(scope="module")
async def lasting_server(
    mongo: BreakableMongo, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningServer]:
    """One server that must survive everything here."""
    server = await start_on(mongo, tmp_path_factory.mktemp("lasting"))
    yield server
    assert await server.stop() == 0, log(server.data_dir)


async def start_on(mongo: BreakableMongo, data_dir: Path) -> RunningServer:
    return await RunningServer.start(
        data_dir, **QUICK, MONGODB_URI=mongo.uri, KUBEORCH_DATABASE=DATABASE
    )


@asynccontextmanager
async def scene_at(mongo: BreakableMongo, server: RunningServer) -> AsyncIterator[Scene]:
    """With a few edits told; at the end everything must have been told, on the first socket."""
    async with httpx.AsyncClient(timeout=60) as http:
        client = await Client.sign_in(http, server)
        assert client.token is not None
        created = await client.one("CreateWorkflow", input={"name": "Outage"})
        workflow_id = created["workflow"]["id"]
        editor = Editor(lambda: [client], workflow_id, Random(4))
        follower = Follower(client.token, workflow_id)
        scene = Scene(mongo, server, client, editor, follower, workflow_id)
        following = asyncio.create_task(follower.live(server.ws_url))
        await scene.told(0)
        await scene.told(await scene.edits())
        yield scene
        last = await scene.edits()
        await scene.told(last)
        assert not following.done(), follower.close_code
        assert follower.heard == list(range(1, last + 1))
        assert follower.gaps == []
        assert follower.canvas == await Canvas.now(client, workflow_id)
        following.cancel()
        await asyncio.wait({following})


@pytest.fixture
async def scene(mongo: BreakableMongo, lasting_server: RunningServer) -> AsyncIterator[Scene]:
    async with scene_at(mongo, lasting_server) as ready:
        yield ready


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"errorCode": 286}, id="history-lost"),
        pytest.param({"errorCode": 280}, id="fatal"),
        pytest.param({"errorCode": 260}, id="invalid-token"),
        pytest.param({"errorCode": 43}, id="cursor-not-found"),
        pytest.param({"closeConnection": True}, id="connection-lost"),
    ],
)
async def test_what_happened_while_the_change_stream_was_broken_arrives(
    scene: Scene, how: dict[str, Any]
) -> None:
    before = await scene.server.metrics()
    known = scene.follower.seq
    async with scene.mongo.failing("getMore", "aggregate", namespace=EVENTS, **how):
        async with asyncio.timeout(30):
            # Nothing tells of it: it is counted.
            while (await scene.server.metrics())[REOPENED] == before[REOPENED]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        last = await scene.edits()
        assert scene.follower.seq == known
    await scene.told(last)


async def test_a_token_that_the_server_invalidated(scene: Scene) -> None:
    """Whoever restores a backup renames collections: the change stream must begin anew."""
    before = await scene.server.metrics()
    async with AsyncMongoClient[dict[str, Any]](scene.mongo.uri) as client:
        await client[DATABASE]["events"].rename("elsewhere")
        await client[DATABASE]["elsewhere"].rename("events")
    last = await scene.edits()
    await scene.told(last)
    assert (await scene.server.metrics())[REOPENED] > before[REOPENED]


async def test_a_database_that_was_killed(scene: Scene) -> None:
    editing = asyncio.create_task(scene.edits())
    await scene.mongo.kill()
    await scene.mongo.start()
    await scene.told(await editing)


async def test_a_primary_that_steps_down(scene: Scene) -> None:
    editing = asyncio.create_task(scene.edits())
    await scene.mongo.command("replSetStepDown", 60, force=True, secondaryCatchUpPeriodSecs=0)
    async with AsyncMongoClient[dict[str, Any]](scene.mongo.uri, directConnection=True) as client:
        await client.admin.command("replSetFreeze", 0)
    await scene.told(await editing)
