"""What kstatus says of an object, we say too, but where a rule's file says otherwise.

The rows are the situations of kstatus' own tests and what it makes of them. `OURS` names every one
where our answer differs.
"""

from typing import Any

import pytest

from app.domain.health import HealthState, health
from tests.domain.health.objects import NOW, at

_READY = {"type": "Ready", "status": "True"}
_FOUR = {
    "observedGeneration": 1,
    "desiredNumberScheduled": 4,
    "currentNumberScheduled": 4,
    "updatedNumberScheduled": 4,
    "numberAvailable": 4,
    "numberReady": 4,
}
_ONE = {
    "observedGeneration": 1,
    "updatedReplicas": 1,
    "readyReplicas": 1,
    "availableReplicas": 1,
    "replicas": 1,
}
_ROLLED_OUT = {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}
_AVAILABLE = {"type": "Available", "status": "True"}
_RS = {
    "observedGeneration": 1,
    "replicas": 4,
    "readyReplicas": 4,
    "availableReplicas": 4,
    "fullyLabeledReplicas": 4,
}
_SET = {"observedGeneration": 1, "currentReplicas": 4, "readyReplicas": 4, "replicas": 4}
_UNPLACED = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}

Row = tuple[str, dict[str, Any], str, str | None]


def rows(
    api_version: str, kind: str, *situations: tuple[str, Any, Any, str, str | None]
) -> list[Row]:
    made = []
    for name, spec, status, verdict, reason in situations:
        obj: dict[str, Any] = {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": "test", "generation": 1},
        }
        obj |= {"spec": spec} if spec is not None else {}
        obj |= {"status": status} if status is not None else {}
        made.append((f"{kind}: {name}", obj, verdict, reason))
    return made


ROWS: list[Row] = [
    *rows(
        "v1",
        "Pod",
        ("no status", None, None, "InProgress", "PodNotObserved"),
        ("ready", None, {"phase": "Running", "conditions": [_READY]}, "Current", None),
        ("succeeded", None, {"phase": "Succeeded"}, "Current", None),
        ("failed", None, {"phase": "Failed"}, "Current", None),
        ("unplaced", None, {"phase": "Pending", "conditions": [_UNPLACED]}, "Failed", None),
        ("pending", None, {"phase": "Pending"}, "InProgress", "PodPending"),
        ("not ready", None, {"phase": "Running"}, "InProgress", "PodRunningNotReady"),
        (
            "crash loop",
            None,
            {
                "phase": "Running",
                "conditions": [_UNPLACED],
                "containerStatuses": [
                    {"name": "nginx", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
                ],
            },
            "Failed",
            None,
        ),
    ),
    *rows(
        "v1",
        "PersistentVolumeClaim",
        ("no status", None, None, "InProgress", "NotBound"),
        ("bound", None, {"phase": "Bound"}, "Current", None),
    ),
    *rows(
        "apps/v1",
        "StatefulSet",
        ("no status", None, None, "InProgress", "LessReplicas"),
        (
            "bad status",
            None,
            {"observedGeneration": 1, "currentReplicas": 1},
            "InProgress",
            "LessReplicas",
        ),
        ("ok", {"replicas": 4}, _SET, "Current", None),
        ("less ready", {"replicas": 4}, {**_SET, "readyReplicas": 2}, "InProgress", "LessReady"),
        (
            "less current",
            {"replicas": 4},
            {**_SET, "currentReplicas": 2},
            "InProgress",
            "LessCurrent",
        ),
        ("extra pods", {"replicas": 4}, {**_SET, "replicas": 8}, "InProgress", "ExtraPods"),
        ("on delete", {"updateStrategy": {"type": "OnDelete"}}, None, "Current", None),
        (
            "partition",
            {"replicas": 4, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            {**_SET, "updatedReplicas": 1},
            "InProgress",
            "PartitionRollout",
        ),
        (
            "partition done",
            {"replicas": 4, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            {**_SET, "updatedReplicas": 2, "currentReplicas": 2},
            "Current",
            None,
        ),
        (
            "partition of zero",
            {"replicas": 4, "updateStrategy": {"rollingUpdate": {"partition": 0}}},
            {**_SET, "updatedReplicas": 4, "currentRevision": "a", "updateRevision": "b"},
            "Current",
            None,
        ),
        (
            "revisions",
            {"replicas": 4},
            {**_SET, "currentRevision": "a", "updateRevision": "b"},
            "InProgress",
            "RevisionMismatch",
        ),
    ),
    *rows(
        "apps/v1",
        "DaemonSet",
        ("no status", None, None, "InProgress", "NoObservedGeneration"),
        ("bad status", None, {"observedGeneration": 1}, "InProgress", "NoDesiredNumber"),
        ("ok", None, _FOUR, "Current", None),
        ("less ready", None, {**_FOUR, "numberReady": 2}, "InProgress", "LessReady"),
        ("less available", None, {**_FOUR, "numberAvailable": 2}, "InProgress", "LessAvailable"),
        (
            "another generation",
            None,
            {**_FOUR, "observedGeneration": 2},
            "InProgress",
            "LatestGenerationNotObserved",
        ),
    ),
    *rows(
        "apps/v1",
        "Deployment",
        ("no status", None, None, "InProgress", "LessReplicas"),
        ("ok", None, {**_ONE, "conditions": [_ROLLED_OUT, _AVAILABLE]}, "Current", None),
        (
            "not progressing",
            {"progressDeadlineSeconds": 45},
            {
                **_ONE,
                "conditions": [
                    {"type": "Progressing", "status": "False", "reason": "Some"},
                    _AVAILABLE,
                ],
            },
            "InProgress",
            "ReplicaSetNotAvailable",
        ),
        ("no deadline", None, {**_ONE, "conditions": [_AVAILABLE]}, "Current", None),
        (
            "not available",
            None,
            {**_ONE, "conditions": [_ROLLED_OUT, {"type": "Available", "status": "False"}]},
            "InProgress",
            "DeploymentNotAvailable",
        ),
        (
            "past its deadline",
            None,
            {
                **_ONE,
                "conditions": [
                    {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
                ],
            },
            "Failed",
            "ProgressDeadlineExceeded",
        ),
        ("paused", {"paused": True}, None, "InProgress", "LessReplicas"),
        ("zero", {"replicas": 0}, {"observedGeneration": 1}, "InProgress", None),
    ),
    *rows(
        "apps/v1",
        "ReplicaSet",
        ("no status", None, None, "InProgress", "LessLabelled"),
        (
            "ok",
            {"replicas": 4},
            {**_RS, "conditions": [{"type": "ReplicaFailure", "status": "False"}]},
            "Current",
            None,
        ),
        ("less ready", {"replicas": 4}, {**_RS, "readyReplicas": 2}, "InProgress", "LessReady"),
        (
            "less available",
            {"replicas": 4},
            {**_RS, "availableReplicas": 2},
            "InProgress",
            "LessAvailable",
        ),
        (
            "replica failure",
            {"replicas": 4},
            {**_RS, "conditions": [{"type": "ReplicaFailure", "status": "True"}]},
            "InProgress",
            "ReplicaFailure",
        ),
    ),
    *rows(
        "policy/v1",
        "PodDisruptionBudget",
        (
            "not observed",
            None,
            {"observedGeneration": 0},
            "InProgress",
            "LatestGenerationNotObserved",
        ),
        ("observed", None, {"observedGeneration": 1}, "Current", None),
    ),
    *rows(
        "something/v1",
        "MyCR",
        ("no status", None, None, "Current", None),
        ("ready", None, {"conditions": [{**_READY, "reason": "AllOk"}]}, "Current", None),
        (
            "not ready",
            None,
            {"conditions": [{"type": "Ready", "status": "False", "reason": "NotReadyYet"}]},
            "InProgress",
            "NotReadyYet",
        ),
        (
            "no condition",
            None,
            {"conditions": [{"type": "Some", "status": "False"}]},
            "Current",
            None,
        ),
        (
            "another generation",
            None,
            {"observedGeneration": 2},
            "InProgress",
            "LatestGenerationNotObserved",
        ),
        (
            "reconciling",
            None,
            {"conditions": [{"type": "Reconciling", "status": "True", "reason": "Busy"}]},
            "InProgress",
            "Busy",
        ),
        (
            "stalled",
            None,
            {"conditions": [{"type": "Stalled", "status": "True", "reason": "Stuck"}]},
            "Failed",
            "Stuck",
        ),
    ),
    *rows(
        "batch/v1",
        "Job",
        ("no status", None, None, "InProgress", "JobNotStarted"),
        (
            "complete",
            None,
            {"conditions": [{"type": "Complete", "status": "True"}]},
            "Current",
            None,
        ),
        (
            "failed",
            {"completions": 4},
            {"conditions": [{"type": "Failed", "status": "True", "reason": "JobFailed"}]},
            "Failed",
            "JobFailed",
        ),
        (
            "running",
            {"completions": 10},
            {"startTime": at(60), "conditions": [{"type": "Failed", "status": "False"}]},
            "Current",
            None,
        ),
        (
            "suspended",
            {"suspend": True},
            {"conditions": [{"type": "Suspended", "status": "True"}]},
            "Current",
            None,
        ),
    ),
    *rows("batch/v1", "CronJob", ("no status", None, None, "Current", None)),
    *rows(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        ("no status", None, None, "Current", None),
        (
            "able",
            None,
            {"conditions": [{"type": "AbleToScale", "status": "True"}]},
            "Current",
            None,
        ),
    ),
    *rows(
        "v1",
        "Service",
        ("plain", None, None, "Current", None),
        ("node port", {"type": "NodePort"}, None, "Current", None),
        ("balanced", {"type": "LoadBalancer", "clusterIP": "1.2.3.4"}, None, "Current", None),
        ("no address", {"type": "LoadBalancer"}, None, "InProgress", "NoIPAssigned"),
    ),
    *rows(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        ("no status", None, None, "InProgress", "Installing"),
        (
            "installing",
            None,
            {
                "conditions": [
                    {"type": "NamesAccepted", "status": "True", "reason": "NoConflicts"},
                    {"type": "Established", "status": "False", "reason": "Installing"},
                ]
            },
            "InProgress",
            "Installing",
        ),
        (
            "names taken",
            None,
            {"conditions": [{"type": "NamesAccepted", "status": "False", "reason": "Some"}]},
            "Failed",
            "Some",
        ),
        ("ok", None, {"conditions": [{"type": "Established", "status": "True"}]}, "Current", None),
    ),
    *rows("v1", "ConfigMap", ("there", None, None, "Current", None)),
    *rows("v1", "Secret", ("there", None, None, "Current", None)),
]

WORDS = {
    "Current": {HealthState.HEALTHY},
    "InProgress": {HealthState.PENDING, HealthState.DEGRADED},
    "Failed": {HealthState.ERROR},
}

OURS = {
    "Pod: failed": (HealthState.ERROR, "PodFailed"),
    "StatefulSet: no status": (HealthState.PENDING, "NotObserved"),
    "StatefulSet: on delete": (HealthState.PENDING, "NotObserved"),
    "StatefulSet: partition of zero": (HealthState.PENDING, "RevisionMismatch"),
    "DaemonSet: no status": (HealthState.PENDING, "NotObserved"),
    "Deployment: paused": (HealthState.SUSPENDED, "DeploymentPaused"),
    "Deployment: zero": (HealthState.HEALTHY, "ScaledToZero"),
    "Job: running": (HealthState.PENDING, "JobRunning"),
    "Job: suspended": (HealthState.SUSPENDED, "JobSuspended"),
    "HorizontalPodAutoscaler: no status": (HealthState.PENDING, "NotMeasured"),
    "Service: balanced": (HealthState.PENDING, "NoIngress"),
}


@pytest.mark.parametrize(("name", "obj", "verdict", "reason"), ROWS, ids=[row[0] for row in ROWS])
def test_parity(name: str, obj: dict[str, Any], verdict: str, reason: str | None) -> None:
    answer = health(obj, now=NOW)
    if name in OURS:
        assert (answer.state, answer.reason) == OURS[name]
        assert answer.state not in WORDS[verdict] or answer.reason != reason
        return
    assert answer.state in WORDS[verdict]
    assert reason in {None, answer.reason}


def test_every_difference_is_of_a_row() -> None:
    assert OURS.keys() <= {row[0] for row in ROWS}
