"""What is asked of a cluster for a plan, and what becomes of answers that don't fit together."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from app.domain.access import Access, BearerToken
from app.domain.errors import ClusterError, ClusterFault
from app.domain.manifest import Manifest, Wave
from app.domain.planning import InventoryEntry, ObjectKey
from app.domain.planning.objects import owner_labels
from app.kube.addresses import AddressPolicy
from app.kube.client import KubeClient
from app.services.deploying.observing import look_at_left, observe, observe_one
from tests.kube.serving import Server, serving, status
from tests.secrecy import secret

WORKFLOW = "65f000000000000000000001"
MAPS = "/api/v1/namespaces/a/configmaps"
CLASH = {
    "reason": "Conflict",
    "details": {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "kubectl-edit" using v1',
                "field": ".data.a",
            }
        ]
    },
}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """An API server that knows ConfigMaps."""
    verbs = ["get", "list", "patch"]
    kind = {"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "verbs": verbs}
    async with serving(Server(), None) as started:
        started.answers("GET /api/v1", {"resources": [kind]})
        started.answers(f"GET {MAPS}", {"metadata": {}, "items": []})
        yield started


@pytest.fixture
async def client(server: Server) -> AsyncIterator[KubeClient]:
    access = Access(server=server.url, proof=BearerToken(token=secret("a token")))
    policy = AddressPolicy(loopback=True, plain_http_loopback=True)
    opened = await KubeClient.open(access, policy)
    yield opened
    await opened.close()


def config(name: str = "words", **data: str) -> Manifest:
    metadata = {"name": name, "namespace": "a", "labels": owner_labels(WORKFLOW)}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    return Manifest("n1", obj, Wave.PREREQUISITES)


def live(version: str, name: str = "words", **data: str) -> dict[str, Any]:
    made = config(name, **data).object
    return {**made, "metadata": {**made["metadata"], "uid": "u1", "resourceVersion": version}}


def asked(server: Server, *methods: str) -> list[str]:
    return [
        f"{one.method} {one.path.removeprefix(MAPS)}"
        for one in server.asked
        if one.method in methods and one.path.startswith(MAPS)
    ]


async def test_what_is_not_there_costs_one_dry_run_each(server: Server, client: KubeClient) -> None:
    manifests = [config(f"c{number}") for number in range(20)]
    for one in manifests:
        server.answers(f"PATCH {MAPS}/{one.name}", live("1", one.name), status=201)
    seen = await observe(client, manifests, at_once=4)
    assert [one.manifest for one in seen] == manifests
    assert {(one.live, one.refusal, one.answer is None) for one in seen} == {(None, None, False)}
    assert asked(server, "GET") == ["GET "]
    assert sorted(asked(server, "PATCH")) == sorted(f"PATCH /{one.name}" for one in manifests)
    sent = [one.query for one in server.asked if one.method == "PATCH"]
    assert sent == [
        {
            "fieldManager": "kubeorch",
            "force": "false",
            "fieldValidation": "Strict",
            "dryRun": "All",
        }
    ] * len(manifests)


async def test_what_changes_meanwhile_is_looked_at_again(
    server: Server, client: KubeClient
) -> None:
    server.answers(f"GET {MAPS}/words", live("1"), live("2"))
    server.answers(f"PATCH {MAPS}/words", live("2", a="1"))
    [seen] = await observe(client, [config(a="1")], at_once=4)
    assert (seen.live, seen.answer) == (live("2"), live("2", a="1"))
    assert asked(server, "GET", "PATCH") == ["GET /words", "PATCH /words"] * 2


async def test_what_comes_and_goes_meanwhile_is_looked_at_again(
    server: Server, client: KubeClient
) -> None:
    gone = web.json_response(status(404, "not found"), status=404)
    server.answers(f"GET {MAPS}/words", live("1"), gone, live("3"))
    made = web.json_response(live("2", a="1"), status=201)
    server.answers(f"PATCH {MAPS}/words", made, live("3"), live("3"))
    seen = await observe_one(client, config(a="1"))
    assert (seen.live, seen.answer) == (live("3"), live("3"))


async def test_what_never_rests_was_not_checked(server: Server, client: KubeClient) -> None:
    server.answers(f"GET {MAPS}/words", live("1"))
    server.answers(f"PATCH {MAPS}/words", live("2"))
    seen = await observe_one(client, config())
    assert seen.refusal is not None
    assert seen.refusal.fault is ClusterFault.UNAVAILABLE
    assert (seen.answer, len(asked(server, "PATCH"))) == (None, 5)


async def test_of_a_conflict_a_second_dry_run_shows_what_taking_over_would_change(
    server: Server, client: KubeClient
) -> None:
    server.answers(f"GET {MAPS}/words", live("1", a="theirs"))
    refused = web.json_response(status(409, "conflict", **CLASH), status=409)
    server.answers(f"PATCH {MAPS}/words", refused, live("1", a="ours"))
    seen = await observe_one(client, config(a="ours"))
    assert seen.refusal is not None
    assert (seen.refusal.fault, seen.answer) == (ClusterFault.CONFLICT, live("1", a="ours"))
    forced = [one.query["force"] for one in server.asked if one.method == "PATCH"]
    assert forced == ["false", "true"]


async def test_a_lost_race_is_no_conflict(server: Server, client: KubeClient) -> None:
    server.answers(f"GET {MAPS}/words", live("1"))
    refused = web.json_response(status(409, "the object has been modified"), status=409)
    server.answers(f"PATCH {MAPS}/words", refused, live("1"))
    seen = await observe_one(client, config())
    assert (seen.refusal, seen.answer) == (None, live("1"))


async def test_what_is_said_against_one_object_is_that_ones_refusal(
    server: Server, client: KubeClient
) -> None:
    manifests = [config(f"c{number}") for number in range(3)]
    for one in manifests:
        server.answers(f"PATCH {MAPS}/{one.name}", live("1", one.name), status=201)
    server.refuses(f"PATCH {MAPS}/c1", 403, "exceeded quota")
    seen = await observe(client, manifests, at_once=4)
    assert [one.refusal and one.refusal.fault for one in seen] == [
        None,
        ClusterFault.FORBIDDEN,
        None,
    ]


async def test_who_may_not_list_reads_one_by_one(server: Server, client: KubeClient) -> None:
    manifests = [config(f"c{number}") for number in range(6)]
    server.refuses(f"GET {MAPS}", 403)
    for one in manifests:
        server.answers(f"GET {MAPS}/{one.name}", live("1", one.name))
        server.answers(f"PATCH {MAPS}/{one.name}", live("1", one.name))
    server.refuses(f"GET {MAPS}/c1", 403)
    seen = await observe(client, manifests, at_once=4)
    assert [one.refusal and one.refusal.fault for one in seen] == [
        None,
        ClusterFault.FORBIDDEN,
        *[None] * 4,
    ]


async def test_what_no_object_is_at_fault_of_ends_everything_at_once(
    server: Server, client: KubeClient
) -> None:
    """The others would never be answered."""

    async def never(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    manifests = [config(f"c{number}") for number in range(50)]
    for one in manifests:
        server.routes[f"PATCH {MAPS}/{one.name}"] = never
    server.refuses(f"PATCH {MAPS}/c2", 401)
    async with asyncio.timeout(10):
        with pytest.raises(ClusterError) as failed:
            await observe(client, manifests, at_once=4)
    assert failed.value.fault is ClusterFault.UNAUTHORIZED
    assert len(asked(server, "PATCH")) < 10


async def test_what_cannot_be_looked_at_is_said_to_be_left_over(
    server: Server, client: KubeClient
) -> None:
    entry = InventoryEntry(ObjectKey("v1", "ConfigMap", "a", "words"), "u1")
    server.refuses(f"GET {MAPS}/words", 403)
    with pytest.raises(ClusterError) as failed:
        await look_at_left(client, [entry], workflow_id=WORKFLOW, at_once=4)
    assert failed.value.fault is ClusterFault.FORBIDDEN
    assert failed.value.message.startswith(
        "What the canvas does not have any more could not be looked at. "
    )


async def test_what_is_left_over_comes_as_it_is(server: Server, client: KubeClient) -> None:
    entries = [
        InventoryEntry(ObjectKey("v1", "ConfigMap", "a", name), "u1") for name in ("words", "gone")
    ]
    server.answers(f"GET {MAPS}/words", live("1"))
    left = await look_at_left(client, entries, workflow_id=WORKFLOW, at_once=4)
    assert [(one.entry, one.live, one.claims) for one in left] == [
        (entries[0], live("1"), ()),
        (entries[1], None, ()),
    ]
