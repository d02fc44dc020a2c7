"""importManifests and importCompose: what people have becomes a workflow, or is looked at first."""

from typing import Any

import pytest

from app.domain.user import Actor
from app.services import Services
from tests.asking import Asker, asker
from tests.commands import commands

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "nginx:1", ports: [{containerPort: 80}],
           env: [{name: DB_PASSWORD, value: open-sesame}, {name: MODE, value: fast}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: door, namespace: shop}
stringData: {key: open-sesame}
"""
COMPOSE = """
name: shop
services:
  web: {image: "nginx:${TAG:-1}", ports: ["8080:80"], depends_on: [db], env_file: web.env}
  db: {image: "postgres:16", environment: {POSTGRES_PASSWORD: "${PASSWORD}"}}
"""
PAYLOAD = """{ __typename
  ... on ImportPayload {
    workflow { id name namespace revision nodes { ... on WorkflowNode { id type } } }
    canvas { name namespace nodes { ... on WorkflowNode { id type position { x y } } }
      edges { source target } problems { code severity } }
    notes { code path message nodeId } }
  ... on UserError { code message path }
  ... on ValidationError { errors { path message } } } }"""
IMPORT_MANIFESTS = (
    f"mutation ($input: ImportManifestsInput!) {{ importManifests(input: $input) {PAYLOAD}"
)
IMPORT_COMPOSE = f"mutation ($input: ImportComposeInput!) {{ importCompose(input: $input) {PAYLOAD}"


@pytest.fixture
def ask(services: Services, owner: Actor) -> Asker:
    return asker(services, owner)


def types(nodes: list[dict[str, Any]]) -> list[str]:
    return sorted(node["type"] for node in nodes)


async def test_manifests_become_a_draft(ask: Asker) -> None:
    made = await ask.one(IMPORT_MANIFESTS, input={"content": MANIFESTS, "name": "Shop"})
    workflow, canvas = made["workflow"], made["canvas"]
    assert (workflow["name"], workflow["namespace"], workflow["revision"]) == ("Shop", "shop", 1)
    assert types(workflow["nodes"]) == types(canvas["nodes"]) == ["DEPLOYMENT", "SECRET", "SERVICE"]
    assert len(canvas["edges"]) == 1
    assert "SECRET_LEFT_OUT" in {note["code"] for note in made["notes"]}
    assert "open-sesame" not in str(made)
    assert (await ask.one("Workflow", id=workflow["id"]))["name"] == "Shop"


async def test_a_compose_file_becomes_a_draft(ask: Asker) -> None:
    made = await ask.one(
        IMPORT_COMPOSE,
        input={
            "content": COMPOSE,
            "files": [{"path": "web.env", "content": "MODE=fast"}],
            "variables": {"PASSWORD": "open-sesame"},
        },
    )
    assert made["workflow"]["name"] == made["canvas"]["name"] == "shop"
    assert {"DEPLOYMENT", "SERVICE"} <= {node["type"] for node in made["canvas"]["nodes"]}
    assert [p for p in made["canvas"]["problems"] if p["severity"] == "ERROR"] == []
    assert "SECRET_LEFT_OUT" in {note["code"] for note in made["notes"]}
    assert "open-sesame" not in str(made)


@pytest.mark.parametrize(
    ("document", "content"), [(IMPORT_MANIFESTS, MANIFESTS), (IMPORT_COMPOSE, COMPOSE)]
)
async def test_a_preview_shows_the_same_and_writes_nothing(
    ask: Asker, document: str, content: str
) -> None:
    with commands.during() as sent:
        seen = await ask.one(document, input={"content": content, "preview": True})
    assert sent == []
    assert seen["workflow"] is None
    made = await ask.one(document, input={"content": content})
    assert types(seen["canvas"]["nodes"]) == types(made["workflow"]["nodes"])


@pytest.mark.parametrize(
    ("document", "content"),
    [
        (IMPORT_MANIFESTS, "kind: [unfinished"),
        (IMPORT_MANIFESTS, "just text"),
        (IMPORT_MANIFESTS, ""),
        (IMPORT_COMPOSE, "services: {web: {image: x}}\nservices: {}"),
        (IMPORT_COMPOSE, "[]"),
        (IMPORT_COMPOSE, f"services: {{a: {{image: x, mem_limit: 0x{'f' * 4000}}}}}"),
        (IMPORT_MANIFESTS, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}"),
        (IMPORT_COMPOSE, "a: &a [*a]"),
    ],
)
async def test_what_cannot_be_read_says_so_and_makes_nothing(
    ask: Asker, document: str, content: str
) -> None:
    refused = await ask.one(document, input={"content": content})
    assert refused["__typename"] == "ValidationError"
    assert refused["errors"][0]["path"][-1:] == ["content"]
    assert (await ask.one("{ workflows(first: 1) { totalCount } }"))["totalCount"] == 0


async def test_a_cluster_that_is_not_the_callers_is_not_found(ask: Asker) -> None:
    refused = await ask.one(IMPORT_MANIFESTS, input={"content": MANIFESTS, "clusterId": "0" * 24})
    assert (refused["__typename"], refused["path"][-1:]) == ("NotFound", ["clusterId"])


async def test_more_objects_than_a_workflow_holds_are_refused(ask: Asker) -> None:
    one = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{}}}\n"
    content = "".join(one.format(number) for number in range(1_001))
    refused = await ask.one(IMPORT_MANIFESTS, input={"content": content})
    assert refused["__typename"] == "LimitExceeded"


async def test_nobody_imports(services: Services) -> None:
    for document in (IMPORT_MANIFESTS, IMPORT_COMPOSE):
        refused = await asker(services, None).one(document, input={"content": "a: b"})
        assert refused["__typename"] == "Unauthenticated"
