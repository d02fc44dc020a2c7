"""Streams that the server ends say why, on whatever replica that was decided."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.e2e.client import Client
from tests.e2e.conftest import StartServer
from tests.e2e.event_streams import EventStream
from tests.e2e.running import RunningServer
from tests.e2e.subscribing import NUMBERS, Follower

PROMPTLY = 10.0
"""Seconds; it takes milliseconds on a machine that has nothing else to do."""


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


async def created(client: Client) -> str:
    """A new workflow's id."""
    payload = await client.one("CreateWorkflow", input={"name": "Ending"})
    return str(payload["workflow"]["id"])


async def signed_in(http: httpx.AsyncClient, server: RunningServer) -> tuple[Client, str]:
    """Somebody, and their refresh token."""
    nobody = Client(http, server.url)
    person = {"email": server.email, "password": server.password}
    session = (await nobody.one("Login", input=person))["session"]
    return Client(http, server.url, session["accessToken"]), session["refreshToken"]


async def last_words(stream: EventStream) -> list[dict[str, object]]:
    """Everything until the stream is complete."""
    words = []
    while (result := await stream.next()) is not None:
        words.append(result)
    return words


async def test_signing_out_ends_the_streams_of_every_replica(
    start_replica: StartServer, http: httpx.AsyncClient
) -> None:
    here, there = await start_replica(), await start_replica()
    client, refresh_token = await signed_in(http, here)
    another, _ = await signed_in(http, here)
    assert client.token is not None
    assert another.token is not None
    workflow_id = await created(client)
    follower = Follower(client.token, workflow_id)
    bystander = Follower(another.token, workflow_id)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        follows = tasks.create_task(follower.live(there.ws_url, stay=True))
        stays = tasks.create_task(bystander.live(there.ws_url))
        await asyncio.gather(follower.reached(0), bystander.reached(0))
        stream = await EventStream.open(there.url, client.token, NUMBERS, id=workflow_id)
        assert await stream.next()

        await client.one("Logout", input={"refreshToken": refresh_token})
        async with asyncio.timeout(PROMPTLY):
            await follows
            words = await last_words(stream)
        await stream.close()
        assert (follower.reason, follower.close_code) == ("SESSION_ENDED", 4403)
        ended = {"__typename": "StreamEnded", "seq": 0, "reason": "SESSION_ENDED"}
        assert words == [{"data": {"workflowChanged": ended}}]

        update = {"workflowId": workflow_id, "name": "Still told"}
        await another.one("UpdateWorkflow", input=update)
        await bystander.reached(1)
        assert bystander.reason is None
        stays.cancel()


async def test_a_token_that_expires_ends_the_stream(
    start_replica: StartServer, http: httpx.AsyncClient
) -> None:
    server = await start_replica(KUBEORCH_ACCESS_TOKEN_SECONDS="4")
    client, refresh_token = await signed_in(http, server)
    assert client.token is not None
    workflow_id = await created(client)
    follower = Follower(client.token, workflow_id)
    stream = await EventStream.open(server.url, client.token, NUMBERS, id=workflow_id)
    assert await stream.next()
    async with asyncio.timeout(4 + PROMPTLY):
        await follower.live(server.ws_url, stay=True)
        words = await last_words(stream)
    await stream.close()
    assert (follower.reason, follower.close_code) == ("TOKEN_EXPIRED", 4403)
    ended = {"__typename": "StreamEnded", "seq": 0, "reason": "TOKEN_EXPIRED"}
    assert words == [{"data": {"workflowChanged": ended}}]

    # Whoever comes back with a new token goes on where they were.
    refreshed = await client.one("RefreshSession", input={"refreshToken": refresh_token})
    follower.signed_in(refreshed["session"]["accessToken"])
    owner = Client(http, server.url, follower.token)
    await owner.one("UpdateWorkflow", input={"workflowId": workflow_id, "name": "Later"})
    async with asyncio.timeout(4 + PROMPTLY):
        await follower.live(server.ws_url)
    assert follower.heard == [1]


async def test_deleting_a_workflow_completes_its_streams(
    server: RunningServer, http: httpx.AsyncClient
) -> None:
    client = await Client.sign_in(http, server)
    assert client.token is not None
    workflow_id = await created(client)
    follower = Follower(client.token, workflow_id)
    async with asyncio.TaskGroup() as tasks:
        follows = tasks.create_task(follower.live(server.ws_url))
        await follower.reached(0)
        stream = await EventStream.open(server.url, client.token, NUMBERS, id=workflow_id)
        assert await stream.next()
        await client.one("DeleteWorkflow", input={"workflowId": workflow_id})
        async with asyncio.timeout(PROMPTLY):
            await follows
            words = await last_words(stream)
    await stream.close()
    assert follower.heard == [1]
    assert (follower.reason, follower.completed) == ("DELETED", True)
    assert words == [
        {"data": {"workflowChanged": {"__typename": "WorkflowEdited", "seq": 1}}},
        {"data": {"workflowChanged": {"__typename": "StreamEnded", "seq": 1, "reason": "DELETED"}}},
    ]
