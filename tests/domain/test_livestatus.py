"""From what is deployed and what is on the cluster to the status of nodes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain import labels
from app.domain.health import HealthState
from app.domain.ids import Id
from app.domain.livestatus import Judged, Moving, judged, says_the_same
from app.domain.node import NodeStatus
from app.domain.planning import InventoryEntry, ObjectKey, PlanAction
from app.domain.run import RunNode, RunObject, RunStatus, WorkflowRun

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DEPLOYMENT = ObjectKey("apps/v1", "Deployment", "shop", "web")
SECRET = ObjectKey("v1", "Secret", "shop", "env-web")
SERVICE = ObjectKey("v1", "Service", "shop", "front")


def entry(key: ObjectKey, node: str | None = "web") -> InventoryEntry:
    return InventoryEntry(key, None, node)


def live(key: ObjectKey, *, node: str = "web", **more: Any) -> dict[str, Any]:
    """An object as an informer has it."""
    metadata = {
        "name": key.name,
        "namespace": key.namespace,
        "uid": f"uid-{key.name}",
        "labels": {labels.NODE_ID: labels.of_id(node)},
        **more.pop("metadata", {}),
    }
    return {"apiVersion": key.api_version, "kind": key.kind, "metadata": metadata, **more}


def rolled_out(replicas: int = 1, **status: Any) -> dict[str, Any]:
    counts = ("replicas", "updatedReplicas", "availableReplicas", "readyReplicas")
    conditions = [
        {"type": "Available", "status": "True"},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
    ]
    said = dict.fromkeys(counts, replicas) | {"conditions": conditions} | status
    return live(DEPLOYMENT, spec={"replicas": replicas}, status=said)


def look(
    entries: list[InventoryEntry],
    objects: list[dict[str, Any]],
    is_known: Callable[[ObjectKey], bool] = lambda _: True,
    now: datetime = NOW,
) -> Judged:
    return judged(entries, objects, is_known=is_known, now=now)


def test_a_node_is_what_its_objects_are() -> None:
    found = look([entry(DEPLOYMENT), entry(SECRET)], [rolled_out(2), live(SECRET)])

    assert found == Judged(
        {
            "web": NodeStatus(
                node_id="web",
                state=HealthState.HEALTHY,
                reason="Available",
                message="2 of 2 pods are ready.",
                ready_replicas=2,
                desired_replicas=2,
                updated_at=NOW,
            )
        }
    )


def test_the_worst_of_its_objects_decides() -> None:
    found = look([entry(DEPLOYMENT), entry(SECRET)], [rolled_out()]).nodes["web"]
    assert found is not None
    assert (found.state, found.reason) == (HealthState.MISSING, "NotFound")
    assert (found.ready_replicas, found.desired_replicas) == (1, 1)


def test_a_node_without_objects_is_missing_and_what_is_no_nodes_is_left_out() -> None:
    found = look([entry(SERVICE, "front"), entry(SECRET, None)], [rolled_out()])
    status = found.nodes["front"]
    assert status is not None
    assert (status.state, status.ready_replicas) == (HealthState.MISSING, None)
    assert list(found.nodes) == ["front"]


def test_pods_explain_the_workload_of_their_own_node() -> None:
    crashing = {
        "containerStatuses": [
            {
                "name": "web",
                "restartCount": 5,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
            }
        ],
        "phase": "Running",
    }
    pod = ObjectKey("v1", "Pod", "shop", "web-1")
    behind = rolled_out(readyReplicas=0, availableReplicas=0)
    other = look([entry(DEPLOYMENT)], [behind, live(pod, node="other", status=crashing)])
    elsewhere = live(pod, status=crashing, metadata={"namespace": "b"})
    own = look([entry(DEPLOYMENT)], [behind, elsewhere, live(pod, status=crashing)])
    for found, state, reason in (
        (other, HealthState.PENDING, "LessAvailable"),
        (look([entry(DEPLOYMENT)], [behind, elsewhere]), HealthState.PENDING, "LessAvailable"),
        (own, HealthState.DEGRADED, "CrashLoopBackOff"),
    ):
        status = found.nodes["web"]
        assert status is not None
        assert (status.state, status.reason) == (state, reason)


def test_what_cannot_be_seen_is_not_judged() -> None:
    """What a Secret is that nobody may list does not matter; what a Deployment is does."""
    entries = [entry(DEPLOYMENT), entry(SECRET), entry(SERVICE, "front")]
    no_secrets = look(entries, [rolled_out()], lambda key: key is not SECRET).nodes
    assert no_secrets["web"] is not None
    assert no_secrets["web"].state is HealthState.HEALTHY
    no_workloads = look(entries, [live(SECRET)], lambda key: key is not DEPLOYMENT).nodes
    assert no_workloads["web"] is None
    assert no_workloads["front"] is not None
    assert look([entry(SECRET)], [], lambda _: False).nodes == {"web": None}


def test_another_version_of_the_api_is_the_same_object() -> None:
    moved = {**rolled_out(), "apiVersion": "apps/v2"}
    status = look([entry(DEPLOYMENT)], [moved]).nodes["web"]
    assert status is not None
    assert status.state is HealthState.HEALTHY


def test_time_alone_may_change_it() -> None:
    widget = ObjectKey("example.com/v1", "Widget", "shop", "one")
    fresh = live(widget, metadata={"creationTimestamp": NOW.isoformat()})
    found = look([entry(widget)], [fresh], now=NOW + timedelta(seconds=4))
    assert found.recheck_after == 6.0
    assert found.nodes["web"] is not None
    assert found.nodes["web"].reason == "NoStatus"
    assert look([entry(widget)], [fresh], now=NOW + timedelta(seconds=10)).recheck_after is None


def test_only_what_is_said_is_news() -> None:
    one = NodeStatus(node_id="web", state=HealthState.HEALTHY, updated_at=NOW)
    later = one.having(updated_at=NOW + timedelta(days=1))
    assert says_the_same(one, later)
    assert not says_the_same(one, later.having(ready_replicas=1))
    assert not says_the_same(None, one)


def moving(*removed: str) -> Moving:
    def node(node_id: str, action: PlanAction) -> RunNode:
        seen = RunObject(api_version="v1", kind="Service", name=node_id, action=action)
        kept = RunObject(api_version="v1", kind="Secret", name=node_id, action=PlanAction.UPDATE)
        objects = [seen] if action is PlanAction.DELETE else [seen, kept]
        return RunNode(node_id=node_id, updated_at=NOW, objects=objects)

    run = WorkflowRun(
        id=Id("a" * 24),
        workflow_id=Id("b" * 24),
        cluster_id=Id("c" * 24),
        namespace="shop",
        version=1,
        status=RunStatus.RUNNING,
        started_by=Id("d" * 24),
        created_at=NOW,
        nodes=[
            *(node(one, PlanAction.DELETE) for one in removed),
            node("other", PlanAction.CREATE),
            RunNode(node_id="nothing", updated_at=NOW),
        ],
    )
    return Moving.by(run)


def test_while_a_run_is_active_what_is_not_there_is_about_to_be_applied() -> None:
    nodes = judged(
        [entry(DEPLOYMENT), entry(SERVICE, "front")],
        [live(SERVICE, node="front")],
        is_known=lambda _: True,
        now=NOW,
        moving=moving(),
    ).nodes
    web, front = nodes["web"], nodes["front"]
    assert web is not None
    assert (web.state, web.message) == (HealthState.PENDING, "It is about to be applied.")
    assert front is not None
    assert front.state is HealthState.HEALTHY


def test_what_is_left_of_a_node_that_a_run_removes_says_nothing() -> None:
    """Its objects go one after the other, and those that are left are well."""
    run = moving("web")
    assert run == Moving(frozenset({"web"}))
    for objects in ([rolled_out(), live(SECRET)], [live(SECRET)], []):
        for entries in ([entry(DEPLOYMENT), entry(SECRET)], [entry(SECRET)]):
            found = judged(entries, objects, is_known=lambda _: True, now=NOW, moving=run).nodes[
                "web"
            ]
            assert found is not None
            assert (found.state, found.message) == (
                HealthState.TERMINATING,
                "It is being removed.",
            )
