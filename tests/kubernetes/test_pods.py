"""What nodes do: pods that run, end, fail, and what they say."""

from typing import Any

import pytest

from tests.kubernetes.asking import Api, Object, refused
from tests.kubernetes.objects import claim, config_map, container, daemon_set, deployment, pod

pytestmark = pytest.mark.pods


def state(obj: Object) -> Any:
    """The state of the only container."""
    statuses = obj.get("status", {}).get("containerStatuses") or [{"state": {}}]
    return statuses[0]["state"]


def waits_for(reason: str) -> Any:
    return lambda obj: state(obj).get("waiting", {}).get("reason") == reason


def is_ready(obj: Object) -> bool:
    conditions = obj.get("status", {}).get("conditions", ())
    return any((c["type"], c["status"]) == ("Ready", "True") for c in conditions)


async def test_a_pod_runs(api: Api) -> None:
    await api.made(pod("a"))
    live = await api.until("Pod", "a", is_ready)
    status = live["status"]
    assert status["phase"] == "Running"
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    assert status["podIP"] == status["podIPs"][0]["ip"]
    assert status["qosClass"] == "BestEffort"
    (web,) = status["containerStatuses"]
    assert (web["name"], web["ready"], web["started"], web["restartCount"]) == (
        "web",
        True,
        True,
        0,
    )
    assert list(web["state"]) == ["running"]
    assert live["spec"]["nodeName"]


async def test_a_pod_ends(api: Api) -> None:
    await api.made(pod("a", restartPolicy="Never", activeDeadlineSeconds=600))
    live = await api.until("Pod", "a", lambda obj: obj["status"]["phase"] == "Succeeded")
    ended = state(live)["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (0, "Completed")


async def test_a_pod_is_given_time_to_stop(api: Api) -> None:
    await api.made(pod("a", terminationGracePeriodSeconds=7))
    await api.until("Pod", "a", is_ready)
    answer = await api.delete("Pod", "a")
    assert answer.status_code == 200
    assert answer.json()["metadata"]["deletionGracePeriodSeconds"] == 7
    await api.until_gone("Pod", "a")


async def test_a_pod_that_crashes(api: Api) -> None:
    await api.made(pod("a", container("registry.example.test/crash:1")))
    live = await api.until("Pod", "a", waits_for("CrashLoopBackOff"))
    (web,) = live["status"]["containerStatuses"]
    assert web["restartCount"] >= 1
    assert web["lastState"]["terminated"]["exitCode"] == 1
    assert web["lastState"]["terminated"]["reason"] == "Error"
    assert web["state"]["waiting"]["message"].startswith("back-off ")
    assert (
        f"restarting failed container=web pod=a_{api.namespace}("
        in (web["state"]["waiting"]["message"])
    )


async def test_an_image_that_nobody_has(api: Api) -> None:
    image = "registry.example.test/missing:1"
    await api.made(pod("a", container(image)))
    live = await api.until("Pod", "a", waits_for("ImagePullBackOff"))
    assert live["status"]["phase"] == "Pending"
    assert state(live)["waiting"]["message"].startswith(f'Back-off pulling image "{image}"')


async def test_a_config_map_that_comes_late(api: Api) -> None:
    web = container(envFrom=[{"configMapRef": {"name": "late"}}])
    await api.made(pod("a", web))
    live = await api.until("Pod", "a", waits_for("CreateContainerConfigError"))
    assert state(live)["waiting"]["message"] == 'configmap "late" not found'
    await api.made(config_map("late"))
    await api.until("Pod", "a", is_ready)


async def test_a_pod_that_fits_nowhere(api: Api) -> None:
    web = container(resources={"requests": {"cpu": "1000"}})
    await api.made(pod("a", web))

    def is_unschedulable(obj: Object) -> bool:
        conditions = obj.get("status", {}).get("conditions", ())
        return any(c.get("reason") == "Unschedulable" for c in conditions)

    live = await api.until("Pod", "a", is_unschedulable)
    (found,) = live["status"]["conditions"]
    assert (found["type"], found["status"]) == ("PodScheduled", "False")
    assert found["message"].startswith("0/")
    assert "Insufficient cpu" in found["message"]


async def test_a_log(api: Api) -> None:
    await api.made(pod("a"))
    await api.until("Pod", "a", is_ready)
    answer = await api.get("Pod", "a", "log")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    body = refused(await api.get("Pod", "b", "log"), 404, "NotFound")
    assert body["message"] == 'pods "b" not found'
    body = refused(await api.get("Pod", "a", "log", container="x"), 400, "BadRequest")
    assert body["message"] == "container x is not valid for pod a"


async def test_a_log_of_what_has_not_begun(api: Api) -> None:
    await api.made(pod("a", container("registry.example.test/missing:1")))
    await api.until("Pod", "a", waits_for("ImagePullBackOff"))
    body = refused(await api.get("Pod", "a", "log"), 400, "BadRequest")
    assert body["message"] == (
        'container "web" in pod "a" is waiting to start: trying and failing to pull image'
    )


async def test_a_log_of_two(api: Api) -> None:
    await api.made(pod("a", container(), {"name": "side", "image": "registry.k8s.io/pause:3.10"}))
    await api.until("Pod", "a", is_ready)
    body = refused(await api.get("Pod", "a", "log"), 400, "BadRequest")
    assert body["message"] == (
        "a container name must be specified for pod a, choose one of: [web side]"
    )


async def test_a_daemon_set_runs_on_every_node(api: Api) -> None:
    await api.made(daemon_set("a"))
    nodes = (await api.http.get("/api/v1/nodes")).json()["items"]
    live = await api.until(
        "DaemonSet", "a", lambda obj: obj["status"].get("numberAvailable") == len(nodes)
    )
    assert live["status"]["desiredNumberScheduled"] == len(nodes)
    assert live["status"]["updatedNumberScheduled"] == len(nodes)


async def test_a_claim_is_bound(api: Api) -> None:
    mount = {"name": "data", "persistentVolumeClaim": {"claimName": "a"}}
    await api.made(claim("a"))
    await api.made(pod("a", volumes=[mount]))
    live = await api.until(
        "PersistentVolumeClaim", "a", lambda obj: obj["status"]["phase"] == "Bound"
    )
    assert live["status"]["capacity"] == {"storage": "1Gi"}
    assert live["status"]["accessModes"] == ["ReadWriteOnce"]
    assert live["spec"]["volumeName"].startswith("pvc-")
    await api.until("Pod", "a", is_ready)


async def test_one_pod_at_a_time(api: Api) -> None:
    """`Recreate` stops the old pods before it makes new ones."""
    await api.made(deployment("a", replicas=1, strategy={"type": "Recreate"}))
    (old,) = await api.until_some("Pod", lambda pods: len(pods) == 1 and is_ready(pods[0]))
    since = (await api.read("Pod"))["metadata"]["resourceVersion"]
    body = {"spec": {"template": {"spec": {"containers": [container("registry.k8s.io/pause:4")]}}}}
    async with api.watch("Pod", resourceVersion=since) as watch:
        await api.patch("Deployment", "a", body=body)
        seen = []
        while "ADDED" not in seen:
            type_, obj = await watch.next()
            if type_ != "MODIFIED":
                seen.append(type_)
            if type_ == "DELETED":
                assert obj["metadata"]["uid"] == old["metadata"]["uid"]
    assert seen == ["DELETED", "ADDED"]
