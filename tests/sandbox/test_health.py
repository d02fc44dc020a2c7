"""What the sandbox cluster shows is judged by the rules that judge every cluster.

So what is well in it is found well, and each way to fail on purpose is found for what it is.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.health import Cause, Health, HealthState, health
from tests.kubernetes.asking import Api, Object
from tests.kubernetes.objects import (
    autoscaler,
    claim,
    config_map,
    container,
    cron_job,
    daemon_set,
    deployment,
    ingress,
    job,
    service,
    stateful_set,
)
from tests.kubernetes.sandbox import sandbox

NAMESPACE = "default"
RELATED = ("Pod", "ReplicaSet", "Job", "EndpointSlice", "StorageClass")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """A sandbox cluster of this test's own."""
    async with sandbox() as cluster, cluster.client() as http:
        yield Api(http, NAMESPACE)


async def judged(api: Api, kind: str, name: str, *, later: float = 0) -> Health:
    """The health of an object, so many seconds from now if nothing changes."""
    obj = await api.read(kind, name)
    related: list[Object] = []
    for each in RELATED:
        related += [{**item, "kind": each} for item in (await api.read(each))["items"]]
    events = (await api.read("Event"))["items"]
    now = datetime.now(UTC) + timedelta(seconds=later)
    return health(obj, now=now, related=related, events=events)


async def until(api: Api, kind: str, name: str, state: HealthState) -> Health:
    """Wait until an object is judged so: everything that matters to it writes its status."""
    found: list[Health] = []

    async def look() -> bool:
        found.append(await judged(api, kind, name))
        return found[-1].state is state

    listed = await api.read(kind)
    async with api.watch(kind, resourceVersion=listed["metadata"]["resourceVersion"]) as watch:
        while not await look():
            await watch.next()
    return found[-1]


async def pod_waits(api: Api, reason: str) -> Object:
    """The pod whose container waits for this reason."""

    def waits(pod: Object) -> bool:
        statuses = pod.get("status", {}).get("containerStatuses") or ()
        return any(each["state"].get("waiting", {}).get("reason") == reason for each in statuses)

    pods = await api.until_some("Pod", lambda pods: any(map(waits, pods)))
    return next(filter(waits, pods))


def causes(found: Health) -> list[tuple[str, str | None, int | None]]:
    return [(each.reason, each.container, each.exit_code) for each in found.causes]


def of(found: Health) -> Cause:
    return found.causes[0]


@pytest.mark.parametrize(
    "obj",
    [
        deployment("a", replicas=3),
        deployment("a", replicas=2, strategy={"type": "Recreate"}, minReadySeconds=1),
        deployment("a", replicas=0),
        stateful_set("a", replicas=2),
        stateful_set("a", replicas=3, podManagementPolicy="Parallel"),
        daemon_set("a"),
        job("a", completions=2),
        job("a", completions=2, completionMode="Indexed", parallelism=2),
        claim("a"),
        cron_job("a", "0 0 1 1 *"),
        service("a", type="LoadBalancer"),
        ingress("a"),
        config_map("a"),
    ],
    ids=lambda obj: obj["kind"],
)
async def test_what_works_is_healthy(api: Api, obj: Object) -> None:
    await api.made(obj)
    found = await until(api, obj["kind"], "a", HealthState.HEALTHY)
    assert found.causes == ()
    if found.desired is not None:
        assert found.ready == found.desired


async def test_a_new_version_is_healthy_in_the_end(api: Api) -> None:
    for obj in (deployment("a", replicas=2), stateful_set("b", replicas=2), daemon_set("c")):
        kind, name = obj["kind"], obj["metadata"]["name"]
        await api.made(obj)
        await until(api, kind, name, HealthState.HEALTHY)
        body = {"spec": {"template": {"spec": {"containers": [container("example.test/b")]}}}}
        await api.patch(kind, name, body=body)
        assert (await judged(api, kind, name)).state is HealthState.PENDING
        await until(api, kind, name, HealthState.HEALTHY)
        image = [
            pod["spec"]["containers"][0]["image"]
            for pod in (await api.read("Pod", labelSelector=f"app={name}"))["items"]
            if "deletionTimestamp" not in pod["metadata"]
        ]
        assert set(image) == {"example.test/b"}


async def test_an_autoscaler_is_healthy(api: Api) -> None:
    await api.made(deployment("a", replicas=1))
    metric = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    obj = autoscaler("a", "a", least=2)
    obj["spec"]["metrics"] = [{"type": "Resource", "resource": metric}]
    await api.made(obj)
    await until(api, "HorizontalPodAutoscaler", "a", HealthState.HEALTHY)
    live = await api.until("Deployment", "a", lambda obj: obj["status"].get("readyReplicas") == 2)
    assert live["spec"]["replicas"] == 2


async def test_an_autoscaler_without_metrics(api: Api) -> None:
    await api.made(deployment("a"))
    obj = autoscaler("a", "a")
    obj["metadata"]["annotations"] = {"sandbox/no-metrics": "true"}
    await api.made(obj)
    await api.until(
        "HorizontalPodAutoscaler", "a", lambda obj: len(obj["status"].get("conditions", ())) > 1
    )
    found = await judged(api, "HorizontalPodAutoscaler", "a", later=120)
    assert (found.state, found.reason) == (HealthState.ERROR, "FailedGetResourceMetric")
    assert found.advisory


@pytest.mark.parametrize(
    ("image", "waits", "reason", "code"),
    [
        ("example.test/crash:1", "CrashLoopBackOff", "CrashLoopBackOff", 1),
        ("example.test/oom:1", "CrashLoopBackOff", "OOMKilled", 137),
        ("example.test/missing:1", "ImagePullBackOff", "ImagePullBackOff", None),
    ],
)
async def test_what_fails_on_purpose(
    api: Api, image: str, waits: str, reason: str, code: int | None
) -> None:
    await api.made(deployment("a", container(image)))
    pod = await pod_waits(api, waits)
    found = await judged(api, "Deployment", "a")
    assert (found.state, found.reason) == (HealthState.DEGRADED, reason)
    assert causes(found) == [(reason, "web", code)]
    name = pod["metadata"]["name"]
    alone = await judged(api, "Pod", name)
    assert (alone.state, alone.reason) == (HealthState.ERROR, reason)


async def test_an_image_that_is_missing_says_what_to_do(api: Api) -> None:
    await api.made(deployment("a", container("example.test/missing:1")))
    await pod_waits(api, "ImagePullBackOff")
    cause = of(await judged(api, "Deployment", "a"))
    assert "cannot pull the image example.test/missing:1" in cause.message
    assert cause.hint == ("The registry has no such image or tag: correct the name or the tag.")


@pytest.mark.parametrize(
    ("web", "hint"),
    [
        (container("example.test/unschedulable:1"), "Add a toleration for the taint"),
        (
            container(resources={"requests": {"memory": "1Ti"}}),
            "Lower the requests under resources",
        ),
    ],
)
async def test_what_fits_nowhere(api: Api, web: Object, hint: str) -> None:
    await api.made(deployment("a", web))
    await api.until_some(
        "Pod", lambda pods: any(pod.get("status", {}).get("conditions") for pod in pods)
    )
    found = await judged(api, "Deployment", "a", later=20)
    assert causes(found) == [("Unschedulable", None, None)]
    assert of(found).hint.startswith(hint)


async def test_what_is_refused(api: Api) -> None:
    obj = deployment("a")
    obj["spec"]["template"]["metadata"]["annotations"] = {"sandbox/fail": "quota"}
    await api.made(obj)

    def has_failed(found: Object) -> bool:
        conditions = found.get("status", {}).get("conditions") or ()
        return any(each["type"] == "ReplicaFailure" for each in conditions)

    await api.until("Deployment", "a", has_failed)
    cause = of(await judged(api, "Deployment", "a"))
    assert "quota" in cause.message


async def test_a_secret_that_comes_late(api: Api) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late"}}
    reference = {"secretKeyRef": {"name": "late", "key": "password"}}
    env = [{"name": "PASSWORD", "valueFrom": reference}]
    await api.made(deployment("a", container(env=env)))
    await pod_waits(api, "CreateContainerConfigError")
    cause = of(await judged(api, "Deployment", "a"))
    assert (cause.reason, cause.fatal) == ("CreateContainerConfigError", False)
    assert of(await judged(api, "Deployment", "a", later=20)).fatal
    await api.made({**secret, "data": {"other": "MQ=="}})
    await pod_waits(api, "CreateContainerConfigError")
    await api.patch("Secret", "late", body={"data": {"password": "MQ=="}})
    await until(api, "Deployment", "a", HealthState.HEALTHY)


async def test_a_job_that_fails(api: Api) -> None:
    await api.made(job("a", container("example.test/crash:1"), backoffLimit=1))
    found = await until(api, "Job", "a", HealthState.ERROR)
    assert found.reason == "BackoffLimitExceeded"
    live = await api.read("Job", "a")
    assert live["status"]["failed"] == 2


async def test_a_job_that_takes_too_long(api: Api) -> None:
    obj = job("a", container("example.test/missing:1"), activeDeadlineSeconds=5)
    await api.made(obj)
    found = await until(api, "Job", "a", HealthState.ERROR)
    assert found.reason == "DeadlineExceeded"
    await api.until_some("Pod", lambda pods: not pods)


async def test_a_job_that_is_over_goes(api: Api) -> None:
    await api.made(job("a", ttlSecondsAfterFinished=5))
    await api.until("Job", "a", lambda obj: bool(obj["status"].get("completionTime")))
    await api.until_gone("Job", "a")
    await api.until_some("Pod", lambda pods: not pods)


async def test_readiness_that_never_comes(api: Api) -> None:
    obj = deployment("a", progressDeadlineSeconds=20)
    obj["spec"]["template"]["metadata"]["annotations"] = {"sandbox/fail": "readiness"}
    await api.made(obj)
    found = await until(api, "Deployment", "a", HealthState.ERROR)
    assert found.reason == "ProgressDeadlineExceeded"
    late = await judged(api, "Deployment", "a", later=100)
    assert causes(late) == [("NotReady", "web", None)]


async def test_a_volume_for_the_first_pod(api: Api) -> None:
    await api.made(claim("a", storageClassName="standard-late"))
    await api.until_some(
        "Event", lambda events: any(e["reason"] == "WaitForFirstConsumer" for e in events)
    )
    found = await judged(api, "PersistentVolumeClaim", "a")
    assert (found.state, found.reason) == (HealthState.PENDING, "WaitForFirstConsumer")
    assert found.advisory
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "a"}}
    obj = deployment("a")
    obj["spec"]["template"]["spec"]["volumes"] = [volume]
    await api.made(obj)
    await until(api, "Deployment", "a", HealthState.HEALTHY)
    await until(api, "PersistentVolumeClaim", "a", HealthState.HEALTHY)


async def test_a_claim_in_use_stays(api: Api) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "a"}}
    obj = deployment("a")
    obj["spec"]["template"]["spec"]["volumes"] = [volume]
    await api.made(claim("a"))
    await api.made(obj)
    await until(api, "Deployment", "a", HealthState.HEALTHY)
    await api.delete("PersistentVolumeClaim", "a")
    found = await judged(api, "PersistentVolumeClaim", "a")
    assert found.state is HealthState.TERMINATING
    await api.delete("Deployment", "a", propagationPolicy="Background")
    await api.until_gone("PersistentVolumeClaim", "a")


async def test_no_address_where_none_is_wanted(api: Api) -> None:
    for obj in (service("a", type="LoadBalancer"), ingress("a")):
        obj["metadata"]["annotations"] = {"sandbox/no-address": "true"}
        await api.made(obj)
    await api.made(service("b", type="LoadBalancer"))
    await until(api, "Service", "b", HealthState.HEALTHY)
    for kind in ("Service", "Ingress"):
        found = await judged(api, kind, "a")
        assert found.state is HealthState.PENDING
        assert found.advisory


async def test_a_stateful_set_is_updated_from_its_end(api: Api) -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    await api.made(stateful_set("a", replicas=2, updateStrategy=rolling))
    await until(api, "StatefulSet", "a", HealthState.HEALTHY)
    body = {"spec": {"template": {"spec": {"containers": [container("example.test/b")]}}}}
    await api.patch("StatefulSet", "a", body=body)
    live = await api.until(
        "StatefulSet", "a", lambda obj: obj["status"].get("updatedReplicas") == 1
    )
    await until(api, "StatefulSet", "a", HealthState.HEALTHY)
    assert live["status"]["currentRevision"] != live["status"]["updateRevision"]
    images = {
        pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"]
        for pod in (await api.read("Pod"))["items"]
    }
    assert images["a-1"] == "example.test/b"
    assert images["a-0"] != "example.test/b"


async def test_a_cron_job_fires(api: Api) -> None:
    await api.made(cron_job("a", "@every 1s", successfulJobsHistoryLimit=1))
    live = await api.until("CronJob", "a", lambda obj: "lastScheduleTime" in obj.get("status", {}))
    jobs = await api.until_some("Job", lambda jobs: len(jobs) >= 1)
    assert jobs[0]["metadata"]["ownerReferences"][0]["uid"] == live["metadata"]["uid"]
