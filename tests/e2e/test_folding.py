"""Whatever events a front end begins with: applied to what it has, they give what a query gives."""

import asyncio
import os
from random import Random

import httpx
import pytest

from tests.e2e.client import Client
from tests.e2e.editor import Editor
from tests.e2e.running import RunningServer
from tests.e2e.subscribing import Canvas, Follower

CHANGES = 300 if os.environ.get("KUBEORCH_SOAK") else 30


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
async def test_any_suffix_folds_to_what_a_query_answers(server: RunningServer, seed: int) -> None:
    random = Random(seed)
    async with httpx.AsyncClient(timeout=60) as http:
        client = await Client.sign_in(http, server)
        assert client.token is not None
        created = await client.one("CreateWorkflow", input={"name": "Folded"})
        workflow_id = created["workflow"]["id"]
        editor = Editor(lambda: [client], workflow_id, random)
        versions = 0

        async def change() -> None:
            """Mostly edits of the canvas, and now and then all else that can become of it."""
            nonlocal versions
            input_ = {"workflowId": workflow_id}
            if (kind := random.random()) < 0.1:
                await client.one("CreateVersion", input=input_)
                versions += 1
            elif kind < 0.2:
                name = {"name": f"Name {random.random()}", "tags": [f"{random.random()}"]}
                await client.one("UpdateWorkflow", input=input_ | name)
            elif kind < 0.3 and versions:
                number = random.randint(1, versions)
                answer = await client.one("RestoreVersion", input=input_ | {"version": number})
                assert answer["__typename"] == "RestoreVersionPayload", answer
                versions += 1
            else:
                await editor.edit()

        states = [await Canvas.now(client, workflow_id)]
        for _ in range(CHANGES):
            await change()
            states.append(await Canvas.now(client, workflow_id))
        assert [state.row["seq"] for state in states] == list(range(CHANGES + 1))

        async def fold(start: int) -> None:
            follower = Follower(client.token or "", workflow_id)
            follower.knows(states[start])
            async with asyncio.timeout(60):
                await follower.live(server.ws_url, until=CHANGES)
            assert follower.heard == list(range(start + 1, CHANGES + 1))
            assert follower.canvas == states[-1]

        for start in range(CHANGES):
            await fold(start)
