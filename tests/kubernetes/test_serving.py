"""What every client asks first: is it there, which version, which kinds."""

import pytest

from tests.kubernetes.asking import Api, ok, refused
from tests.kubernetes.clusters import Cluster

pytestmark = pytest.mark.api

KINDS = {
    "api/v1": {
        "pods": ("Pod", True),
        "services": ("Service", True),
        "configmaps": ("ConfigMap", True),
        "secrets": ("Secret", True),
        "namespaces": ("Namespace", False),
        "persistentvolumeclaims": ("PersistentVolumeClaim", True),
        "events": ("Event", True),
    },
    "apis/apps/v1": {
        "deployments": ("Deployment", True),
        "statefulsets": ("StatefulSet", True),
        "daemonsets": ("DaemonSet", True),
    },
    "apis/batch/v1": {"jobs": ("Job", True), "cronjobs": ("CronJob", True)},
    "apis/networking.k8s.io/v1": {
        "ingresses": ("Ingress", True),
        "networkpolicies": ("NetworkPolicy", True),
    },
    "apis/autoscaling/v2": {"horizontalpodautoscalers": ("HorizontalPodAutoscaler", True)},
    "apis/apiextensions.k8s.io/v1": {
        "customresourcedefinitions": ("CustomResourceDefinition", False)
    },
}


@pytest.mark.parametrize(
    "path",
    [
        "/version",
        "/api",
        "/apis",
        "/api/v1",
        "/apis/apps/v1",
        "/openapi/v2",
        "/openapi/v3",
        "/openapi/v3/apis/apps/v1",
        "/healthz",
        "/readyz",
        "/livez",
    ],
)
async def test_answers(api: Api, path: str) -> None:
    assert (await api.http.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez"])
async def test_is_well(api: Api, path: str) -> None:
    assert (await api.http.get(path)).text == "ok"


async def test_says_its_version(api: Api) -> None:
    version = ok(await api.http.get("/version"))
    assert version["gitVersion"].startswith(f"v{version['major']}.{version['minor']}.")


async def test_lists_versions_and_groups(api: Api) -> None:
    core = ok(await api.http.get("/api"))
    assert (core["kind"], core["versions"]) == ("APIVersions", ["v1"])
    groups = ok(await api.http.get("/apis"))
    assert groups["kind"] == "APIGroupList"
    apps = next(group for group in groups["groups"] if group["name"] == "apps")
    version = {"groupVersion": "apps/v1", "version": "v1"}
    assert apps == {"name": "apps", "versions": [version], "preferredVersion": version}
    assert ok(await api.http.get("/apis/apps")) == {"kind": "APIGroup", "apiVersion": "v1", **apps}


@pytest.mark.parametrize("path", KINDS)
async def test_lists_kinds(api: Api, path: str) -> None:
    listed = ok(await api.http.get(f"/{path}"))
    assert listed["kind"] == "APIResourceList"
    assert listed["groupVersion"] == path.partition("/")[2]
    found = {each["name"]: (each["kind"], each["namespaced"]) for each in listed["resources"]}
    assert {name: found.get(name) for name in KINDS[path]} == KINDS[path]


async def test_tells_what_a_kind_can_do(api: Api) -> None:
    listed = ok(await api.http.get("/apis/apps/v1"))["resources"]
    found = {each["name"]: each for each in listed}
    deployments = found["deployments"]
    assert deployments["singularName"] == "deployment"
    assert deployments["shortNames"] == ["deploy"]
    assert deployments["categories"] == ["all"]
    assert set(deployments["verbs"]) == {
        *("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
    }
    scale = found["deployments/scale"]
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")
    assert set(scale["verbs"]) == {"get", "patch", "update"}
    assert set(found["deployments/status"]["verbs"]) == {"get", "patch", "update"}


async def test_an_unknown_group_is_no_status(api: Api) -> None:
    answer = await api.http.get("/apis/nobody.example.test/v1/things")
    assert (answer.status_code, answer.text) == (404, "404 page not found\n")


async def test_an_unknown_kind(api: Api) -> None:
    answer = await api.http.get(f"/api/v1/namespaces/{api.namespace}/things")
    body = refused(answer, 404, "NotFound")
    assert body["message"] == "the server could not find the requested resource"


async def test_openapi_tells_how_a_kind_is_patched(api: Api) -> None:
    """kubectl looks here whether the server knows dry runs and validation."""
    index = ok(await api.http.get("/openapi/v3"))["paths"]
    document = ok(await api.http.get(index["apis/apps/v1"]["serverRelativeURL"]))
    patch = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {
        "group": "apps",
        "version": "v1",
        "kind": "Deployment",
    }
    names = {parameter.get("name") for parameter in patch["parameters"]}
    assert names >= {"dryRun", "fieldManager", "fieldValidation", "force"}


async def test_a_token_that_nobody_gave(cluster: Cluster, api: Api) -> None:
    async with cluster.client(token="wrong") as http:
        body = refused(await http.get(api.path("ConfigMap")), 401, "Unauthorized")
    assert body["message"] == "Unauthorized"


async def test_reviews_what_one_may_do(api: Api) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {
            "resourceAttributes": {
                "namespace": api.namespace,
                "verb": "create",
                "group": "apps",
                "resource": "deployments",
            }
        },
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = ok(await api.http.post(path, json=review), 201)
    assert answer["kind"] == "SelfSubjectAccessReview"
    assert answer["spec"] == review["spec"]
    assert answer["status"]["allowed"] is True
