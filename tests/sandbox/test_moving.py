"""How things move in the sandbox cluster, second by second."""

import logging
from itertools import pairwise

import pytest

from app.sandbox.controllers import SYNC, look
from app.sandbox.objects import Object
from app.sandbox.world import World, key_of
from app.sandbox.world.pods import is_ready
from tests.kubernetes.objects import (
    claim,
    config_map,
    container,
    cron_job,
    daemon_set,
    deployment,
    job,
    pod,
    service,
    stateful_set,
)
from tests.sandbox.moving import Moving


@pytest.fixture
def moving() -> Moving:
    return Moving()


def condition(obj: Object, type_: str) -> tuple[str, str]:
    found = next(c for c in obj["status"]["conditions"] if c["type"] == type_)
    return found["status"], found.get("reason", "")


def images(moving: Moving) -> set[str]:
    return {each["spec"]["containers"][0]["image"] for each in moving.list("Pod")}


def told(moving: Moving, reason: str) -> list[tuple[str, int]]:
    """What events with a reason say, and how often."""
    return [(e["message"], e["count"]) for e in moving.list("Event") if e["reason"] == reason]


def test_a_pod_comes_to_life(moving: Moving) -> None:
    moving.make(pod("a"))
    moving.go(0.9)
    assert moving.state() == ("waiting", "ContainerCreating")
    assert moving.pod()["status"]["phase"] == "Pending"
    assert moving.pod()["spec"]["nodeName"] == "sandbox-1"
    moving.go(0.2)
    assert moving.state() == ("running", "")
    assert not is_ready(moving.pod())
    moving.go(0.5)
    assert is_ready(moving.pod())
    assert [
        e["reason"] for e in sorted(moving.list("Event"), key=lambda e: str(e["firstTimestamp"]))
    ][:1] == ["Scheduled"]


def test_nothing_is_due_when_everything_is_well(moving: Moving) -> None:
    """So nothing is done while nothing changes."""
    moving.make(deployment("a", replicas=3, progressDeadlineSeconds=2**31 - 1))
    moving.make(stateful_set("b", volumeClaimTemplates=[claim("data")]))
    moving.make(daemon_set("c"))
    moving.make(service("a", type="LoadBalancer"))
    moving.make(job("d"))
    moving.go(10)
    assert moving.get("Deployment", "a")["status"]["availableReplicas"] == 3
    assert condition(moving.get("Job", "d"), "Complete")[0] == "True"
    version = moving.store.version
    moving.go(100_000)
    assert moving.world.patience() is None
    assert moving.store.version == version


def test_a_crash_is_tried_again_after_longer_and_longer(moving: Moving) -> None:
    moving.make(pod("a", container("example.test/crash")))
    seen: list[str] = []

    def look_at() -> None:
        status = moving.pod()["status"].get("containerStatuses")
        text = status and status[0]["state"].get("waiting", {}).get("message")
        if text and text not in seen:
            seen.append(text)

    moving.go(1500, look_at)
    uid = moving.pod()["metadata"]["uid"]
    pauses = ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s"]
    assert seen == [
        f"back-off {pause} restarting failed container=web pod=a_default({uid})" for pause in pauses
    ]
    (status,) = moving.pod()["status"]["containerStatuses"]
    assert status["restartCount"] == 9
    assert status["lastState"]["terminated"]["exitCode"] == 1
    assert moving.pod()["status"]["phase"] == "Running"


def test_an_image_that_is_missing(moving: Moving) -> None:
    moving.make(pod("a", container("example.test/missing")))
    moving.go(1.5)
    assert moving.state() == ("waiting", "ErrImagePull")
    moving.go(1)
    assert moving.state() == ("waiting", "ImagePullBackOff")
    moving.go(10)
    assert moving.state() == ("waiting", "ErrImagePull")
    live = moving.pod()
    moving.change("Pod", "a", containers=[{**live["spec"]["containers"][0], "image": "good"}])
    moving.go(2)
    assert moving.state() == ("running", "")


@pytest.mark.parametrize(
    ("fail", "state"),
    [
        ("crash", ("waiting", "CrashLoopBackOff")),
        ("fail", ("waiting", "CrashLoopBackOff")),
        ("oom", ("waiting", "CrashLoopBackOff")),
        ("pull", ("waiting", "ImagePullBackOff")),
        ("readiness", ("running", "")),
    ],
)
def test_an_annotation_makes_it_fail(moving: Moving, fail: str, state: tuple[str, str]) -> None:
    moving.make(pod("a"), annotations={"sandbox/fail": fail})
    moving.go(8)
    assert moving.state() == state
    assert not is_ready(moving.pod())


def test_init_containers_go_first(moving: Moving) -> None:
    inits = [{"name": "one", "image": "one"}, {"name": "two", "image": "two"}]
    moving.make(pod("a", initContainers=inits))
    moving.go(1.2)
    status = moving.pod()["status"]
    assert list(status["initContainerStatuses"][0]["state"]) == ["running"]
    waiting = [
        each["state"]["waiting"]["reason"]
        for each in (status["initContainerStatuses"][1], status["containerStatuses"][0])
    ]
    assert waiting == ["PodInitializing", "PodInitializing"]
    assert condition(moving.pod(), "Initialized") == ("False", "ContainersNotInitialized")
    moving.go(5)
    assert is_ready(moving.pod())
    done = [each["state"]["terminated"] for each in moving.pod()["status"]["initContainerStatuses"]]
    assert [each["exitCode"] for each in done] == [0, 0]


def test_a_rollout_keeps_to_its_limits(moving: Moving) -> None:
    strategy = {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 1}}
    moving.make(deployment("a", replicas=6, strategy=strategy))
    moving.go(5)
    totals, ready = set(), set()

    def count() -> None:
        pods = [each for each in moving.list("Pod") if "deletionTimestamp" not in each["metadata"]]
        totals.add(len(pods))
        ready.add(sum(map(is_ready, pods)))

    template = moving.get("Deployment", "a")["spec"]["template"]
    spec = {**template["spec"], "containers": [container("example.test/new")]}
    moving.change("Deployment", "a", template={**template, "spec": spec})
    moving.go(60, count)
    assert images(moving) == {"example.test/new"}
    assert max(totals) <= 8
    assert min(ready) >= 5
    live = moving.get("Deployment", "a")
    assert condition(live, "Progressing") == ("True", "NewReplicaSetAvailable")
    # Something that does not start never replaces what runs.
    spec = {**template["spec"], "containers": [container("example.test/missing")]}
    moving.change("Deployment", "a", template={**template, "spec": spec})
    moving.go(700, count)
    assert min(ready) >= 5
    live = moving.get("Deployment", "a")
    assert condition(live, "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert condition(live, "Available") == ("True", "MinimumReplicasAvailable")


def test_available_is_later_than_ready(moving: Moving) -> None:
    moving.make(deployment("a", minReadySeconds=30))
    moving.go(5)
    status = moving.get("Deployment", "a")["status"]
    assert (status["readyReplicas"], status.get("availableReplicas", 0)) == (1, 0)
    moving.go(30)
    assert moving.get("Deployment", "a")["status"]["availableReplicas"] == 1


def test_old_sets_are_forgotten(moving: Moving) -> None:
    moving.make(deployment("a", revisionHistoryLimit=1))
    for number in range(4):
        moving.go(10)
        template = moving.get("Deployment", "a")["spec"]["template"]
        spec = {**template["spec"], "containers": [container(f"example.test/{number}")]}
        moving.change("Deployment", "a", template={**template, "spec": spec})
    moving.go(10)
    sets = moving.list("ReplicaSet")
    assert sorted(each["spec"]["replicas"] for each in sets) == [0, 1]


def test_pods_of_nobody_are_adopted_and_let_go(moving: Moving) -> None:
    moving.make(deployment("a", replicas=2))
    moving.go(5)
    (set_,) = moving.list("ReplicaSet")
    moving.delete("Deployment", "a", "Orphan")
    moving.go(1)
    name = set_["metadata"]["name"]
    moving.delete("ReplicaSet", name, "Orphan")
    moving.go(1)
    alone = moving.list("Pod")
    assert [each["metadata"].get("ownerReferences") for each in alone] == [None, None]
    moving.make(deployment("a", replicas=2))
    moving.go(5)
    assert {p["metadata"]["name"] for p in moving.list("Pod")} == {
        p["metadata"]["name"] for p in alone
    }
    first = moving.list("Pod")[0]
    labels = {"labels": {"app": "b"}}
    resource = moving.world.of("Pod")
    moving.store.update(resource, {**first, "metadata": {**first["metadata"], **labels}})
    moving.go(5)
    owned = [each["metadata"].get("ownerReferences") for each in moving.list("Pod")]
    assert len(owned) == 3
    assert owned.count(None) == 1


def test_claims_stay_unless_they_are_to_go(moving: Moving) -> None:
    policy = {"whenScaled": "Delete", "whenDeleted": "Retain"}
    templates = {"volumeClaimTemplates": [claim("data")]}
    moving.make(stateful_set("a", replicas=2, **templates))
    more = {"persistentVolumeClaimRetentionPolicy": policy}
    moving.make(stateful_set("b", replicas=2, **templates, **more))
    moving.go(10)
    for name in "ab":
        moving.change("StatefulSet", name, replicas=1)
    moving.go(10)
    assert [each["metadata"]["name"] for each in moving.list("PersistentVolumeClaim")] == [
        "data-a-0",
        "data-a-1",
        "data-b-0",
    ]
    assert len(moving.world.list("PersistentVolume")) == 3


def test_a_job_tries_again_after_longer_and_longer(moving: Moving) -> None:
    moving.make(job("a", container("example.test/crash"), backoffLimit=2))
    made: list[float] = []

    def count() -> None:
        if len(moving.list("Pod")) > len(made):
            made.append(moving.seconds)

    moving.go(100, count)
    pauses = [later - earlier for earlier, later in pairwise(made)]
    assert [round(each) for each in pauses] == [12, 22]
    assert condition(moving.get("Job", "a"), "Failed") == ("True", "BackoffLimitExceeded")


def test_a_job_that_restarts_its_containers(moving: Moving) -> None:
    obj = job("a", container("example.test/crash"), backoffLimit=1)
    obj["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    moving.make(obj)
    moving.go(100)
    assert condition(moving.get("Job", "a"), "Failed") == ("True", "BackoffLimitExceeded")
    assert moving.list("Pod") == []


def test_a_job_is_suspended_and_goes_on(moving: Moving) -> None:
    moving.make(job("a", completions=1))
    moving.go(1)
    moving.change("Job", "a", suspend=True)
    moving.go(5)
    live = moving.get("Job", "a")
    assert condition(live, "Suspended") == ("True", "JobSuspended")
    assert moving.list("Pod") == []
    assert "startTime" not in live["status"]
    moving.change("Job", "a", suspend=False)
    moving.go(5)
    live = moving.get("Job", "a")
    assert condition(live, "Suspended") == ("False", "JobResumed")
    assert condition(live, "Complete")[0] == "True"


def test_every_index_is_done_once(moving: Moving) -> None:
    moving.make(job("a", completions=5, parallelism=2, completionMode="Indexed"))
    moving.go(30)
    assert moving.get("Job", "a")["status"]["completedIndexes"] == "0,1,2,3,4"
    assert len(moving.list("Pod")) == 5


def test_a_job_without_a_number_is_done_when_one_is(moving: Moving) -> None:
    obj = job("a", parallelism=2)
    moving.make(obj)
    moving.go(10)
    assert condition(moving.get("Job", "a"), "Complete")[0] == "True"
    assert len(moving.list("Pod")) == 2


def test_a_cron_job_keeps_its_history(moving: Moving) -> None:
    moving.make(cron_job("a", "*/5 * * * *", successfulJobsHistoryLimit=2))
    moving.go(1801)
    live = moving.get("CronJob", "a")
    assert live["status"]["lastScheduleTime"] == "2026-01-01T00:30:00Z"
    assert len([j for j in moving.list("Job") if "completionTime" in j["status"]]) == 2
    assert len(told(moving, "SuccessfulDelete")) == 3
    moving.change("CronJob", "a", suspend=True)
    moving.go(600)
    live = moving.get("CronJob", "a")
    assert live["status"]["lastScheduleTime"] == "2026-01-01T00:30:00Z"


def test_a_node_is_full(moving: Moving) -> None:
    moving.make(deployment("a", replicas=112, progressDeadlineSeconds=5))
    moving.go(20)
    pods = moving.list("Pod")
    placed = [each for each in pods if "nodeName" in each["spec"]]
    assert (len(placed), len(pods)) == (110, 112)
    left = next(each for each in pods if "nodeName" not in each["spec"])
    (said,) = left["status"]["conditions"]
    assert said["message"] == (
        "0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: "
        "1 No preemption victims found for incoming pod."
    )
    assert len({each["status"]["podIP"] for each in placed}) == 110
    moving.change("Deployment", "a", replicas=110)
    moving.go(20)
    assert moving.get("Deployment", "a")["status"]["availableReplicas"] == 110


def test_the_cluster_is_full(moving: Moving) -> None:
    moving.make(deployment("a", replicas=10**6))
    moving.make(stateful_set("b", replicas=10**6, podManagementPolicy="Parallel"))
    moving.make(job("c", completions=10**6, parallelism=10**6))
    moving.go(5)
    assert len(moving.list("Pod")) <= 650
    (set_,) = moving.list("ReplicaSet")
    assert condition(set_, "ReplicaFailure") == ("True", "FailedCreate")
    failed = moving.get("Deployment", "a")["status"]["conditions"][-1]
    assert failed["message"].endswith(
        "is forbidden: exceeded quota: sandbox, requested: pods=1, used: pods=500, "
        "limited: pods=500"
    )
    for kind, name in (("Deployment", "a"), ("StatefulSet", "b"), ("Job", "c")):
        moving.delete(kind, name)
    moving.go(30)
    assert moving.list("Pod") == []


def test_a_full_namespace_goes(moving: Moving) -> None:
    name = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "full"}}
    moving.make(name)
    for number in range(350):
        moving.make(config_map(f"a{number}"), "full")
    moving.make(deployment("a", replicas=2), "full")
    moving.go(5)
    moving.store.delete(moving.world.of("Namespace"), None, "full")
    moving.go(5)
    assert moving.world.get("Namespace", "", "full") is None
    left = {
        kind.plural
        for kind in moving.cluster.registry
        if kind.namespaced and moving.store.list(kind, "full")
    }
    assert left == set()


def test_a_pod_waits_for_room(moving: Moving) -> None:
    half = container(resources={"requests": {"cpu": "5", "memory": "512Mi"}})
    moving.make(pod("a", half))
    moving.make(pod("b", half))
    moving.go(5)
    assert "nodeName" not in moving.get("Pod", "b")["spec"]
    moving.delete("Pod", "a")
    moving.go(5)
    assert is_ready(moving.get("Pod", "b"))


def test_a_volume_that_names_nothing(moving: Moving) -> None:
    volume = {"name": "data", "configMap": {"name": "late"}}
    moving.make(pod("a", volumes=[volume]))
    moving.go(5)
    assert moving.state() == ("waiting", "ContainerCreating")
    (said,) = told(moving, "FailedMount")
    assert said[0] == ('MountVolume.SetUp failed for volume "data" : configmap "late" not found')
    moving.make(config_map("late"))
    moving.go(3)
    assert is_ready(moving.pod())


def test_who_starts_again_knows_what_was(moving: Moving) -> None:
    moving.make(deployment("a", replicas=2))
    moving.make(pod("b", container("example.test/crash")))
    moving.make(job("c"))
    moving.go(30)
    before = {each["metadata"]["uid"] for each in moving.list("Pod")}
    restarts = moving.get("Pod", "b")["status"]["containerStatuses"][0]["restartCount"]
    moving.started()
    moving.go(30)
    assert {each["metadata"]["uid"] for each in moving.list("Pod")} == before
    assert moving.get("Deployment", "a")["status"]["availableReplicas"] == 2
    again = moving.get("Pod", "b")["status"]["containerStatuses"][0]["restartCount"]
    assert again >= restarts


def test_who_falls_behind_begins_anew(moving: Moving) -> None:
    moving.make(deployment("a", replicas=2))
    moving.store.compact()
    moving.go(5)
    assert moving.get("Deployment", "a")["status"]["availableReplicas"] == 2


def test_what_is_said_again_is_counted(moving: Moving) -> None:
    moving.make(pod("a", container("example.test/crash")))
    moving.go(100)
    ((text, count),) = told(moving, "BackOff")
    assert text.startswith("Back-off restarting failed container web in pod a_default(")
    assert count == 4
    assert len(moving.list("Event")) < 10


def test_a_log_says_that_nothing_runs(moving: Moving) -> None:
    moving.make(pod("a", container("example.test/crash", ports=[{"containerPort": 80}])))
    moving.go(3)
    uid = moving.pod()["metadata"]["uid"]
    lines = [line.text for line in moving.store.logs.read(uid, "web", 0)]
    assert lines == [
        "This is a sandbox cluster: nothing is executed, these lines are made up.",
        "Here example.test/crash would run.",
        "It would listen on port 80.",
        "It pretends to fail: exit code 1.",
    ]


def test_one_that_nobody_thought_of_does_not_stop_the_others(
    moving: Moving, caplog: pytest.LogCaptureFixture
) -> None:
    moving.make(deployment("a"))
    resource = moving.world.of("Deployment")
    broken = moving.make(deployment("b"))
    moving.store.update(resource, {**broken, "spec": {"replicas": "many"}})
    with caplog.at_level(logging.ERROR):
        moving.go(5)
    assert "Deployment default/b" in caplog.text
    assert moving.get("Deployment", "a")["status"]["availableReplicas"] == 1


def test_a_kind_of_its_own_does_nothing(moving: Moving) -> None:
    made = moving.make(config_map("a"))
    resource = moving.world.of("ConfigMap")
    assert ("", "ConfigMap") not in SYNC
    version = moving.store.version
    look(moving.world, key_of(resource, made))
    assert moving.store.version == version


def test_time_passes_as_fast_as_one_wants(moving: Moving) -> None:
    fast = World(moving.store, moving.cluster.registry, 50.0, (), clock=lambda: 2.0)
    assert fast.now() == 100.0
    made = moving.make(config_map("a"))
    fast.after(10, fast.of("ConfigMap"), made)
    assert fast.patience() == pytest.approx(0.2)
