"""What cannot be changed once it is there, and how that is said: the words decide what is done.

Each change goes in by merge patch; the answer has the cause for each field.
"""

import secrets

import pytest

from tests.kubernetes.asking import Api, Object, ok, refused
from tests.kubernetes.objects import (
    claim,
    config_map,
    daemon_set,
    definition,
    deployment,
    job,
    pod,
    replica_set,
    secret,
    service,
    stateful_set,
)

pytestmark = pytest.mark.api

IMMUTABLE = "field is immutable"
OTHER = {
    "selector": {"matchLabels": {"app": "b"}},
    "template": {"metadata": {"labels": {"app": "b"}}},
}


CASES = {
    "a Deployment's selector": (
        deployment("a", replicas=0),
        {"spec": OTHER},
        ("FieldValueInvalid", "spec.selector", IMMUTABLE),
    ),
    "a ReplicaSet's selector": (
        replica_set("a", replicas=0),
        {"spec": OTHER},
        ("FieldValueInvalid", "spec.selector", IMMUTABLE),
    ),
    "a DaemonSet's selector": (
        daemon_set("a"),
        {"spec": OTHER},
        ("FieldValueInvalid", "spec.selector", IMMUTABLE),
    ),
    "a StatefulSet's service": (
        stateful_set("a", replicas=0),
        {"spec": {"serviceName": "b"}},
        (
            "FieldValueForbidden",
            "spec",
            "Forbidden: updates to statefulset spec for fields other than ",
        ),
    ),
    "a StatefulSet's way of making pods": (
        stateful_set("a", replicas=0),
        {"spec": {"podManagementPolicy": "Parallel"}},
        ("FieldValueForbidden", "spec", "Forbidden: updates to statefulset spec for fields other"),
    ),
    "a Job's template": (
        job("a", suspend=False),
        {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "b"}]}}}},
        ("FieldValueInvalid", "spec.template", IMMUTABLE),
    ),
    "a Job's completions": (
        job("a"),
        {"spec": {"completions": 5}},
        ("FieldValueInvalid", "spec.completions", IMMUTABLE),
    ),
    "a claim's class": (
        claim("a", storageClassName="one"),
        {"spec": {"storageClassName": "two"}},
        ("FieldValueForbidden", "spec", "Forbidden: spec is immutable after creation except "),
    ),
    "a claim's access modes": (
        claim("a"),
        {"spec": {"accessModes": ["ReadWriteMany"]}},
        ("FieldValueForbidden", "spec", "Forbidden: spec is immutable after creation except "),
    ),
    "a Service's address": (
        service("a"),
        {"spec": {"clusterIP": "None"}},
        ("FieldValueInvalid", "spec.clusterIPs[0]", "may not change once set"),
    ),
    "data of a ConfigMap": (
        {**config_map("a", key="1"), "immutable": True},
        {"data": {"key": "2"}},
        ("FieldValueForbidden", "data", "Forbidden: field is immutable when `immutable` is set"),
    ),
    "that a ConfigMap cannot be changed": (
        {**config_map("a", key="1"), "immutable": True},
        {"immutable": False},
        (
            "FieldValueForbidden",
            "immutable",
            "Forbidden: field is immutable when `immutable` is set",
        ),
    ),
    "data of a Secret": (
        secret("a", data={"key": "MQ=="}, immutable=True),
        {"data": {"key": "Mg=="}},
        ("FieldValueForbidden", "data", "Forbidden: field is immutable when `immutable` is set"),
    ),
    "a Secret's type": (
        secret("a"),
        {"type": "example.test/x"},
        ("FieldValueInvalid", "type", IMMUTABLE),
    ),
    "a role that is bound": (
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "a"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"},
        },
        {"roleRef": {"name": "b"}},
        ("FieldValueInvalid", "roleRef", "cannot change roleRef"),
    ),
    "a Pod": (
        pod("a"),
        {"spec": {"hostNetwork": True}},
        ("FieldValueForbidden", "spec", "Forbidden: pod updates may not change fields other than"),
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_in_a_namespace(api: Api, case: str) -> None:
    obj, change, (reason, field, says) = CASES[case]
    await api.made(obj)
    answer = await api.patch(obj["kind"], "a", body=change)
    body = refused(answer, 422, "Invalid")
    found = {(each["reason"], each["field"]): each["message"] for each in body["details"]["causes"]}
    assert (reason, field) in found
    assert says in found[reason, field]
    assert body["details"]["name"] == "a"
    assert body["details"]["kind"] == obj["kind"]


CLUSTER_WIDE = {
    "PriorityClass": (
        {"value": 5},
        {"value": 6},
        ("FieldValueForbidden", "value", "may not be changed in an update."),
    ),
    "StorageClass": (
        {"provisioner": "example.test/none"},
        {"provisioner": "example.test/other"},
        ("FieldValueForbidden", "provisioner", "updates to provisioner are forbidden"),
    ),
    "IngressClass": (
        {"spec": {"controller": "example.test/none"}},
        {"spec": {"controller": "example.test/other"}},
        ("FieldValueInvalid", "spec.controller", IMMUTABLE),
    ),
}
VERSIONS = {
    "StorageClass": "storage.k8s.io/v1",
    "IngressClass": "networking.k8s.io/v1",
    "PriorityClass": "scheduling.k8s.io/v1",
}


@pytest.mark.parametrize("kind", CLUSTER_WIDE)
async def test_of_the_whole_cluster(api: Api, kind: str) -> None:
    given, change, (reason, field, says) = CLUSTER_WIDE[kind]
    name = f"test-{secrets.token_hex(4)}"
    obj = {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": {"name": name}, **given}
    await api.made(obj)
    answer = await api.patch(kind, name, body=change)
    ok(await api.delete(kind, name))
    (cause,) = refused(answer, 422, "Invalid")["details"]["causes"]
    assert (cause["reason"], cause["field"]) == (reason, field)
    assert says in cause["message"]


async def test_the_scope_of_a_definition(api: Api) -> None:
    group = f"g{secrets.token_hex(4)}.example.test"
    obj = definition(group)
    name = obj["metadata"]["name"]
    await api.made(obj)

    def is_established(found: Object) -> bool:
        conditions = found.get("status", {}).get("conditions", ())
        return any((c["type"], c["status"]) == ("Established", "True") for c in conditions)

    await api.until("CustomResourceDefinition", name, is_established)
    answer = await api.patch("CustomResourceDefinition", name, body={"spec": {"scope": "Cluster"}})
    ok(await api.delete("CustomResourceDefinition", name))
    found = refused(answer, 422, "Invalid")["details"]["causes"]
    assert ("FieldValueInvalid", "spec.scope") in {(c["reason"], c["field"]) for c in found}


async def test_a_refused_change_leaves_the_object(api: Api) -> None:
    made = await api.made({**config_map("a", key="1"), "immutable": True})
    refused(await api.patch("ConfigMap", "a", body={"data": {"key": "2"}}), 422, "Invalid")
    assert await api.read("ConfigMap", "a") == made


async def test_what_can_be_changed(api: Api) -> None:
    """The fields that the messages leave out."""
    await api.made(stateful_set("a", replicas=0))
    changed = {"replicas": 1, "minReadySeconds": 1, "revisionHistoryLimit": 3}
    for field, value in changed.items():
        ok(await api.patch("StatefulSet", "a", body={"spec": {field: value}}))
    await api.made(job("b", parallelism=0))
    ok(await api.patch("Job", "b", body={"spec": {"parallelism": 1, "backoffLimit": 1}}))
    await api.made(service("c"))
    ok(await api.patch("Service", "c", body={"spec": {"selector": {"app": "d"}}}))
    ok(await api.patch("Service", "c", body={"spec": {"type": "NodePort"}}))
