"""Replicas die in the middle of a stream: whoever comes back to another one has missed nothing."""

import asyncio
import os
from dataclasses import replace
from random import Random

import httpx
import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import StartServer
from tests.e2e.editor import Editor
from tests.e2e.running import RunningServer
from tests.e2e.subscribing import Canvas, Follower

KILLS = 100 if os.environ.get("KUBEORCH_SOAK") else 10
FOLLOWERS = 3


@pytest.mark.soak
@pytest.mark.usefixtures("short_transactions")
async def test_a_killed_replica_costs_no_event(start_replica: StartServer) -> None:
    random = Random(4)
    replicas = [await start_replica(), await start_replica()]
    async with httpx.AsyncClient(timeout=60) as http, asyncio.timeout(60 + 30 * KILLS):
        client = await Client.sign_in(http, replicas[0])
        assert client.token is not None
        created = await client.one("CreateWorkflow", input={"name": "Survivor"})
        workflow_id = created["workflow"]["id"]
        followers = [Follower(client.token, workflow_id) for _ in range(FOLLOWERS)]

        def living() -> list[Client]:
            alive = [each for each in replicas if each.process.returncode is None]
            return [replace(client, url=each.url) for each in alive]

        editor = Editor(living, workflow_id, random)
        enough = asyncio.Event()
        editing = asyncio.create_task(editor.keep_on(enough, pause=0.02))
        starting: asyncio.Task[RunningServer] | None = None
        for kill in range(KILLS):
            victim = replicas[kill % 2]
            async with asyncio.TaskGroup() as lives:
                for follower in followers:
                    lives.create_task(follower.live(victim.ws_url))
                await followers[0].reached((followers[0].seq or 0) + random.randint(1, 20))
                if starting is not None:
                    # The editor needs somewhere to go on.
                    replicas[(kill + 1) % 2] = await starting
                if editing.done():
                    await editing  # it never ends of itself: this tells why it has
                victim.process.kill()
            await victim.ended()
            starting = asyncio.create_task(start_replica())  # type: ignore[arg-type]
        assert starting is not None
        await starting

        enough.set()
        await editing
        (survivor,) = living()
        now = await Canvas.now(survivor, workflow_id)
        last = now.row["seq"]
        async with asyncio.TaskGroup() as lives:
            ends = [
                lives.create_task(follower.live(survivor.url.replace("http", "ws", 1)))
                for follower in followers
            ]
            for follower in followers:
                await follower.reached(last)
            for end in ends:
                end.cancel()
    for follower in followers:
        assert follower.heard == list(range(1, last + 1))
        assert follower.gaps == []
        assert follower.canvas == now
    print(f"\n{KILLS} kills, {last} events, {editor.failures} requests that failed")
