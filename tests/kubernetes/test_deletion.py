"""Deleting: preconditions, finalizers, and what goes with its owner."""

import pytest

from tests.kubernetes.asking import Api, Object, ok, refused
from tests.kubernetes.objects import (
    claim,
    config_map,
    deployment,
    job,
    labelled,
    replica_set,
    secret,
)

HOLD = "example.test/hold"


def held(obj: Object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "finalizers": [HOLD]}}


def owned(obj: Object, *owners: Object, blocking: bool = False) -> Object:
    references = [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            **({"blockOwnerDeletion": True} if blocking else {}),
        }
        for owner in owners
    ]
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": references}}


@pytest.mark.api
async def test_answers_with_a_status(api: Api) -> None:
    made = await api.made(config_map("a"))
    assert ok(await api.delete("ConfigMap", "a")) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]},
    }
    refused(await api.get("ConfigMap", "a"), 404, "NotFound")


@pytest.mark.api
async def test_only_the_object_that_was_meant(api: Api) -> None:
    made = await api.made(config_map("a"))
    uid, version = made["metadata"]["uid"], made["metadata"]["resourceVersion"]
    other = "11111111-2222-4333-8444-555555555555"
    for field, wrong, word, right in (
        ("uid", other, "UID", uid),
        ("resourceVersion", "1", "ResourceVersion", version),
    ):
        answer = await api.delete("ConfigMap", "a", options={"preconditions": {field: wrong}})
        body = refused(answer, 409, "Conflict")
        # Here, and here alone, the kind stands where else the resource does.
        assert body["message"].startswith('Operation cannot be fulfilled on ConfigMap "a": ')
        assert f"the {word} in the precondition ({wrong})" in body["message"]
        assert f"does not match the {word} in record ({right})" in body["message"]
    ok(await api.delete("ConfigMap", "a", options={"preconditions": {"uid": uid}}))


@pytest.mark.api
async def test_waits_for_finalizers(api: Api) -> None:
    await api.made(held(config_map("a")))
    answer = ok(await api.delete("ConfigMap", "a"))
    assert answer["metadata"]["deletionTimestamp"]
    assert answer["metadata"]["deletionGracePeriodSeconds"] == 0
    more = {"metadata": {"finalizers": [HOLD, "example.test/more"]}}
    body = refused(await api.patch("ConfigMap", "a", body=more), 422, "Invalid")
    (cause,) = body["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldValueForbidden", "metadata.finalizers")
    ok(await api.patch("ConfigMap", "a", body={"metadata": {"finalizers": None}}))
    refused(await api.get("ConfigMap", "a"), 404, "NotFound")


@pytest.mark.api
async def test_several_by_label(api: Api) -> None:
    await api.made(labelled(secret("a"), tier="web"))
    await api.made(labelled(secret("b"), tier="web"))
    await api.made(secret("c"))
    ok(await api.delete("Secret", labelSelector="tier=web"))
    listed = await api.read("Secret")
    assert [item["metadata"]["name"] for item in listed["items"]] == ["c"]


@pytest.mark.api
async def test_a_claim_is_protected(api: Api) -> None:
    made = await api.made(claim("a"))
    assert made["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    assert made["status"] == {"phase": "Pending"}
    ok(await api.patch("PersistentVolumeClaim", "a", body={"metadata": {"finalizers": None}}))


@pytest.mark.controllers
async def test_a_claim_that_nobody_uses_goes(api: Api) -> None:
    await api.made(claim("a"))
    ok(await api.delete("PersistentVolumeClaim", "a"))
    await api.until_gone("PersistentVolumeClaim", "a")


@pytest.mark.controllers
async def test_what_is_owned_goes_with_its_last_owner(api: Api) -> None:
    one, two = await api.made(config_map("one")), await api.made(config_map("two"))
    await api.made(owned(secret("both"), one, two))
    await api.made(owned(secret("first"), one))
    ok(await api.delete("ConfigMap", "one", options={"propagationPolicy": "Background"}))
    await api.until_gone("Secret", "first")
    left = await api.until(
        "Secret", "both", lambda obj: len(obj["metadata"]["ownerReferences"]) == 1
    )
    assert left["metadata"]["ownerReferences"][0]["name"] == "two"
    ok(await api.delete("ConfigMap", "two"))
    await api.until_gone("Secret", "both")


@pytest.mark.controllers
async def test_an_owner_that_never_was(api: Api) -> None:
    ghost = config_map("ghost")
    ghost["metadata"]["uid"] = "11111111-2222-4333-8444-555555555555"
    await api.made(owned(secret("a"), ghost))
    await api.until_gone("Secret", "a")


@pytest.mark.controllers
async def test_in_the_foreground_the_owner_goes_last(api: Api) -> None:
    owner = await api.made(config_map("owner"))
    await api.made(held(owned(secret("held"), owner, blocking=True)))
    # A collector does not know at once what was just made.
    answer = ok(await api.delete("ConfigMap", "owner", options={"propagationPolicy": "Foreground"}))
    assert answer["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert answer["metadata"]["deletionTimestamp"]
    await api.until("Secret", "held", lambda obj: "deletionTimestamp" in obj["metadata"])
    assert (await api.read("ConfigMap", "owner"))["metadata"]["deletionTimestamp"]
    ok(await api.patch("Secret", "held", body={"metadata": {"finalizers": None}}))
    await api.until_gone("ConfigMap", "owner")


@pytest.mark.controllers
async def test_a_deployment_goes_after_its_pods(api: Api) -> None:
    await api.made(deployment("a", replicas=2))
    await api.until_some("Pod", lambda pods: len(pods) == 2)
    options = {"propagationPolicy": "Foreground"}
    ok(await api.delete("Deployment", "a", options=options))
    await api.until_gone("Deployment", "a")
    assert (await api.read("ReplicaSet"))["items"] == []
    assert (await api.read("Pod"))["items"] == []


@pytest.mark.controllers
async def test_orphans_stay(api: Api) -> None:
    owner = await api.made(config_map("owner"))
    await api.made(owned(secret("a"), owner))
    ok(await api.delete("ConfigMap", "owner", options={"propagationPolicy": "Orphan"}))
    await api.until_gone("ConfigMap", "owner")
    left = await api.read("Secret", "a")
    assert "ownerReferences" not in left["metadata"]


@pytest.mark.controllers
async def test_a_replica_set_takes_its_pods_along(api: Api) -> None:
    await api.made(replica_set("a", replicas=2))
    await api.until_some("Pod", lambda pods: len(pods) == 2)
    ok(await api.delete("ReplicaSet", "a", propagationPolicy="Background"))
    await api.until_some("Pod", lambda pods: not pods)


@pytest.mark.controllers
async def test_a_job_leaves_its_pods_unless_told(api: Api) -> None:
    await api.made(job("a"))
    await api.until_some("Pod", lambda pods: len(pods) == 1)
    answer = await api.delete("Job", "a")
    ok(answer)
    assert "child pods are preserved by default when jobs are deleted" in answer.headers["warning"]
    await api.until_gone("Job", "a")
    (left,) = (await api.read("Pod"))["items"]
    assert "ownerReferences" not in left["metadata"]
    assert "deletionTimestamp" not in left["metadata"]


@pytest.mark.controllers
async def test_a_namespace_that_goes_takes_nothing_in(api: Api) -> None:
    name = f"{api.namespace}-more"
    await api.made({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    within = Api(api.http, name)
    await within.made(held(config_map("held")))
    await within.made(secret("free"))
    await within.until("ServiceAccount", "default", lambda _: True)
    await within.made(deployment("a", replicas=2))
    await within.until_some("Pod", lambda pods: len(pods) == 2)
    answer = ok(await api.delete("Namespace", name))
    assert answer["status"]["phase"] == "Terminating"
    assert answer["metadata"]["deletionTimestamp"]
    body = refused(await within.create(config_map("new")), 403, "Forbidden")
    assert body["message"] == (
        f'configmaps "new" is forbidden: unable to create new content in namespace {name} '
        "because it is being terminated"
    )
    assert body["details"]["causes"] == [
        {
            "reason": "NamespaceTerminating",
            "message": f"namespace {name} is being terminated",
            "field": "metadata.namespace",
        }
    ]
    await within.until_gone("Secret", "free")
    await within.until_gone("Deployment", "a")
    await within.until_some("Pod", lambda pods: not pods)
    await within.until("ConfigMap", "held", lambda obj: "deletionTimestamp" in obj["metadata"])
    assert (await api.read("Namespace", name))["status"]["phase"] == "Terminating"
    ok(await within.patch("ConfigMap", "held", body={"metadata": {"finalizers": None}}))
    await api.until_gone("Namespace", name)
