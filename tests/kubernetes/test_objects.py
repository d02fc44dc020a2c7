"""Creating, reading, replacing and listing objects, and what is refused."""

import re
from base64 import b64encode
from datetime import datetime

import pytest

from tests.kubernetes.asking import Api, Object, ok, refused
from tests.kubernetes.objects import config_map, container, deployment, labelled, secret, service

pytestmark = pytest.mark.api

STALE = (
    "the object has been modified; please apply your changes to the latest version and try again"
)


async def test_a_namespace(api: Api) -> None:
    namespace = await api.read("Namespace", api.namespace)
    assert namespace["metadata"]["labels"] == {"kubernetes.io/metadata.name": api.namespace}
    assert namespace["spec"] == {"finalizers": ["kubernetes"]}
    assert namespace["status"] == {"phase": "Active"}
    answer = await api.http.get("/api/v1/namespaces", params={"limit": "500"})
    assert api.namespace in {item["metadata"]["name"] for item in ok(answer)["items"]}


async def test_a_missing_namespace(api: Api) -> None:
    answer = await api.http.post("/api/v1/namespaces/nope/configmaps", json=config_map("a"))
    body = refused(answer, 404, "NotFound")
    assert body["message"] == 'namespaces "nope" not found'
    assert body["details"] == {"name": "nope", "kind": "namespaces"}


async def test_what_the_server_adds(api: Api) -> None:
    made = await api.made(config_map("a", key="value"))
    metadata = made["metadata"]
    assert {key: metadata[key] for key in ("name", "namespace")} == {
        "name": "a",
        "namespace": api.namespace,
    }
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert metadata["resourceVersion"].isdigit()
    assert datetime.strptime(metadata["creationTimestamp"], "%Y-%m-%dT%H:%M:%S%z")
    assert "generation" not in metadata
    assert made["data"] == {"key": "value"}
    assert await api.read("ConfigMap", "a") == made


async def test_who_wrote_it(api: Api) -> None:
    made = await api.made(config_map("a", key="value"))
    (entry,) = made["metadata"]["managedFields"]
    assert datetime.strptime(entry.pop("time"), "%Y-%m-%dT%H:%M:%S%z")
    assert entry == {
        "manager": "tests",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {".": {}, "f:key": {}}},
    }


async def test_a_name_that_is_taken(api: Api) -> None:
    await api.made(config_map("a"))
    body = refused(await api.create(config_map("a")), 409, "AlreadyExists")
    assert body["message"] == 'configmaps "a" already exists'
    assert body["details"] == {"name": "a", "kind": "configmaps"}


async def test_a_name_that_nothing_has(api: Api) -> None:
    body = refused(await api.get("Deployment", "a"), 404, "NotFound")
    assert body["message"] == 'deployments.apps "a" not found'
    assert body["details"] == {"name": "a", "group": "apps", "kind": "deployments"}
    for answer in (
        await api.delete("Deployment", "a"),
        await api.put({**deployment("a")}),
        await api.patch("Deployment", "a", body={}),
    ):
        refused(answer, 404, "NotFound")


async def test_a_name_that_the_server_makes(api: Api) -> None:
    obj = {**config_map("-"), "metadata": {"generateName": "made-"}}
    first, second = await api.made(obj), await api.made(obj)
    names = {first["metadata"]["name"], second["metadata"]["name"]}
    assert len(names) == 2
    assert all(re.fullmatch(r"made-[bcdfghjklmnpqrstvwxz2456789]{5}", name) for name in names)


async def test_no_name(api: Api) -> None:
    body = refused(await api.create({**config_map("-"), "metadata": {}}), 422, "Invalid")
    why = "Required value: name or generateName is required"
    assert body["message"] == f'ConfigMap "" is invalid: metadata.name: {why}'
    assert body["details"]["causes"] == [
        {"reason": "FieldValueRequired", "message": why, "field": "metadata.name"}
    ]


async def test_a_body_of_another_namespace(api: Api) -> None:
    obj = {**config_map("a"), "metadata": {"name": "a", "namespace": "default"}}
    body = refused(await api.create(obj), 400, "BadRequest")
    assert body["message"] == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )


async def test_a_body_of_another_kind(api: Api) -> None:
    answer = await api.http.post(api.path("ConfigMap"), json=secret("a"))
    body = refused(answer, 400, "BadRequest")
    assert "cannot be handled as a ConfigMap" in body["message"]


async def test_a_body_of_another_name(api: Api) -> None:
    await api.made(config_map("a"))
    body = refused(await api.put(config_map("b"), "a"), 400, "BadRequest")
    assert body["message"] == ("the name of the object (b) does not match the name on the URL (a)")


async def test_a_body_that_is_no_json(api: Api) -> None:
    answer = await api.http.post(
        api.path("ConfigMap"), content=b"{", headers={"Content-Type": "application/json"}
    )
    refused(answer, 400, "BadRequest")


async def test_a_body_of_an_unknown_type(api: Api) -> None:
    answer = await api.http.post(
        api.path("ConfigMap"), content=b"a", headers={"Content-Type": "text/plain"}
    )
    body = refused(answer, 415, "UnsupportedMediaType")
    assert body["message"].startswith("the body of the request was in an unknown format")


async def test_a_body_of_yaml(api: Api) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  key: value\n"
    answer = await api.http.post(
        api.path("ConfigMap"), content=text, headers={"Content-Type": "application/yaml"}
    )
    assert ok(answer, 201)["data"] == {"key": "value"}


async def test_replacing(api: Api) -> None:
    first = await api.made(config_map("a", old="1"))
    second = ok(await api.put({**first, "data": {"new": "2"}}))
    assert second["data"] == {"new": "2"}
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    body = refused(await api.put({**first, "data": {}}), 409, "Conflict")
    assert body["message"] == f'Operation cannot be fulfilled on configmaps "a": {STALE}'
    assert body["details"] == {"name": "a", "kind": "configmaps"}
    third = ok(await api.put(config_map("a", newest="3")))
    assert third["data"] == {"newest": "3"}


async def test_a_change_of_nothing(api: Api) -> None:
    made = await api.made(config_map("a", key="value"))
    again = ok(await api.put(config_map("a", key="value")))
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_generation_counts_changes_of_the_spec(api: Api) -> None:
    made = await api.made(deployment("a", replicas=0))
    assert made["metadata"]["generation"] == 1
    named = await api.patch("Deployment", "a", body={"metadata": {"labels": {"a": "b"}}})
    assert ok(named)["metadata"]["generation"] == 1
    changed = await api.patch("Deployment", "a", body={"spec": {"minReadySeconds": 1}})
    assert ok(changed)["metadata"]["generation"] == 2


async def test_a_status_is_not_written_with_the_rest(api: Api) -> None:
    obj = {**service("a"), "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    made = await api.made(obj)
    assert made["status"] == {"loadBalancer": {}}


async def test_a_scale(api: Api) -> None:
    made = await api.made(deployment("a", replicas=0))
    scale = await api.read("Deployment", "a", "scale")
    assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
    assert scale["metadata"]["uid"] == made["metadata"]["uid"]
    assert scale["spec"] == {}
    assert scale["status"]["selector"] == "app=a"
    answer = await api.patch("Deployment", "a", "scale", body={"spec": {"replicas": 2}})
    assert ok(answer)["spec"] == {"replicas": 2}
    live = await api.read("Deployment", "a")
    assert (live["spec"]["replicas"], live["metadata"]["generation"]) == (2, 2)


async def test_a_list(api: Api) -> None:
    for name in ("c", "a", "b"):
        await api.made(secret(name))
    listed = await api.read("Secret")
    assert (listed["apiVersion"], listed["kind"]) == ("v1", "SecretList")
    assert listed["metadata"]["resourceVersion"].isdigit()
    assert [item["metadata"]["name"] for item in listed["items"]] == ["a", "b", "c"]
    assert all("kind" not in item and "apiVersion" not in item for item in listed["items"])


async def test_a_list_of_all_namespaces(api: Api) -> None:
    await api.made(labelled(secret("a"), run=api.namespace))
    answer = await api.http.get("/api/v1/secrets", params={"labelSelector": f"run={api.namespace}"})
    (found,) = ok(answer)["items"]
    assert found["metadata"]["namespace"] == api.namespace


async def test_pages(api: Api) -> None:
    for name in "abcde":
        await api.made(secret(name))
    pages: list[list[str]] = []
    left: list[int | None] = []
    versions = set()
    query = {"limit": "2"}
    while True:
        page = await api.read("Secret", **query)
        pages.append([item["metadata"]["name"] for item in page["items"]])
        left.append(page["metadata"].get("remainingItemCount"))
        versions.add(page["metadata"]["resourceVersion"])
        if not page["metadata"].get("continue"):
            break
        query["continue"] = page["metadata"]["continue"]
    assert pages == [["a", "b"], ["c", "d"], ["e"]]
    assert left == [3, 1, None]
    assert len(versions) == 1


async def test_a_page_that_nobody_began(api: Api) -> None:
    refused(await api.get("Secret", **{"limit": "1", "continue": "x"}), 400, "BadRequest")


async def test_a_dry_run(api: Api) -> None:
    made = await api.made(config_map("a"), dryRun="All")
    assert made["metadata"]["uid"]
    assert "resourceVersion" not in made["metadata"]
    refused(await api.get("ConfigMap", "a"), 404, "NotFound")
    await api.made(config_map("a", key="1"))
    changed = await api.patch("ConfigMap", "a", body={"data": {"key": "2"}}, dryRun="All")
    assert ok(changed)["data"] == {"key": "2"}
    ok(await api.delete("ConfigMap", "a", dryRun="All"))
    assert (await api.read("ConfigMap", "a"))["data"] == {"key": "1"}
    bad = {"kind": "Deployment", "spec": {"replicas": -1}}
    refused(await api.create(deployment("b", **bad["spec"]), dryRun="All"), 422, "Invalid")
    assert (await api.create(config_map("c"), dryRun="Some")).status_code in (400, 422)


async def test_unknown_fields(api: Api) -> None:
    obj = deployment("a", replicas=0, replicsa=1)
    strict = refused(await api.create(obj, fieldValidation="Strict"), 400, "BadRequest")
    assert 'strict decoding error: unknown field "spec.replicsa"' in strict["message"]
    warned = await api.create(obj, fieldValidation="Warn")
    assert "replicsa" not in ok(warned, 201)["spec"]
    assert warned.headers["warning"] == '299 - "unknown field \\"spec.replicsa\\""'
    ignored = await api.patch("Deployment", "a", body={"spec": {"x": 1}}, fieldValidation="Ignore")
    assert "x" not in ok(ignored)["spec"]
    assert "warning" not in ignored.headers


async def test_wrong_types_are_always_refused(api: Api) -> None:
    for level in ("Ignore", "Warn", "Strict"):
        answer = await api.create(deployment("a", replicas="two"), fieldValidation=level)
        body = refused(answer, 400, "BadRequest")
        assert "cannot be handled as a Deployment" in body["message"]


async def test_quantities_are_written_in_one_way(api: Api) -> None:
    limits = {"cpu": "1000m", "memory": "1024Mi", "ephemeral-storage": "1.5Gi"}
    requests = {"cpu": "0.5", "memory": "1e3"}
    made = await api.made(
        deployment("a", container(resources={"limits": limits, "requests": requests}), replicas=0)
    )
    resources = made["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert resources == {
        "limits": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1536Mi"},
        "requests": {"cpu": "500m", "memory": "1e3"},
    }


async def test_string_data(api: Api) -> None:
    made = await api.made(secret("a", stringData={"key": "value"}))
    assert made["type"] == "Opaque"
    assert made["data"] == {"key": b64encode(b"value").decode()}
    assert "stringData" not in made


DEFAULTED: Object = {
    "replicas": 1,
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
    "strategy": {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    },
    "selector": {"matchLabels": {"app": "a"}},
    "template": {
        "metadata": {"labels": {"app": "a"}},
        "spec": {
            "containers": [
                {
                    "name": "web",
                    "image": "registry.example.test/web",
                    "imagePullPolicy": "Always",
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }
            ],
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        },
    },
}


async def test_defaults_of_a_deployment(api: Api) -> None:
    web = container("registry.example.test/web", ports=[{"containerPort": 80}])
    made = await api.made(deployment("a", web), dryRun="All")
    # The template's metadata may carry an empty creationTimestamp in older versions.
    made["spec"]["template"]["metadata"].pop("creationTimestamp", None)
    assert made["spec"] == DEFAULTED


async def test_defaults_of_a_service(api: Api) -> None:
    made = (await api.made(service("a")))["spec"]
    address = made.pop("clusterIP")
    assert re.fullmatch(r"\d+\.\d+\.\d+\.\d+", address)
    assert made == {
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "selector": {"app": "a"},
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    headless = (await api.made(service("b", clusterIP="None")))["spec"]
    assert (headless["clusterIP"], headless["clusterIPs"]) == ("None", ["None"])


async def test_a_port_on_the_nodes(api: Api) -> None:
    made = (await api.made(service("a", type="NodePort")))["spec"]
    assert made["externalTrafficPolicy"] == "Cluster"
    assert 30000 <= made["ports"][0]["nodePort"] <= 32767
    balanced = (await api.made(service("b", type="LoadBalancer")))["spec"]
    assert balanced["allocateLoadBalancerNodePorts"] is True
    assert 30000 <= balanced["ports"][0]["nodePort"] <= 32767
