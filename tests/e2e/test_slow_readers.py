"""Subscribers who do not read cost the server nothing that grows, and the others nothing at all."""

import asyncio
import os
import socket
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from tests.e2e.client import Client
from tests.e2e.conftest import StartServer
from tests.e2e.editor import Editor, Operation
from tests.e2e.running import RunningServer
from tests.e2e.subscribing import Canvas, Follower, socket_to

SLOW = 20
READERS = 3
FEWEST, MOST = (10, 20) if os.environ.get("KUBEORCH_SOAK") else (3, 9)
"""Pairs of rounds. Whatever else the machine does meanwhile may spoil some: more of them tell."""
EDITS = 200
"""In a round; small ones, so that the disk of the database has no part in it."""
FILLING = 100
"""Edits after which nobody's buffers take any more, and the server has dropped what they miss."""
TEXT = 100_000
"""Characters that each of those changes."""
BYTES = 48 * 2**20
"""How much larger the server may become; what they do not read is many times as much."""
SLOWER = 1.5
"""How much later the others may hear of an edit, at the 99th percentile."""

PATIENT = {
    "KUBEORCH_PING_SECONDS": "600",  # whoever answers no ping is sent away; these are to stay
    "MALLOC_MMAP_THRESHOLD_": "65536",  # what is freed is given back, and measured so
}

DELIVERIES = "kubeorch_stream_deliveries_total"
RESIDENT = "process_resident_memory_bytes"


@dataclass
class Room:
    """A server, an editor, and some who follow."""

    server: RunningServer
    client: Client
    editor: Editor
    workflow_id: str
    readers: list[Follower]
    _edits: int = 0

    def follower(self) -> Follower:
        assert self.client.token is not None
        return Follower(self.client.token, self.workflow_id)

    async def draw(self) -> None:
        """Two nodes to be edited."""
        for name in ("big", "small"):
            node = {"id": name, "data": {"configmap": {"name": name}}}
            await self.editor.edit({"addNode": node})

    async def edit(self, name: str, size: int) -> int:
        """Changes so many characters of a node; the number of the event."""
        self._edits += 1
        text = f"{self._edits}".ljust(size, "x")
        data = {"configmap": {"name": name, "data": {"text": text}}}
        operation: Operation = {"updateNode": {"id": name, "data": data}}
        return await self.editor.edit(operation) - 1

    async def fill(self) -> None:
        """Much text, which all who read get."""
        for _ in range(FILLING):
            seq = await self.edit("big", TEXT)
            await asyncio.gather(*(reader.reached(seq) for reader in self.readers))

    async def lag(self) -> float:
        """Seconds from an edit until all who read have it."""
        began = time.perf_counter()
        seq = await self.edit("small", 10)
        await asyncio.gather(*(reader.reached(seq) for reader in self.readers))
        return time.perf_counter() - began

    async def p99(self) -> float:
        """Of the lags of one round."""
        return statistics.quantiles([await self.lag() for _ in range(EDITS)], n=100)[98]

    async def resident(self) -> float:
        """Bytes."""
        return (await self.server.metrics())[RESIDENT]


@asynccontextmanager
async def silent(room: Room) -> AsyncIterator[list[tuple[Follower, ClientConnection]]]:
    """Some who subscribe and do not read."""
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(SLOW):
            follower = room.follower()
            peer = socket.socket()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect(("127.0.0.1", room.server.port))
            connection = await stack.enter_async_context(
                socket_to(room.server.ws_url, follower.token, sock=peer, max_queue=(1, 0))
            )
            await follower.ask(connection)
            found.append((follower, connection))
        yield found
        for _, connection in found:
            # A farewell would wait for what was not read.
            connection.transport.abort()


@pytest.mark.soak
async def test_who_does_not_read_is_nobodys_burden(start_replica: StartServer) -> None:
    server = await start_replica(**PATIENT)
    async with httpx.AsyncClient(timeout=60) as http:
        client = await Client.sign_in(http, server)
        created = await client.one("CreateWorkflow", input={"name": "Slow"})
        workflow_id = created["workflow"]["id"]
        editor = Editor(lambda: [client], workflow_id, Random(4))
        room = Room(server, client, editor, workflow_id, [])
        room.readers += [room.follower() for _ in range(READERS)]
        async with asyncio.TaskGroup() as tasks:
            for reader in room.readers:
                tasks.create_task(reader.live(server.ws_url))
            await asyncio.gather(*(reader.reached(0) for reader in room.readers))
            await room.draw()
            for _ in range(2):
                await room.fill()  # the server keeps the newest answers, up to a size

            usual = await room.resident()
            ratios: list[float] = []
            grown = 0.0
            while len(ratios) < FEWEST or (
                statistics.median(ratios) > SLOWER and len(ratios) < MOST
            ):
                alone = await room.p99()
                async with silent(room) as sleepers:
                    await room.fill()
                    before = (await server.metrics())[DELIVERIES]
                    ratios.append(await room.p99() / alone)
                    grown = max(grown, await room.resident() - usual)
                    told = (await server.metrics())[DELIVERIES] - before
                    assert told == READERS * EDITS, "somebody was reading after all"
                    if len(ratios) == 1:
                        await wake(room, sleepers)
            print(
                f"\n{SLOW} who do not read: {grown / 2**20:+.1f} MiB; 99th percentile times "
                f"{statistics.median(ratios):.2f} ({', '.join(f'{r:.2f}' for r in ratios)}), "
                f"{1000 * alone:.0f} ms without them"
            )
            assert grown < BYTES
            assert statistics.median(ratios) <= SLOWER
            assert await server.stop() == 0
    for reader in room.readers:
        assert reader.gaps == []


async def wake(room: Room, sleepers: list[tuple[Follower, ClientConnection]]) -> None:
    """They read again: what had been sent, a gap, a snapshot, and then what everybody is told."""

    async def read(follower: Follower, connection: ClientConnection, until: str) -> None:
        async for event in follower.listen(connection):
            if event["__typename"] == until and event["seq"] == last:
                return
        raise AssertionError(f"closed with {follower.close_code}")

    for until in ("WorkflowSnapshot", "WorkflowEdited"):
        last = await room.edit("big", TEXT)
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            for follower, connection in sleepers:
                tasks.create_task(read(follower, connection, until))
    now = await Canvas.now(room.client, room.workflow_id)
    for follower, _ in sleepers:
        assert len(follower.gaps) == 1
        assert follower.canvas == now
