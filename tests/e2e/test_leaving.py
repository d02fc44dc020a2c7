"""Subscribers come and go in every way there is, and leave nothing behind."""

import asyncio
import gc
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import pytest
from graphql.execution.collect_fields import CollectedFields
from pymongo import AsyncMongoClient
from websockets.exceptions import ConnectionClosed

from app.main import create_app
from app.realtime.ending import Ending
from app.realtime.topics import Topic
from app.settings import Settings
from app.web.events import EventStream as ServedStream
from app.web.sockets import Socket
from schema.subscribing import Subscription
from tests.e2e.client import Client
from tests.e2e.conftest import StartServer
from tests.e2e.editor import Editor
from tests.e2e.event_streams import EventStream, cut
from tests.e2e.subscribing import NUMBERS, Follower, hear, socket_to, subscribe
from tests.web.serving import serving
from tests.wiring import PASSWORD

VISITS = 10_000 if os.environ.get("KUBEORCH_SOAK") else 1_000
WARM = 300
"""Visits until pools, caches and the allocator have what they need."""
AT_ONCE = 10
BYTES = 2**24
"""How much larger the process may be afterwards: less than 1.7 KB for each of 10,000 visits."""

GAUGES = (
    'kubeorch_subscribers{field="workflowChanged"}',
    'kubeorch_stream_connections{transport="websocket"}',
    'kubeorch_stream_connections{transport="sse"}',
)


@dataclass
class Visitors:
    """People who subscribe to a workflow and leave again."""

    client: Client
    workflow_id: str
    random: Random

    async def come_and_go(self, visits: int) -> None:
        """So many of them, several at once, while somebody edits."""
        editor = Editor(lambda: [self.client], self.workflow_id, self.random)
        enough = asyncio.Event()
        editing = asyncio.create_task(editor.keep_on(enough, pause=0.05))
        ways = [
            (self._completes, self._closes, self._drops, self._reads, self._breaks_off)[i % 5]
            for i in range(visits)
        ]
        self.random.shuffle(ways)
        await asyncio.gather(*(self._one_after_the_other(ways) for _ in range(AT_ONCE)))
        enough.set()
        await editing

    async def _one_after_the_other(
        self, ways: list[Callable[[], Coroutine[Any, Any, None]]]
    ) -> None:
        while ways:
            async with asyncio.timeout(60):
                await ways.pop()()

    @property
    def _ws_url(self) -> str:
        return self.client.url.replace("http", "ws", 1)

    @property
    def _token(self) -> str:
        assert self.client.token is not None
        return self.client.token

    async def _completes(self) -> None:
        """Two subscriptions on one websocket, each ended by the subscriber."""
        async with socket_to(self._ws_url, self._token) as socket:
            for operation in ("1", "2"):
                await subscribe(socket, NUMBERS, operation=operation, id=self.workflow_id)
                if self.random.random() < 0.5:
                    assert (await hear(socket))["type"] == "next"
                await socket.send(f'{{"type":"complete","id":"{operation}"}}')

    async def _closes(self) -> None:
        """A websocket that is closed under its subscription."""
        async with socket_to(self._ws_url, self._token) as socket:
            await subscribe(socket, NUMBERS, id=self.workflow_id)
            if self.random.random() < 0.5:
                await hear(socket)

    async def _drops(self) -> None:
        """A websocket whose connection is reset."""
        with suppress(ConnectionClosed):
            async with socket_to(self._ws_url, self._token) as socket:
                await subscribe(socket, NUMBERS, id=self.workflow_id)
                if self.random.random() < 0.5:
                    await hear(socket)
                cut(socket.transport)
                await socket.recv()

    async def _reads(self) -> None:
        """An event stream that is left after its first event."""
        stream = await EventStream.open(self.client.url, self._token, NUMBERS, id=self.workflow_id)
        assert await stream.next()
        await stream.close()

    async def _breaks_off(self) -> None:
        """An event stream whose connection is reset."""
        stream = await EventStream.open(self.client.url, self._token, NUMBERS, id=self.workflow_id)
        if self.random.random() < 0.5:
            assert await stream.next()
        stream.cut()


async def newcomer(http: httpx.AsyncClient, address: str) -> Client:
    """Somebody who has an account now."""
    nobody = Client(http, f"http://{address}/graphql")
    person = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    await nobody.one("Register", input=person)
    return await nobody.signed_in(person["email"], PASSWORD)


async def visitors(client: Client) -> Visitors:
    created = await client.one("CreateWorkflow", input={"name": "Visited"})
    return Visitors(client, created["workflow"]["id"], Random(4))


@pytest.mark.soak
async def test_no_memory_no_connection_no_cursor_is_left(
    start_replica: StartServer, mongodb: AsyncMongoClient[dict[str, Any]]
) -> None:
    async def cursors() -> int:
        status = await mongodb.admin.command("serverStatus")
        return int(status["metrics"]["cursor"]["open"]["total"])

    server = await start_replica()
    before = await cursors()
    async with httpx.AsyncClient(timeout=60) as http:
        coming = await visitors(await Client.sign_in(http, server))
        await coming.come_and_go(WARM)
        for gauge in GAUGES:
            await server.until(gauge, 0)
        warm = await server.metrics()
        await coming.come_and_go(VISITS)
        for gauge in GAUGES:
            await server.until(gauge, 0)
        cold = await server.metrics()
    assert await cursors() <= before  # servers that were killed left some, which expire
    grown = cold["process_resident_memory_bytes"] - warm["process_resident_memory_bytes"]
    files = cold["process_open_fds"] - warm["process_open_fds"]
    print(f"\n{VISITS} visits: {grown / 2**20:+.1f} MiB, {files:+.0f} files, {before} cursors")
    assert grown < BYTES
    assert files < AT_ONCE  # of the pool of connections to the database, which grows with need


async def test_who_stays_takes_no_more_memory_with_every_event(settings: Settings) -> None:
    async with (
        serving(create_app(settings), lifespan="on") as address,
        httpx.AsyncClient(timeout=60) as http,
    ):
        client = await newcomer(http, address)
        workflow_id = (await visitors(client)).workflow_id
        assert client.token is not None
        follower = Follower(client.token, workflow_id)
        following = asyncio.create_task(follower.live(f"ws://{address}/graphql"))
        await follower.reached(0)

        async def collected(last: int) -> int:
            """What the executor remembers of the fields of documents."""
            for seq in range((follower.seq or 0) + 1, last + 1):
                update = {"workflowId": workflow_id, "name": f"Name {seq}"}
                await client.one("UpdateWorkflow", input=update)
            await follower.reached(last)
            gc.collect()
            return sum(isinstance(each, CollectedFields) for each in gc.get_objects())

        assert await collected(5) == await collected(25)
        following.cancel()
        await asyncio.wait({following})


# Who leaves while the driver opens a connection leaves that one to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.soak
async def test_no_task_and_no_object_is_left(settings: Settings) -> None:
    app = create_app(settings)
    async with (
        serving(app, lifespan="on") as address,
        httpx.AsyncClient(timeout=60) as http,
    ):
        coming = await visitors(await newcomer(http, address))
        await coming.come_and_go(20)
        await calm(lambda: not remains())
        before = len(asyncio.all_tasks())
        await coming.come_and_go(VISITS // 5)
        await calm(lambda: not remains())
        await calm(lambda: len(asyncio.all_tasks()) == before)


def remains() -> list[object]:
    """What there is of subscribers in this process."""
    gc.collect()
    kinds = (Socket, ServedStream, Subscription, Ending, Topic)
    return [each for each in gc.get_objects() if isinstance(each, kinds)]


async def calm(reached: Callable[[], bool]) -> None:
    """Returns when it is so. Polls: nothing tells of what is not there any more."""
    async with asyncio.timeout(30):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
