"""Whatever a client sends is accepted or refused with a `Status`; nothing breaks inside."""

import random

import httpx
import pytest

from app.sandbox import definitions
from app.sandbox.cluster import Cluster
from app.sandbox.objects import Object
from tests.sandbox.asking import client, cluster
from tests.sandbox.bodies import DEFINITION, JUNK, OBJECTS, spoiled

ROUNDS = 400
PATCHES = {
    "apply": "application/apply-patch+yaml",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}


def path(served: Cluster, obj: Object) -> str:
    found = served.registry.by_kind(obj["apiVersion"], obj["kind"])
    assert found is not None
    prefix = f"/apis/{found.group}" if found.group else "/api"
    within = "/namespaces/default" if found.namespaced else ""
    return f"{prefix}/{found.version}{within}/{found.plural}"


def settled(answer: httpx.Response) -> None:
    """A 500 is what Kubernetes says of an apply that cannot be typed, and then has no reason."""
    body = answer.json()
    if answer.status_code >= 400:
        assert (body["kind"], body["code"]) == ("Status", answer.status_code)
        assert body.get("reason") != "InternalError", body


@pytest.fixture
async def served() -> Cluster:
    made = cluster()
    made.store.create(made.registry.of("CustomResourceDefinition"), DEFINITION)
    for resource in definitions.served(DEFINITION):
        made.registry.add(resource)
    return made


@pytest.mark.parametrize("way", ["POST", "PUT", "status", "scale", *PATCHES])
async def test_every_kind_in_every_way(served: Cluster, way: str) -> None:
    chance = random.Random(way)
    async with client(served) as http:
        for whole in OBJECTS:
            await http.post(path(served, whole), json=whole)
        for _ in range(ROUNDS):
            whole = chance.choice(OBJECTS)
            base, name = path(served, whole), whole["metadata"]["name"]
            body = spoiled(whole, chance)
            query = {"fieldManager": "tests", "force": "true"} if way == "apply" else {}
            query |= chance.choice([{}, {"fieldValidation": "Strict"}, {"dryRun": "All"}])
            if way == "POST":
                answer = await http.post(base, json=body, params=query)
            elif way == "PUT":
                answer = await http.put(f"{base}/{name}", json=body, params=query)
            elif way == "status":
                body["status"] = chance.choice(JUNK)
                answer = await http.put(f"{base}/{name}/status", json=body, params=query)
            elif way == "scale":
                body = chance.choice(
                    [{"spec": chance.choice(JUNK)}, {"metadata": chance.choice(JUNK)}]
                )
                answer = await http.put(f"{base}/{name}/scale", json=body, params=query)
            else:
                headers = {"Content-Type": PATCHES[way]}
                answer = await http.patch(
                    f"{base}/{name}", json=body, params=query, headers=headers
                )
            settled(answer)


async def test_what_was_accepted_can_be_read_and_deleted(served: Cluster) -> None:
    chance = random.Random(1)
    async with client(served) as http:
        for _ in range(ROUNDS):
            whole = chance.choice(OBJECTS)
            await http.post(path(served, whole), json=spoiled(whole, chance))
        for whole in OBJECTS:
            base = path(served, whole)
            answer = await http.get(base)
            assert answer.status_code == 200
            for item in answer.json()["items"]:
                options = {"preconditions": chance.choice(JUNK), "dryRun": chance.choice(JUNK)}
                settled(
                    await http.request("DELETE", f"{base}/{item['metadata']['name']}", json=options)
                )
