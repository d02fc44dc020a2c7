"""An object's health as it is watched, from its creation to its end."""

from datetime import timedelta
from typing import Any

from app.domain.health import CauseSeverity, Health, HealthState, Note, combined, health
from tests.domain.health.objects import NOW, at, live


def states(*seen: Health) -> list[str]:
    return [f"{s.state.value} {s.reason} {s.ready}/{s.desired}" for s in seen]


def deployment(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    spec = {"replicas": 2, "progressDeadlineSeconds": 600, **spec}
    return live("Deployment", {"spec": spec, "status": {"observedGeneration": 1, **status}})


def progressing(reason: str, status: str = "True") -> dict[str, Any]:
    return {"type": "Progressing", "status": status, "reason": reason}


AVAILABLE = {"type": "Available", "status": "True"}


def test_a_rollout_that_works() -> None:
    updating = progressing("ReplicaSetUpdated")
    done = [progressing("NewReplicaSetAvailable"), AVAILABLE]
    counters: list[dict[str, Any]] = [
        {},
        {"replicas": 2, "updatedReplicas": 2, "conditions": [updating]},
        {
            "replicas": 2,
            "updatedReplicas": 2,
            "readyReplicas": 1,
            "availableReplicas": 1,
            "conditions": [updating],
        },
        {
            "replicas": 2,
            "updatedReplicas": 2,
            "readyReplicas": 2,
            "availableReplicas": 2,
            "conditions": [updating, AVAILABLE],
        },
        {
            "replicas": 2,
            "updatedReplicas": 2,
            "readyReplicas": 2,
            "availableReplicas": 2,
            "conditions": done,
        },
    ]
    assert states(*(health(deployment(status), now=NOW) for status in counters)) == [
        "pending LessReplicas 0/2",
        "pending LessAvailable 0/2",
        "pending LessAvailable 1/2",
        "pending ReplicaSetNotAvailable 2/2",
        "healthy Available 2/2",
    ]


def test_a_rollout_that_fails() -> None:
    status = {"replicas": 2, "updatedReplicas": 2}
    image = {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}
    young = live("Pod", {"age": 2, "status": {"phase": "Pending", **image}})
    pulling = {"state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}
    bad = live("Pod", {"age": 9, "status": {"phase": "Pending", "containerStatuses": [pulling]}})
    backing = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
    worse = live(
        "Pod", {"age": 600, "status": {"phase": "Pending", "containerStatuses": [backing]}}
    )
    late = {**status, "conditions": [progressing("ProgressDeadlineExceeded", "False")]}
    assert states(
        health(deployment(status), now=NOW, related=[young]),
        health(deployment(status), now=NOW, related=[bad]),
        health(deployment(status), now=NOW, related=[worse]),
        health(deployment(late), now=NOW, related=[worse]),
        health(deployment(late), now=NOW),
    ) == [
        "pending LessAvailable 0/2",
        "degraded ErrImagePull 0/2",
        "degraded ImagePullBackOff 0/2",
        "error ImagePullBackOff 0/2",
        "error ProgressDeadlineExceeded 0/2",
    ]


def test_a_job_from_start_to_end() -> None:
    def job(status: dict[str, Any]) -> dict[str, Any]:
        return live("Job", {"spec": {"completions": 2}, "status": status})

    started = {"startTime": at(60)}
    complete = {"type": "Complete", "status": "True"}
    failed = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    assert states(
        *(
            health(job(status), now=NOW)
            for status in (
                {},
                {**started, "active": 1},
                {**started, "active": 1, "succeeded": 1},
                {**started, "succeeded": 2, "conditions": [complete]},
                {**started, "succeeded": 1, "failed": 7, "conditions": [failed]},
            )
        )
    ) == [
        "pending JobNotStarted 0/2",
        "pending JobRunning 0/2",
        "pending JobRunning 1/2",
        "healthy Completed 2/2",
        "error BackoffLimitExceeded 1/2",
    ]


def test_a_claim_and_the_pod_that_waits_for_it() -> None:
    claim = live("PersistentVolumeClaim", {"status": {"phase": "Pending"}})
    unplaced = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
    }
    pod = live("Pod", {"status": {"phase": "Pending", "conditions": [unplaced]}})
    status = {"observedGeneration": 1, "replicas": 1}
    workload = health(live("StatefulSet", {"status": status}), now=NOW, related=[pod])
    node = combined([health(claim, now=NOW), workload])
    assert (node.state, node.reason) == (HealthState.DEGRADED, "Unschedulable")
    assert [note.reason for note in node.notes] == ["NotBound"]
    assert node.holds_run and not health(claim, now=NOW).holds_run


def test_events_of_the_newer_api_explain_too() -> None:
    pod = live("Pod", {"status": {"phase": "Pending"}})
    about = {"kind": "Pod", "name": "web", "namespace": "shop"}
    told = [
        {"reason": "FailedMount", "regarding": about, "eventTime": at(9), "note": "newer words"},
        {"reason": "FailedMount", "regarding": about, "eventTime": at(90), "note": "older words"},
        {"reason": "FailedMount", "regarding": {**about, "kind": "Node"}, "note": "of a node"},
    ]
    answer = health(pod, now=NOW, events=told)
    assert answer.message == ("The pod does not work. Pod web cannot be started: newer words.")


def test_a_config_map_that_comes_late_heals_the_pod() -> None:
    status = {"replicas": 2, "updatedReplicas": 2}
    text = 'configmap "settings" not found'
    waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": text}}
    pod_status = {"phase": "Pending", "containerStatuses": [{"state": waiting}]}
    pod = live("Pod", {"age": 10, "status": pod_status})
    early = health(deployment(status), now=NOW, related=[pod])
    assert (early.state, early.recheck_after) == (HealthState.DEGRADED, 5)
    assert early.holds_run and not early.fails_run
    due = NOW + timedelta(seconds=early.recheck_after or 0)
    late = health(deployment(status), now=due, related=[pod])
    assert (late.state, late.recheck_after) == (HealthState.ERROR, None)
    assert late.fails_run and not late.holds_run
    assert late.causes[0].fatal
    assert "needs the ConfigMap settings, which does not exist" in late.message
    running = {"state": {"running": {"startedAt": at(1)}}}
    healed = live("Pod", {"status": {"phase": "Running", "containerStatuses": [running]}})
    assert health(deployment(status), now=NOW, related=[healed]).state is HealthState.PENDING


def test_the_same_trouble_of_many_pods_is_one_cause() -> None:
    crashing = {
        "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1}},
    }
    pods = [
        live(
            "Pod",
            {
                "metadata": {"name": f"web-{i}"},
                "status": {
                    "phase": "Running",
                    "containerStatuses": [{**crashing, "restartCount": i}],
                },
            },
        )
        for i in range(1, 101)
    ]
    status = {"replicas": 100, "updatedReplicas": 100}
    answer = health(deployment(status, replicas=100), now=NOW, related=pods)
    [cause] = answer.causes
    assert (cause.pods, cause.pod, cause.restarts) == (100, "web-1", 100)
    assert "100 pods have this." in answer.message


def test_the_worst_cause_comes_first() -> None:
    def pod(name: str, state: dict[str, Any]) -> dict[str, Any]:
        status = {"phase": "Running", "containerStatuses": [{"state": state}]}
        return live("Pod", {"metadata": {"name": name}, "status": status})

    pods = [
        pod("slow", {"running": {"startedAt": at(600)}}),
        pod("crash", {"waiting": {"reason": "CrashLoopBackOff"}}),
        pod("name", {"waiting": {"reason": "InvalidImageName"}}),
    ]
    status = {"replicas": 2, "updatedReplicas": 2}
    answer = health(deployment(status), now=NOW, related=pods)
    assert [(c.severity, c.reason, c.fatal) for c in answer.causes] == [
        (CauseSeverity.ERROR, "InvalidImageName", True),
        (CauseSeverity.ERROR, "CrashLoopBackOff", False),
        (CauseSeverity.WAITING, "NotReady", False),
    ]


def test_what_is_not_there() -> None:
    gone = health(None, now=NOW)
    assert (gone.state, gone.reason, gone.holds_run) == (HealthState.MISSING, "NotFound", True)


def test_what_holds_a_run_back() -> None:
    holds = {state: Health(state, "x", "x").holds_run for state in HealthState}
    assert holds == {
        HealthState.HEALTHY: False,
        HealthState.SUSPENDED: False,
        HealthState.PENDING: True,
        HealthState.TERMINATING: True,
        HealthState.DEGRADED: True,
        HealthState.MISSING: True,
        HealthState.ERROR: False,
    }
    assert [s for s in HealthState if Health(s, "x", "x").fails_run] == [HealthState.ERROR]
    advisory = [Health(state, "x", "x", advisory=True) for state in HealthState]
    assert not any(h.holds_run or h.fails_run for h in advisory)


HEALTHY = Health(HealthState.HEALTHY, "Created", "It is there.")
WAITING = Health(HealthState.PENDING, "LessReady", "1 of 2 pods is ready.", 1, 2, recheck_after=9)
ADDRESS = Health(HealthState.ERROR, "NoAddress", "No address.", advisory=True, recheck_after=5)


def test_a_node_is_as_well_as_its_worst_object() -> None:
    node = combined([HEALTHY, WAITING, HEALTHY])
    assert (node.state, node.reason, node.ready, node.desired) == (
        HealthState.PENDING,
        "LessReady",
        1,
        2,
    )
    missing = Health(HealthState.MISSING, "NotFound", "Gone.")
    node = combined([WAITING, missing])
    assert (node.state, node.ready, node.desired) == (HealthState.MISSING, 1, 2)


def test_what_is_advisory_hides_nothing() -> None:
    node = combined([ADDRESS, WAITING])
    assert (node.state, node.notes) == (
        HealthState.PENDING,
        (Note("NoAddress", "No address."),),
    )
    assert (node.holds_run, node.recheck_after) == (True, 5)
    node = combined([HEALTHY, ADDRESS])
    assert (node.state, node.advisory, node.notes) == (HealthState.ERROR, True, ())


def test_a_node_without_objects() -> None:
    assert combined([]).state is HealthState.MISSING


def test_of_what_is_equally_well_the_one_that_counts_pods_speaks() -> None:
    counting = Health(HealthState.HEALTHY, "Available", "2 of 2 pods are ready.", 2, 2)

    assert combined([HEALTHY, counting]).message == "2 of 2 pods are ready."
    assert combined([counting, HEALTHY]).message == "2 of 2 pods are ready."
