"""The store: versions, history, finalizers and grace."""

import asyncio
from datetime import UTC, datetime

import pytest

from app.sandbox.errors import ApiError
from app.sandbox.objects import Object
from app.sandbox.resources import Registry
from app.sandbox.store import Store

KINDS = Registry()
MAP, POD, NAMESPACE = KINDS.of("ConfigMap"), KINDS.of("Pod"), KINDS.of("Namespace")
DEPLOYMENT = KINDS.of("Deployment")
PLACE = {"name": "x", "namespace": "a"}


def config_map(name: str, **data: str) -> Object:
    return {"metadata": {"name": name, "namespace": "a"}, "data": data}


def store(history: int = 100) -> Store:
    return Store(history=history, now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_a_new_object_is_given_what_the_server_owns() -> None:
    made = store().create(DEPLOYMENT, {"metadata": {"name": "a", "namespace": "a"}, "spec": {}})
    assert (made["apiVersion"], made["kind"]) == ("apps/v1", "Deployment")
    assert made["metadata"]["creationTimestamp"] == "2026-01-02T03:04:05Z"
    assert made["metadata"]["generation"] == 1


def test_what_is_handed_in_stays_the_callers() -> None:
    held, given = store(), config_map("x", a="1")
    held.create(MAP, given)
    given["data"]["a"] = "2"
    assert held.list(MAP)[0]["data"] == {"a": "1"}


def test_a_write_that_changes_nothing_is_none() -> None:
    held = store()
    made = held.create(MAP, config_map("x", a="1"))
    assert held.update(MAP, config_map("x", a="1")) is made
    assert held.since(held.version - 1)[0].type == "ADDED"


def test_times_of_managers_alone_are_no_change() -> None:
    def managed(name: str, time: str) -> Object:
        entry = {"manager": name, "operation": "Apply", "apiVersion": "v1", "time": time}
        return {**config_map("x", a="1"), "metadata": {**PLACE, "managedFields": [entry]}}

    held = store()
    made = held.create(MAP, managed("one", "2026-01-01T12:00:00Z"))
    assert held.update(MAP, managed("one", "2026-01-01T12:00:05Z")) is made
    assert held.update(MAP, managed("two", "2026-01-01T12:00:00Z")) is not made


def test_true_is_not_one() -> None:
    held = store()
    made = held.create(MAP, {"metadata": PLACE, "data": {"a": 1}})
    assert held.update(MAP, {"metadata": PLACE, "data": {"a": True}}) is not made
    assert held.list(MAP)[0]["data"] == {"a": True}


def test_every_write_is_one_version_and_one_event() -> None:
    held = store()
    began = held.version
    held.create(MAP, config_map("x", a="1"))
    held.update(MAP, config_map("x", a="2"))
    held.delete(MAP, "a", "x")
    events = held.since(began)
    assert [each.type for each in events] == ["ADDED", "MODIFIED", "DELETED"]
    assert [each.version for each in events] == [began + 1, began + 2, began + 3]
    assert events[1].previous is events[0].object
    assert events[2].object["metadata"]["resourceVersion"] == str(began + 3)


def test_a_stale_version_is_a_conflict() -> None:
    held = store()
    first = held.create(MAP, config_map("x"))
    held.update(MAP, config_map("x", a="1"))
    with pytest.raises(ApiError) as refusal:
        held.update(MAP, {**first, "data": {"a": "2"}})
    assert (refusal.value.code, refusal.value.reason) == (409, "Conflict")
    assert held.list(MAP)[0]["data"] == {"a": "1"}


def test_a_dry_run_changes_nothing() -> None:
    held = store()
    began = held.version
    held.create(MAP, config_map("x"), dry_run=True)
    assert (held.list(MAP), held.version) == ([], began)


def test_history_is_bounded() -> None:
    held = store(history=10)
    began = held.version
    for number in range(50):
        held.create(MAP, config_map(f"x{number}"))
    with pytest.raises(ApiError) as refusal:
        held.since(began)
    assert (refusal.value.code, refusal.value.reason) == (410, "Expired")
    assert len(held.since(held.version - 10)) == 10


def test_a_version_of_another_run_is_too_old_or_too_new() -> None:
    """A cluster that was started again must not take a client's old version for one of its own."""
    held = store()
    for version in (1, held.oldest - 1, held.version + 1):
        with pytest.raises(ApiError, match="too old resource version"):
            held.since(version)


def test_the_last_finalizer_takes_the_object_with_it() -> None:
    held = store()
    obj = config_map("x")
    obj["metadata"]["finalizers"] = ["example.test/hold"]
    held.create(MAP, obj)
    left = held.delete(MAP, "a", "x")
    assert left["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:05Z"
    began = held.version
    held.update(MAP, {**left, "metadata": {**left["metadata"], "finalizers": []}})
    assert held.get(MAP, "a", "x") is None
    assert [each.type for each in held.since(began)] == ["DELETED"]


@pytest.mark.parametrize(
    ("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
def test_the_garbage_collector_is_told_by_finalizers(policy: str, finalizer: str) -> None:
    held = store()
    held.create(MAP, config_map("x"))
    held.delete(MAP, "a", "x", propagation=policy)
    assert held.list(MAP)[0]["metadata"]["finalizers"] == [finalizer]


def test_a_pod_on_a_node_is_given_time() -> None:
    held = store()
    spec = {"nodeName": "n", "terminationGracePeriodSeconds": 5}
    held.create(POD, {"metadata": {"name": "x", "namespace": "a"}, "spec": spec})
    left = held.delete(POD, "a", "x")
    assert left["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:10Z"
    assert left["metadata"]["deletionGracePeriodSeconds"] == 5
    held.delete(POD, "a", "x", grace=0)
    assert held.get(POD, "a", "x") is None


def test_a_namespace_stays_until_it_is_finalized() -> None:
    held = store()
    held.create(NAMESPACE, {"metadata": {"name": "x"}, "spec": {"finalizers": ["kubernetes"]}})
    left = held.delete(NAMESPACE, None, "x")
    assert left["status"]["phase"] == "Terminating"
    held.update(NAMESPACE, {**left, "spec": {"finalizers": []}}, subresource="finalize")
    assert held.get(NAMESPACE, None, "x") is None


async def test_who_waits_is_woken_by_a_write() -> None:
    held = store()
    waiting = asyncio.create_task(held.beyond(held.version))
    await asyncio.sleep(0)
    held.create(MAP, config_map("x"))
    async with asyncio.timeout(5):
        assert await waiting == held.version
