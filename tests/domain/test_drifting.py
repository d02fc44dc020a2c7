"""How far the cluster has moved, from what dry runs of the deployed version answered."""

from typing import Any

import pytest

from app.domain.drift import DriftedObject, DriftState
from app.domain.drifting import drifted
from app.domain.errors import ClusterError, ClusterFault, StatusCause
from app.domain.manifest import Manifest, Wave
from app.domain.planning import Observed, Question, make_plan
from app.domain.planning.objects import owner_labels

WORKFLOW = "65f000000000000000000001"


def manifest(kind: str = "ConfigMap", **more: Any) -> Manifest:
    body = {"data": {"a": "b"}} if kind == "ConfigMap" else {}
    metadata = {"name": "one", "namespace": "shop", "labels": owner_labels(WORKFLOW)}
    typed = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    return Manifest("node", {**typed, **body}, Wave.PREREQUISITES, **more)


def live(of: Manifest, **more: Any) -> dict[str, Any]:
    metadata = of.object["metadata"] | {"uid": "u", "resourceVersion": "1"}
    return {**of.object, "metadata": metadata | more.pop("metadata", {}), **more}


def found(seen: Observed) -> DriftedObject:
    (one,) = drifted([seen], make_plan([seen], Question(workflow_id=WORKFLOW)))
    return one


def refused(fault: ClusterFault, status: int, *causes: StatusCause) -> ClusterError:
    return ClusterError(fault, "It says: no.", status=status, causes=causes)


def test_the_same_and_another() -> None:
    made = manifest()
    same = found(Observed(made, live(made), live(made)))
    assert (same.state, same.message, same.changes) == (DriftState.IN_SYNC, None, ())
    assert (same.node_id, same.kind, same.namespace, same.name) == (
        "node",
        "ConfigMap",
        "shop",
        "one",
    )
    other = found(Observed(made, live(made, data={"a": "x"}), live(made)))
    assert other.state is DriftState.MODIFIED
    assert [(one.path, one.before, one.after) for one in other.changes] == [("data.a", "x", "b")]


def test_what_somebody_else_has_set() -> None:
    made = manifest()
    cause = StatusCause("FieldManagerConflict", 'conflict with "kubectl-edit" using v1', ".data.a")
    refusal = refused(ClusterFault.CONFLICT, 409, cause)
    one = found(Observed(made, live(made, data={"a": "x"}), live(made), refusal))
    assert one.state is DriftState.MODIFIED
    assert one.message == "data.a of ConfigMap shop/one is set by kubectl-edit."
    assert [(each.path, each.before, each.after) for each in one.changes] == [("data.a", "x", "b")]


def test_what_is_gone() -> None:
    one = found(Observed(manifest(), None, live(manifest())))
    assert (one.state, one.changes) == (DriftState.MISSING, ())


@pytest.mark.parametrize(
    ("fault", "status", "state"),
    [
        (ClusterFault.NOT_FOUND, 404, DriftState.MISSING),
        (ClusterFault.INVALID, 422, DriftState.MISSING),
        (ClusterFault.FORBIDDEN, 403, DriftState.UNKNOWN),
        (ClusterFault.THROTTLED, 429, DriftState.UNKNOWN),
        (ClusterFault.UNAVAILABLE, 500, DriftState.UNKNOWN),
    ],
)
def test_a_cluster_that_does_not_say(fault: ClusterFault, status: int, state: DriftState) -> None:
    one = found(Observed(manifest(), refusal=refused(fault, status)))
    assert one.state is state
    assert one.message


def test_what_is_there_and_cannot_be_compared() -> None:
    made = manifest()
    one = found(Observed(made, live(made), refusal=refused(ClusterFault.FORBIDDEN, 403)))
    assert (one.state, one.changes) == (DriftState.UNKNOWN, ())
    assert one.message


def test_what_is_about_to_go() -> None:
    made = manifest()
    going = live(made, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    one = found(Observed(made, going, going))
    assert one.state is DriftState.MODIFIED
    assert one.message is not None
    assert "is being deleted" in one.message


def test_what_is_somebody_elses_now() -> None:
    made = manifest()
    theirs = live(made, metadata={"labels": {"app.kubernetes.io/managed-by": "Helm"}})
    assert found(Observed(made, theirs, live(made))).state is DriftState.MODIFIED


def test_a_secret_that_lost_a_value() -> None:
    made = manifest("Secret", keys=("password", "token"))
    there = live(made, data={"token": "eA=="})
    one = found(Observed(made, there, there))
    assert (one.state, one.changes) == (DriftState.MODIFIED, ())
    assert one.message == "It has no value for password any more."
