"""What controllers make of objects; pods become ready by the cluster's kubelet or by the test's."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from tests.kubernetes.asking import Api, Object, ok, refused
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.kubelet import playing
from tests.kubernetes.objects import (
    autoscaler,
    claim,
    container,
    deployment,
    job,
    service,
    stateful_set,
)

pytestmark = pytest.mark.controllers

Run = Callable[[], AbstractAsyncContextManager[None]]

REVISION = "deployment.kubernetes.io/revision"


def condition(obj: Object, type_: str) -> tuple[str, str] | None:
    """The status and the reason of a condition."""
    for each in obj.get("status", {}).get("conditions", ()):
        if each["type"] == type_:
            return each["status"], each.get("reason", "")
    return None


def is_rolled_out(obj: Object) -> bool:
    want, status = obj["spec"]["replicas"], obj.get("status", {})
    counted = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return (
        status.get("observedGeneration") == obj["metadata"]["generation"]
        and all(status.get(name, 0) == want for name in counted)
        and condition(obj, "Progressing") == ("True", "NewReplicaSetAvailable")
    )


def owner(obj: Object) -> tuple[str, str]:
    (reference,) = obj["metadata"]["ownerReferences"]
    assert reference["controller"] is True
    assert reference["blockOwnerDeletion"] is True
    return reference["kind"], reference["name"]


async def test_a_namespace_gets_an_account_and_a_certificate(api: Api) -> None:
    await api.until("ServiceAccount", "default", lambda _: True)
    found = await api.until("ConfigMap", "kube-root-ca.crt", lambda _: True)
    assert list(found["data"]) == ["ca.crt"]


async def test_a_deployment_becomes_available(api: Api, pods_run: Run) -> None:
    async with pods_run():
        made = await api.made(deployment("a", replicas=2))
        live = await api.until("Deployment", "a", is_rolled_out)
    assert live["metadata"]["annotations"] == {REVISION: "1"}
    assert condition(live, "Available") == ("True", "MinimumReplicasAvailable")
    assert "unavailableReplicas" not in live["status"]
    (set_,) = (await api.read("ReplicaSet"))["items"]
    hash_ = set_["metadata"]["labels"]["pod-template-hash"]
    assert set_["metadata"]["name"] == f"a-{hash_}"
    assert set_["metadata"]["labels"] == {"app": "a", "pod-template-hash": hash_}
    assert set_["metadata"]["annotations"][REVISION] == "1"
    assert owner(set_) == ("Deployment", "a")
    assert set_["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]
    assert set_["spec"]["selector"] == {"matchLabels": {"app": "a", "pod-template-hash": hash_}}
    pods = (await api.read("Pod", labelSelector=f"pod-template-hash={hash_}"))["items"]
    assert len(pods) == 2
    for pod in pods:
        assert owner(pod) == ("ReplicaSet", f"a-{hash_}")
        assert pod["metadata"]["generateName"] == f"a-{hash_}-"
        assert pod["metadata"]["labels"] == {"app": "a", "pod-template-hash": hash_}
    events = await api.read("Event", fieldSelector="involvedObject.kind=Deployment")
    assert {(each["type"], each["reason"]) for each in events["items"]} == {
        ("Normal", "ScalingReplicaSet")
    }


async def test_a_new_template_is_rolled_out(api: Api, pods_run: Run) -> None:
    async with pods_run():
        await api.made(deployment("a", replicas=2))
        await api.until("Deployment", "a", is_rolled_out)
        image = container("registry.k8s.io/pause:3.9")
        body = {"spec": {"template": {"spec": {"containers": [image]}}}}
        ok(await api.patch("Deployment", "a", body=body))
        live = await api.until(
            "Deployment",
            "a",
            lambda obj: obj["metadata"]["generation"] == 2 and is_rolled_out(obj),
        )
        assert live["metadata"]["annotations"][REVISION] == "2"
        sets = (await api.read("ReplicaSet"))["items"]
        assert {s["metadata"]["annotations"][REVISION]: s["spec"]["replicas"] for s in sets} == {
            "1": 0,
            "2": 2,
        }
        # Going back makes the old set the newest again.
        body["spec"]["template"]["spec"]["containers"] = [container()]
        ok(await api.patch("Deployment", "a", body=body))
        live = await api.until(
            "Deployment",
            "a",
            lambda obj: obj["metadata"]["generation"] == 3 and is_rolled_out(obj),
        )
    assert live["metadata"]["annotations"][REVISION] == "3"
    sets = (await api.read("ReplicaSet"))["items"]
    assert {s["metadata"]["annotations"][REVISION]: s["spec"]["replicas"] for s in sets} == {
        "2": 0,
        "3": 2,
    }


async def test_a_paused_deployment_makes_nothing(api: Api) -> None:
    await api.made(deployment("a", paused=True))
    live = await api.until("Deployment", "a", lambda obj: condition(obj, "Progressing") is not None)
    assert condition(live, "Progressing") == ("Unknown", "DeploymentPaused")
    assert (await api.read("ReplicaSet"))["items"] == []


async def test_a_deadline_passes(api: Api) -> None:
    """Nobody can run this image, and on a control plane without nodes nobody tries."""
    web = container("registry.example.test/missing:1")
    await api.made(deployment("a", web, progressDeadlineSeconds=1))
    live = await api.until(
        "Deployment",
        "a",
        lambda obj: condition(obj, "Progressing") == ("False", "ProgressDeadlineExceeded"),
    )
    assert condition(live, "Available") == ("False", "MinimumReplicasUnavailable")
    assert live["status"]["unavailableReplicas"] == 1
    (name,) = [s["metadata"]["name"] for s in (await api.read("ReplicaSet"))["items"]]
    (found,) = [c for c in live["status"]["conditions"] if c["type"] == "Progressing"]
    assert found["message"] == f'ReplicaSet "{name}" has timed out progressing.'


async def test_a_stateful_set_goes_in_order(api: Api, pods_run: Run) -> None:
    data = claim("data")
    template = {"metadata": {"name": "data"}, "spec": data["spec"]}
    since = (await api.read("Pod"))["metadata"]["resourceVersion"]
    async with pods_run(), api.watch("Pod", resourceVersion=since) as watch:
        await api.made(stateful_set("a", replicas=2, volumeClaimTemplates=[template]))
        ready: list[str] = []
        order = []
        while len(ready) < 2:
            type_, pod = await watch.next()
            name = pod["metadata"]["name"]
            if type_ == "ADDED":
                order.append(f"made {name}")
            elif (condition(pod, "Ready") or ("", ""))[0] == "True" and name not in ready:
                ready.append(name)
                order.append(f"ready {name}")
        live = await api.until(
            "StatefulSet", "a", lambda obj: obj["status"].get("readyReplicas") == 2
        )
    assert order == ["made a-0", "ready a-0", "made a-1", "ready a-1"]
    assert live["status"]["currentRevision"] == live["status"]["updateRevision"]
    assert live["status"]["currentReplicas"] == 2
    claims = (await api.read("PersistentVolumeClaim"))["items"]
    assert [each["metadata"]["name"] for each in claims] == ["data-a-0", "data-a-1"]
    assert claims[0]["metadata"]["labels"] == {"app": "a"}
    pod = await api.read("Pod", "a-1")
    assert owner(pod) == ("StatefulSet", "a")
    assert pod["metadata"]["labels"] == {
        "app": "a",
        "apps.kubernetes.io/pod-index": "1",
        "controller-revision-hash": live["status"]["updateRevision"],
        "statefulset.kubernetes.io/pod-name": "a-1",
    }
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "data-a-1"}} in (
        pod["spec"]["volumes"]
    )
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("a-1", "a")


async def test_a_job_is_done(cluster: Cluster, api: Api, pods_run: Run) -> None:
    async with pods_run() if cluster.has_kubelet else playing(api, exit_code=0):
        await api.made(job("a", completions=2, parallelism=2))
        live = await api.until("Job", "a", lambda obj: condition(obj, "Complete") is not None)
    status = live["status"]
    assert [(each["type"], each["status"]) for each in status["conditions"]] == [
        ("SuccessCriteriaMet", "True"),
        ("Complete", "True"),
    ]
    assert {each["reason"] for each in status["conditions"]} == {"CompletionsReached"}
    assert status["succeeded"] == 2
    assert status["startTime"] <= status["completionTime"]
    assert "active" not in status
    uid = live["metadata"]["uid"]
    (pod, _) = (await api.read("Pod", labelSelector="batch.kubernetes.io/job-name=a"))["items"]
    assert owner(pod) == ("Job", "a")
    assert pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"] == uid
    assert live["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}


async def test_a_job_that_cannot_be_done(cluster: Cluster, api: Api, pods_run: Run) -> None:
    async with pods_run() if cluster.has_kubelet else playing(api, exit_code=1):
        await api.made(job("a", container("registry.example.test/crash:1"), backoffLimit=0))
        live = await api.until("Job", "a", lambda obj: condition(obj, "Failed") is not None)
    assert [(each["type"], each["status"]) for each in live["status"]["conditions"]] == [
        ("FailureTarget", "True"),
        ("Failed", "True"),
    ]
    assert condition(live, "Failed") == ("True", "BackoffLimitExceeded")
    assert live["status"]["failed"] == 1
    (found,) = [c for c in live["status"]["conditions"] if c["type"] == "Failed"]
    assert found["message"] == "Job has reached the specified backoff limit"


async def test_a_suspended_job_makes_nothing(api: Api) -> None:
    await api.made(job("a", suspend=True))
    live = await api.until("Job", "a", lambda obj: condition(obj, "Suspended") is not None)
    assert condition(live, "Suspended") == ("True", "JobSuspended")
    assert (await api.read("Pod"))["items"] == []
    assert "startTime" not in live["status"]


async def test_a_service_finds_ready_pods(api: Api, pods_run: Run) -> None:
    await api.made(service("a"))
    async with pods_run():
        await api.made(deployment("a", replicas=2))
        await api.until("Deployment", "a", is_rolled_out)

        def are_found(slices: list[Object]) -> bool:
            return [len(s["endpoints"] or ()) for s in slices] == [2] if slices else False

        (slice_,) = await api.until_some("EndpointSlice", are_found)
    assert slice_["metadata"]["labels"]["kubernetes.io/service-name"] == "a"
    assert owner(slice_) == ("Service", "a")
    assert slice_["addressType"] == "IPv4"
    assert [(port["port"], port["protocol"]) for port in slice_["ports"]] == [(80, "TCP")]
    assert all(each["conditions"]["ready"] for each in slice_["endpoints"])
    assert {each["targetRef"]["kind"] for each in slice_["endpoints"]} == {"Pod"}


async def test_a_service_without_pods_has_an_empty_slice(api: Api) -> None:
    await api.made(service("a"))
    (slice_,) = await api.until_some("EndpointSlice", lambda slices: len(slices) == 1)
    assert not slice_["endpoints"]


async def test_an_autoscaler_finds_its_target(api: Api) -> None:
    await api.made(deployment("a", replicas=1))
    await api.made(autoscaler("a", "a"))
    live = await api.until(
        "HorizontalPodAutoscaler", "a", lambda obj: condition(obj, "ScalingActive") is not None
    )
    found = condition(live, "AbleToScale")
    assert found is not None
    assert found[0] == "True"
    assert live["status"]["currentReplicas"] == 1


async def test_an_autoscaler_owns_the_number_that_it_sets(api: Api) -> None:
    ok(await api.apply(deployment("a", replicas=1), "one"), 201)
    await api.made(autoscaler("a", "a", least=2))
    await api.until("Deployment", "a", lambda obj: obj["spec"]["replicas"] == 2)
    answer = await api.apply(deployment("a", replicas=1), "one")
    (cause,) = refused(answer, 409, "Conflict")["details"]["causes"]
    assert cause["field"] == ".spec.replicas"
    assert cause["message"].startswith('conflict with "kube-controller-manager"')
    unset = deployment("a")
    live = ok(await api.apply(unset, "one"))
    assert live["spec"]["replicas"] == 2


async def test_an_autoscaler_of_nothing(api: Api) -> None:
    await api.made(autoscaler("a", "nobody"))
    live = await api.until(
        "HorizontalPodAutoscaler", "a", lambda obj: condition(obj, "AbleToScale") is not None
    )
    assert condition(live, "AbleToScale") == ("False", "FailedGetScale")
