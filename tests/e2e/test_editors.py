"""Fifty people on one canvas, over real sockets: every node is there once, nothing is lost."""

import asyncio
import os
import time
from typing import Any

import httpx
import pytest

from tests.e2e.client import Client

EDITORS = 50
EACH = 4 if os.environ.get("KUBEORCH_SOAK") else 1


@pytest.mark.soak
async def test_fifty_editors_of_one_workflow(server: Any) -> None:
    async with httpx.AsyncClient(timeout=60) as http:
        client = await Client.sign_in(http, server)
        created = await client.one("CreateWorkflow", input={"name": "Crowd"})
        workflow_id = created["workflow"]["id"]
        revisions: list[int] = []
        conflicts = 0

        async def editor(number: int) -> None:
            nonlocal conflicts
            known = 1
            for i in range(EACH):
                name = f"n-{number}-{i}"
                node = {"id": name, "data": {"deployment": {"name": name, "image": "nginx:1"}}}
                while True:
                    answer = await client.one(
                        EDIT,
                        input={
                            "workflowId": workflow_id,
                            "expectedRevision": known,
                            "operations": [{"addNode": node}],
                        },
                    )
                    known = answer["workflow"]["revision"]
                    if answer["__typename"] == "EditWorkflowPayload":
                        revisions.append(known)
                        break
                    assert answer["__typename"] == "RevisionConflict", answer
                    conflicts += 1

        began = time.perf_counter()
        await asyncio.gather(*map(editor, range(EDITORS)))
        took = time.perf_counter() - began
        found = await client.one("Workflow", id=workflow_id)

    assert sorted(revisions) == list(range(2, 2 + EDITORS * EACH))
    assert found["revision"] == 1 + EDITORS * EACH
    names = [node["id"] for node in found["nodes"]]
    assert len(names) == len(set(names)) == EDITORS * EACH
    print(f"\n{EDITORS * EACH} edits by {EDITORS} editors: {took:.1f} s, {conflicts} conflicts")


EDIT = """mutation ($input: EditWorkflowInput!) { editWorkflow(input: $input) {
  __typename
  ... on EditWorkflowPayload { workflow { revision } }
  ... on RevisionConflict { workflow { revision } }
  ... on UserError { message }
} }"""
