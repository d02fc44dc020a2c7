"""Manifests and diagrams over GraphQL, small and large."""

import asyncio
import json
from typing import Any

import pytest
import yaml

from app.domain.user import Actor
from app.services import Services
from tests.asking import Asker, asker

WEB = {"id": "web", "data": {"deployment": {"name": "web", "image": "nginx:1.29", "port": 8080}}}
FRONT = {"id": "front", "data": {"service": {"name": "front", "port": 80}}}
EDGE = {"id": "e", "source": "front", "target": "web"}


@pytest.fixture
def ask(services: Services, owner: Actor) -> Asker:
    return asker(services, owner)


async def create(ask: Asker, **more: Any) -> dict[str, Any]:
    created: dict[str, Any] = await ask.one("CreateWorkflow", input={"name": "Corner Shop"} | more)
    workflow: dict[str, Any] = created["workflow"]
    return workflow


async def test_manifests(ask: Asker) -> None:
    made = await create(ask, nodes=[WEB, FRONT], edges=[EDGE], namespace="shop")
    written = await ask.one("Export", id=made["id"], format="YAML")
    service, deployment = yaml.safe_load_all(written["manifests"])
    assert (service["kind"], deployment["kind"]) == ("Service", "Deployment")
    assert service["metadata"]["namespace"] == "shop"
    assert service["metadata"]["labels"]["kubeorch.io/workflow-id"] == made["id"]
    assert service["metadata"]["labels"]["app.kubernetes.io/part-of"] == "corner-shop"
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]
    listed = await ask.one("Export", id=made["id"], format="JSON")
    assert json.loads(listed["manifests"])["items"] == [service, deployment]


async def test_yaml_and_mermaid_unless_another_is_asked_for(ask: Asker) -> None:
    made = await create(ask, nodes=[WEB])
    document = "query ($id: ID!) { workflow(id: $id) { manifests diagram } }"
    written = await ask.one(document, id=made["id"])
    assert written["manifests"].startswith("---\napiVersion: apps/v1\n")
    assert written["diagram"].startswith("flowchart LR\n")


@pytest.mark.parametrize(
    ("format_", "start"), [("MERMAID", "flowchart"), ("DOT", "digraph"), ("SVG", "<svg ")]
)
async def test_diagrams(ask: Asker, format_: str, start: str) -> None:
    made = await create(ask, nodes=[WEB, FRONT], edges=[EDGE])
    drawn = (await ask.one("Diagram", id=made["id"], format=format_))["diagram"]
    assert drawn.startswith(start)
    assert "80 → 8080" in drawn


async def test_a_list_of_workflows_has_them_too(ask: Asker) -> None:
    await create(ask, nodes=[WEB])
    document = "{ workflows(first: 2) { edges { node { manifests diagram(format: DOT) } } } }"
    (row,) = (await ask.one(document))["edges"]
    assert "kind: Deployment" in row["node"]["manifests"]


async def test_a_large_canvas_keeps_nobody_waiting(ask: Asker) -> None:
    """While it is written, the loop goes on: a thread does it."""
    nodes = [
        {"data": {"deployment": {"name": f"web-{i}", "image": "nginx", "port": 80}}}
        for i in range(400)
    ]
    made = await create(ask, nodes=nodes)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    written = await ask.one("Export", id=made["id"], format="YAML")
    turning.cancel()
    assert written["manifests"].count("\nkind: Deployment\n") == 400
    assert turns > 100
