"""Many subscribers in one process: each gets everything, and the work is done once for all."""

import asyncio
import os
import resource
import time
from random import Random

import httpx
import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import StartServer
from tests.e2e.editor import Editor
from tests.e2e.running import RunningServer
from tests.e2e.subscribing import Follower

SUBSCRIBERS = 2_000 if os.environ.get("KUBEORCH_SOAK") else 200
EVENTS = 100
AT_ONCE = 50
"""Handshakes at the same time."""
BYTES_EACH = 150_000
"""Memory that a subscriber may take."""

ROOM = {
    "KUBEORCH_MAX_SOCKETS_PER_USER": "100000",
    "KUBEORCH_MAX_SOCKETS_PER_ADDRESS": "100000",
}
RESIDENT = "process_resident_memory_bytes"
EXECUTIONS = "kubeorch_stream_executions_total"
DELIVERIES = "kubeorch_stream_deliveries_total"
SUBSCRIBED = 'kubeorch_subscribers{field="workflowChanged"}'
CONNECTED = 'kubeorch_stream_connections{transport="websocket"}'


@pytest.fixture(autouse=True, scope="module")
def _enough_files() -> None:
    """Here, and in the servers that are started from here."""
    needed = SUBSCRIBERS + 1_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


async def join(tasks: asyncio.TaskGroup, server: RunningServer, followers: list[Follower]) -> None:
    """Subscribes them, each on a socket of its own; returns when all have their snapshot."""
    door = asyncio.Semaphore(AT_ONCE)

    async def enter(follower: Follower) -> None:
        async with door:
            tasks.create_task(follower.live(server.ws_url))
            await follower.reached(0)

    await asyncio.gather(*map(enter, followers))


@pytest.mark.soak
async def test_everybody_gets_everything_and_it_is_made_once(start_replica: StartServer) -> None:
    server = await start_replica(**ROOM)
    async with httpx.AsyncClient(timeout=60) as http:
        client = await Client.sign_in(http, server)
        assert client.token is not None
        workflow_id = (await client.one("CreateWorkflow", input={"name": "Crowd"}))["workflow"][
            "id"
        ]
        editor = Editor(lambda: [client], workflow_id, Random(4))
        token = client.token
        crowd = [Follower(token, workflow_id, fold=False) for _ in range(SUBSCRIBERS)]
        others = [Follower(token, workflow_id) for _ in range(3)]

        async with asyncio.TaskGroup() as tasks:
            empty = await server.metrics()
            await join(tasks, server, crowd)
            gathered = await server.metrics()
            assert gathered[SUBSCRIBED] == gathered[CONNECTED] == SUBSCRIBERS
            bytes_each = (gathered[RESIDENT] - empty[RESIDENT]) / SUBSCRIBERS
            # The first of all subscribers make the process grow for good.
            assert bytes_each < BYTES_EACH + 2**24 / SUBSCRIBERS

            began = time.perf_counter()
            for _ in range(EVENTS):
                await editor.edit()
            await asyncio.gather(*(follower.reached(EVENTS) for follower in crowd))
            took = time.perf_counter() - began
            await server.until(DELIVERIES, gathered[DELIVERIES] + SUBSCRIBERS * EVENTS)
            assert (await server.metrics())[EXECUTIONS] == gathered[EXECUTIONS] + EVENTS

            # The same events for those who ask another question of them.
            await join(tasks, server, others)
            two = await server.metrics()
            for _ in range(10):
                await editor.edit()
            last = EVENTS + 10
            await asyncio.gather(*(follower.reached(last) for follower in [*crowd, *others]))
            await server.until(DELIVERIES, two[DELIVERIES] + (SUBSCRIBERS + len(others)) * 10)
            assert (await server.metrics())[EXECUTIONS] == two[EXECUTIONS] + 2 * 10

            assert (await server.stop()) == 0
    for follower in crowd:
        assert follower.heard == list(range(1, last + 1))
        assert follower.gaps == []
        assert follower.close_code == 1012
    assert all(follower.canvas == others[0].canvas for follower in others)
    print(
        f"\n{SUBSCRIBERS} subscribers, {EVENTS} events: {took:.1f} s, "
        f"{SUBSCRIBERS * EVENTS / took:,.0f} deliveries a second, {bytes_each / 1024:.0f} KiB each"
    )
