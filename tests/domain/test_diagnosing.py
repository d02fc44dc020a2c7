"""Each check: what is well, what is not, and what people are told to do."""

from typing import Any

import pytest

from app.domain.diagnosing import QUESTIONS, Scene, diagnose
from app.domain.diagnosing.looks import NOTHING, equal, of_selector
from app.domain.diagnosing.running import probe_words
from app.domain.health import HealthState
from app.domain.inspecting import Check, CheckOutcome
from app.domain.planning import ObjectKey
from tests.domain.health.objects import NOW, Fields, at
from tests.domain.looked_at import (
    READY,
    RUNNING,
    Board,
    deployed,
    holding,
    named,
    owned,
    pod,
)

FAILED, WARNING = CheckOutcome.FAILED, CheckOutcome.WARNING
PASSED, SKIPPED = CheckOutcome.PASSED, CheckOutcome.SKIPPED


def said(check: Check) -> tuple[CheckOutcome, str, str | None]:
    return check.outcome, check.message, check.suggestion


def test_nothing_is_deployed() -> None:
    found = diagnose("node", Scene((), NOW))
    sentence = "Nothing of this node is on a cluster: deploy the workflow first."
    assert (found.node_id, found.state, found.message) == ("node", HealthState.MISSING, sentence)
    assert found.checks == (Check("Objects exist", SKIPPED, sentence),)


def test_an_object_that_is_gone() -> None:
    found = Board().diagnosis(ObjectKey("apps/v1", "Deployment", "shop", "web"))
    assert found.state is HealthState.MISSING
    assert found.checks == (
        Check(
            "Objects exist",
            FAILED,
            "Deployment web is not on the cluster.",
            "Somebody has deleted it: deploy the workflow again.",
        ),
    )


def test_a_job_that_is_gone_may_have_been_cleaned_up() -> None:
    check = Board().check("Objects exist", ObjectKey("batch/v1", "Job", "shop", "job"))
    assert check.outcome is WARNING


def test_an_object_that_is_being_deleted() -> None:
    leaving = named("ConfigMap", "web", metadata={"deletionTimestamp": at(5)})
    assert said(Board().check("Objects exist", leaving)) == (
        WARNING,
        "ConfigMap web is being deleted.",
        "Wait until it is gone, then deploy the workflow again.",
    )


def test_everything_is_well() -> None:
    objects = deployed(pod("web-a", RUNNING, status=READY), ready=1)
    found = Board(*objects).diagnosis(objects[0])
    assert found.state is HealthState.HEALTHY
    assert {each.name: each.outcome for each in found.checks} == {
        "Objects exist": PASSED,
        "Rollout": PASSED,
        "Pods can be created": PASSED,
        "Pods are scheduled": PASSED,
        "Image can be pulled": PASSED,
        "Configuration is there": PASSED,
        "Containers run": PASSED,
        "Probes": PASSED,
        "Recent warnings": PASSED,
    }


def waiting(reason: str, message: str = "", **more: Any) -> Fields:
    return {"state": {"waiting": {"reason": reason, "message": message}}, **more}


def test_an_image_that_does_not_come() -> None:
    text = 'Back-off pulling image "shop/web:1": ErrImagePull: unauthorized'
    objects = deployed(pod("web-a", waiting("ImagePullBackOff", text), status={"phase": "Pending"}))
    board = Board(*objects)
    assert said(board.check("Image can be pulled", objects[0])) == (
        FAILED,
        "Container app of pod web-a cannot pull the image shop/web:1: unauthorized.",
        "The registry refuses access: add an image pull secret that may read the image.",
    )
    assert board.check("Pods are scheduled", objects[0]).outcome is PASSED
    assert board.check("Containers run", objects[0]).outcome is SKIPPED
    found = board.diagnosis(objects[0])
    assert [each.outcome for each in found.checks[:2]] == [FAILED, FAILED]
    assert found.state is HealthState.DEGRADED


def test_a_container_that_crashes() -> None:
    last = {"lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}, "restartCount": 4}
    objects = deployed(pod("web-a", waiting("CrashLoopBackOff", **last)))
    board = Board(*objects)
    assert said(board.check("Containers run", objects[0])) == (
        FAILED,
        "Container app of pod web-a keeps ending (restarted 4 times): exit code 1.",
        "Look at its previous log.",
    )
    assert board.check("Image can be pulled", objects[0]).outcome is PASSED


def test_a_container_without_enough_memory() -> None:
    last = {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
    objects = deployed(pod("web-a", waiting("CrashLoopBackOff", **last)))
    assert said(Board(*objects).check("Containers run", objects[0])) == (
        FAILED,
        "Container app of pod web-a keeps being killed because it used more memory than its limit "
        "of 128Mi.",
        "Raise its memory limit, or make it use less. Look at its previous log.",
    )


def test_a_pod_that_no_node_takes() -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 Insufficient memory.",
    }
    homeless = pod("web-a", spec={"nodeName": ""})
    homeless["status"] = {"phase": "Pending", "conditions": [condition]}
    objects = deployed(homeless)
    board = Board(*objects)
    assert said(board.check("Pods are scheduled", objects[0])) == (
        FAILED,
        "No node takes pod web-a: 0/1 nodes are available: 1 Insufficient memory.",
        "Lower the requests under resources, or add nodes to the cluster.",
    )
    assert said(board.check("Image can be pulled", objects[0])) == (
        SKIPPED,
        "Not every pod of Deployment web has come so far yet.",
        None,
    )


def test_pods_that_cannot_be_created() -> None:
    objects = deployed()
    objects[0]["status"]["replicas"] = 0
    objects[0]["status"]["conditions"] = [
        {
            "type": "ReplicaFailure",
            "status": "True",
            "reason": "FailedCreate",
            "message": "exceeded quota: team, requested: pods=1, used: pods=4, limited: pods=4",
        }
    ]
    assert said(Board(*objects).check("Pods can be created", objects[0])) == (
        FAILED,
        "The namespace's quota team leaves no room for its pods (requested: pods=1, used: pods=4, "
        "limited: pods=4).",
        "Lower the requests or the number of pods, or have the quota raised.",
    )
    assert said(Board(*objects).check("Containers run", objects[0])) == (
        SKIPPED,
        "Deployment web has no pods to look at: there are none.",
        None,
    )


def test_a_workload_that_is_scaled_to_nothing() -> None:
    objects = deployed(spec={"replicas": 0})
    check = Board(*objects).check("Pods are scheduled", objects[0])
    assert said(check) == (
        SKIPPED,
        "Deployment web has no pods to look at: it is scaled to 0.",
        None,
    )


PROBED = {
    "containers": [
        {"name": "app", "image": "shop/web:1", "readinessProbe": {"httpGet": {"port": 8080}}}
    ]
}
UNREADY: Fields = {"ready": False, "state": {"running": {"startedAt": at(5)}}}


def test_a_probe_that_fails() -> None:
    objects = deployed(pod("web-a", UNREADY, spec=PROBED), spec={"template": PROBED})
    board = Board(*objects)
    words = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    board.tell(objects[2], reason="Unhealthy", message=words)
    assert said(board.check("Probes", objects[0])) == (
        WARNING,
        f"Pod web-a is not ready: {words}.",
        "Check the port and path of its readiness probe, and its log.",
    )


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            "Readiness probe failed: HTTP probe failed with statuscode: 503",
            "Readiness probe failed: HTTP probe failed with statuscode: 503",
        ),
        (
            "Liveness probe failed: dial tcp 10.0.0.1:80: connect: connection refused",
            "Liveness probe failed: dial tcp 10.0.0.1:80: connect: connection refused",
        ),
        ("Liveness probe failed: the password is hunter2", "Liveness probe failed"),
        ("Startup probe errored: rpc error: hunter2", "Startup probe errored"),
        ("something else", ""),
    ],
)
def test_what_a_command_has_printed_is_not_repeated(event: str, words: str) -> None:
    assert probe_words(event) == words


def test_a_workload_without_probes() -> None:
    bare = {"containers": [{"name": "app", "image": "shop/web:1"}]}
    objects = deployed(pod("web-a", RUNNING, status=READY), ready=1, spec={"template": bare})
    assert said(Board(*objects).check("Probes", objects[0])) == (
        SKIPPED,
        "Deployment web has no probes: a pod is ready as soon as it runs.",
        None,
    )


CONFIGURED = {
    "serviceAccountName": "shop",
    "imagePullSecrets": [{"name": "registry"}],
    "containers": [
        {
            "name": "app",
            "image": "shop/web:1",
            "envFrom": [{"configMapRef": {"name": "settings"}}],
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "no", "optional": True}}},
                {"name": "C", "value": "plain"},
            ],
        }
    ],
    "volumes": [
        {"name": "files", "configMap": {"name": "files", "items": [{"key": "a", "path": "a"}]}},
        {"name": "all", "projected": {"sources": [{"secret": {"name": "tls"}}]}},
        {"name": "own", "secret": {"secretName": "own"}},
    ],
}
NAMED = [
    holding("ConfigMap", "settings", "x"),
    holding("Secret", "db", "password"),
    holding("ConfigMap", "files", "a"),
    holding("Secret", "tls", "tls.crt"),
    holding("Secret", "own"),
    holding("Secret", "registry", ".dockerconfigjson"),
]


def configuration(*there: Fields, hidden: dict[str, str] | None = None) -> Check:
    objects = deployed(
        pod("web-a", RUNNING, status=READY), ready=1, spec={"template": dict(CONFIGURED)}
    )
    board = Board(*objects, *there, hidden=hidden)
    return board.check("Configuration is there", objects[0])


ACCOUNT: Fields = {
    "apiVersion": "v1",
    "kind": "ServiceAccount",
    "metadata": {"name": "shop", "namespace": "shop"},
}


def test_everything_that_pods_name_is_there() -> None:
    assert said(configuration(*NAMED, ACCOUNT)) == (
        PASSED,
        "Everything that Deployment web names is there.",
        None,
    )


@pytest.mark.parametrize(
    ("lacks", "outcome", "message", "suggestion"),
    [
        (
            "settings",
            FAILED,
            "The environment of container app needs the ConfigMap settings, which does not exist.",
            "Add it to the canvas, or correct the reference.",
        ),
        (
            "db",
            FAILED,
            "The variable A of container app needs the Secret db, which does not exist.",
            "Create it, or give its values with the deploy.",
        ),
        (
            "tls",
            FAILED,
            "The volume all needs the Secret tls, which does not exist.",
            "Create it, or give its values with the deploy.",
        ),
        (
            "own",
            FAILED,
            "The volume own needs the Secret own, which does not exist.",
            "Create it, or give its values with the deploy.",
        ),
        (
            "registry",
            WARNING,
            "The pull of its images needs the Secret registry, which does not exist.",
            "Create it, or give its values with the deploy.",
        ),
        (
            "shop",
            FAILED,
            "Its pods need the ServiceAccount shop, which does not exist.",
            "Create it, or choose another one.",
        ),
    ],
)
def test_something_that_pods_name_is_not(
    lacks: str, outcome: CheckOutcome, message: str, suggestion: str
) -> None:
    there = [each for each in (*NAMED, ACCOUNT) if each["metadata"]["name"] != lacks]
    assert said(configuration(*there)) == (outcome, message, suggestion)


def test_a_key_that_is_not_there() -> None:
    others = [each for each in (*NAMED, ACCOUNT) if each["metadata"]["name"] != "db"]
    assert said(configuration(*others, holding("Secret", "db", "user"))) == (
        FAILED,
        "The variable A of container app needs the key password of the Secret db, which has none.",
        "Add the key to the Secret, or correct the reference.",
    )
    ours = holding("Secret", "db", "user")
    ours["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "kubeorch"
    assert configuration(*others, ours).suggestion == "Give its value with the next deploy."
    # Nobody says which keys it has, so nobody can say that one is missing.
    assert configuration(*others, named("Secret", "db")).outcome is PASSED


def test_only_names_are_asked_of_what_holds_values() -> None:
    objects = deployed(spec={"template": dict(CONFIGURED)})
    board = Board(*objects)
    board.diagnosis(objects[0])
    quiet = [look for look in board.looks if look.kind in {"ConfigMap", "Secret"}]
    assert len(quiet) == 6
    assert all(look.names_only and look.name is not None for look in quiet)


def test_what_may_not_be_read_is_said() -> None:
    reason = "secrets is forbidden."
    assert said(configuration(*NAMED, ACCOUNT, hidden={"Secret": reason})) == (
        SKIPPED,
        f"What Deployment web names cannot be looked at: {reason}",
        None,
    )
    objects = deployed()
    board = Board(*objects, hidden={"Pod": "pods is forbidden."})
    assert said(board.check("Containers run", objects[0])) == (
        SKIPPED,
        "The pods of Deployment web cannot be looked at: pods is forbidden.",
        None,
    )
    found = Board(hidden={"Deployment": "no."}).diagnosis(objects[0])
    assert found.state is HealthState.PENDING
    assert [said(each) for each in found.checks] == [
        (SKIPPED, "Deployment web cannot be looked at: no.", None)
    ]


@pytest.mark.parametrize(
    ("kind", "suggestion"),
    [
        ("Secret", "Give its values with the next deploy."),
        ("ConfigMap", "Write its data on the canvas, and deploy."),
    ],
)
def test_configuration_without_keys(kind: str, suggestion: str) -> None:
    name = "Configuration is there"
    assert said(Board().check(name, holding(kind, "web"))) == (
        WARNING,
        f"{kind} web has no keys.",
        suggestion,
    )
    assert said(Board().check(name, holding(kind, "web", "a"))) == (
        PASSED,
        f"{kind} web has 1 key.",
        None,
    )
    assert Board().check(name, named(kind, "web")).outcome is SKIPPED


def test_a_hint_is_never_said_twice() -> None:
    """Each question is a name, a family of kinds and a function; no check is there twice."""
    found = Board().diagnosis(named("ConfigMap", "a"), named("ConfigMap", "b"))
    names = [each.name for each in found.checks]
    assert len(names) == len(set(names))
    assert {question.name for question in QUESTIONS} >= set(names)


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({}, ""),
        ({"matchLabels": {"a": "b", "c/d": ""}}, "a=b,c/d="),
        (
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]},
            "a in (b,c)",
        ),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, "a notin (b)"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "a"),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, "!a"),
        ({"matchExpressions": [{"key": "a", "operator": "Near"}]}, NOTHING),
        ({"matchLabels": {"a": "b,c=d"}}, NOTHING),
        ({"matchLabels": {"a": 1}}, NOTHING),
    ],
)
def test_selectors_as_text(selector: Fields, text: str) -> None:
    assert of_selector(selector) == text


def test_no_labels_fit_nothing() -> None:
    assert equal({}) == NOTHING


def test_recent_warnings_are_counted_and_the_newest_is_first() -> None:
    objects = deployed(pod("web-a", RUNNING, status=READY), ready=1)
    board = Board(*objects)
    board.tell(objects[0], reason="Old", message="long ago", age=7_200)
    board.tell(objects[1], reason="FailedCreate", message="no room", age=60, count=3)
    board.tell(objects[2], reason="BackOff", message="again", age=10)
    board.tell(objects[2], reason="BackOff", message="again", age=20, count=2)
    board.tell(objects[2], reason="FailedPostStartHook", message="hunter2", age=30)
    assert said(board.check("Recent warnings", objects[0])) == (
        WARNING,
        "BackOff, 3 times: again. FailedPostStartHook. FailedCreate, 3 times: no room.",
        "Act on what the other checks say; a warning that does not come again needs nothing.",
    )


def test_the_newest_job_of_a_cronjob_counts() -> None:
    cronjob = named("CronJob", "web", status={"lastScheduleTime": at(60)})
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {}}
    cronjob["spec"]["jobTemplate"]["spec"]["template"] = template
    old = owned(named("Job", "web-1", age=600, status={"startTime": at(600)}), cronjob)
    new = owned(named("Job", "web-2", age=60, status={"startTime": at(60)}), cronjob)
    ended = {"state": {"terminated": {"exitCode": 2, "reason": "Error"}}}
    crashed = owned(pod("web-2-a", ended, status={"phase": "Failed"}), new)
    fine = owned(pod("web-1-a", RUNNING), old)
    board = Board(cronjob, old, new, crashed, fine)
    assert said(board.check("Containers run", cronjob)) == (
        FAILED,
        "Container app of pod web-2-a failed: exit code 2.",
        "Look at its log.",
    )
