"""What is found out about a cluster, and what stays unknown."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from app.domain.cluster import ClusterMetadata, Permission
from app.domain.errors import ClusterError, ClusterFault
from app.kube.client import KubeClient
from app.kube.discovery import Version, check, discover, permissions
from app.kube.platforms import Traces, guess
from tests.kube.serving import Server

Open = Callable[..., Awaitable[KubeClient]]
SELF = "POST /apis/authentication.k8s.io/v1/selfsubjectreviews"
MAY = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
ANONYMOUS = 'forbidden: User "system:anonymous" cannot get path "/version"'


def listed(*items: Any, **head: Any) -> dict[str, Any]:
    return {"kind": "List", "metadata": {"resourceVersion": "1", **head}, "items": list(items)}


def named(name: str, **head: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **head}}


def user(name: str) -> dict[str, Any]:
    return {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": name}}}


async def fault(call: Awaitable[object]) -> ClusterFault:
    with pytest.raises(ClusterError) as failed:
        await call
    return failed.value.fault


@pytest.fixture(autouse=True)
def version(server: Server) -> None:
    server.answers("GET /version", {"gitVersion": "v1.36.2"})


async def test_a_cluster_that_knows_us(server: Server, connect: Open) -> None:
    server.answers(SELF, user("alice"), status=201)

    assert await check(await connect()) == Version("v1.36.2", "alice")
    assert server.asked[1].json["kind"] == "SelfSubjectReview"


async def test_a_version_proves_nothing(server: Server, connect: Open) -> None:
    """Many clusters tell it to everybody, and take credentials they do not see for none."""
    client = await connect()

    server.answers(SELF, user("system:anonymous"), status=201)
    assert await fault(check(client)) is ClusterFault.UNAUTHORIZED
    server.refuses(SELF, 403, ANONYMOUS)
    assert await fault(check(client)) is ClusterFault.UNAUTHORIZED
    server.refuses(SELF, 401, "Unauthorized")
    assert await fault(check(client)) is ClusterFault.UNAUTHORIZED
    server.refuses("GET /version", 403, ANONYMOUS)
    assert await fault(check(client)) is ClusterFault.UNAUTHORIZED


async def test_a_cluster_that_does_not_say_who_we_are(server: Server, connect: Open) -> None:
    client = await connect()

    server.refuses(SELF, 403, 'User "alice" cannot create selfsubjectreviews')
    assert await check(client) == Version("v1.36.2", None)
    del server.routes[SELF]  # before Kubernetes 1.28
    server.answers(MAY, {"status": {"allowed": False}}, status=201)
    assert await check(client) == Version("v1.36.2", None)
    server.refuses(MAY, 403, ANONYMOUS)
    assert await fault(check(client)) is ClusterFault.UNAUTHORIZED
    server.refuses(MAY, 403, 'User "alice" cannot')
    assert await check(client) == Version("v1.36.2", None)


@pytest.mark.parametrize("body", [{}, {"gitVersion": 7}, {"gitVersion": "a\nb"}, {"major": "1"}])
async def test_what_is_no_kubernetes(server: Server, connect: Open, body: dict[str, Any]) -> None:
    server.answers("GET /version", body)

    assert await fault(check(await connect())) is ClusterFault.NOT_KUBERNETES


async def test_nothing_of_the_kind(server: Server, connect: Open) -> None:
    del server.routes["GET /version"]

    assert await fault(check(await connect())) is ClusterFault.NOT_KUBERNETES


async def test_a_check_has_one_deadline(server: Server, connect: Open) -> None:
    """For both of its questions, and without another try."""
    ended = asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        await ended.wait()
        return web.json_response({})

    server.routes[SELF] = wait
    client = await connect()
    began = asyncio.get_running_loop().time()

    assert await fault(check(client, seconds=0.3)) is ClusterFault.TIMED_OUT
    ended.set()

    assert asyncio.get_running_loop().time() - began < 2
    server.refuses("GET /version", 503)
    server.asked.clear()
    assert await fault(check(client)) is ClusterFault.UNAVAILABLE
    assert len(server.asked) == 1


async def test_what_is_found(server: Server, connect: Open) -> None:
    server.answers("GET /version", {"gitVersion": "v1.36.2+k3s1"})
    node = {**named("a", labels={"x": "y"}), "spec": {"providerID": "k3s://a"}}
    server.answers("GET /api/v1/nodes", listed(node, remainingItemCount=41))
    server.answers("GET /api/v1/namespaces", listed(named("kube-system"), named("default")))
    groups = [
        {"name": "metrics.k8s.io", "versions": [{"groupVersion": "metrics.k8s.io/v1beta1"}]},
        {"name": "autoscaling", "versions": [{"groupVersion": "autoscaling/v2"}]},
        {"name": "networking.k8s.io", "versions": [{"groupVersion": "networking.k8s.io/v1"}]},
        {"name": "crd.projectcalico.org", "versions": []},
        {"name": "unknown.example", "versions": [{"groupVersion": "unknown.example/v1"}]},
    ]
    server.answers("GET /apis", {"kind": "APIGroupList", "groups": groups})
    default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    other = {"storageclass.kubernetes.io/is-default-class": "false"}
    server.answers(
        "GET /apis/networking.k8s.io/v1/ingressclasses",
        listed(named("nginx", annotations=default), named("traefik")),
    )
    server.answers(
        "GET /apis/storage.k8s.io/v1/storageclasses", listed(named("local", annotations=other))
    )

    assert await discover(await connect()) == ClusterMetadata(
        version="v1.36.2+k3s1",
        platform="k3s",
        node_count=42,
        namespaces=["default", "kube-system"],
        capabilities=[
            "autoscaling-v2",
            "default-ingress-class:nginx",
            "ingress-class:nginx",
            "ingress-class:traefik",
            "metrics",
            "network-policy",
            "network-policy:calico",
            "storage-class:local",
        ],
    )


@pytest.mark.parametrize("code", [403, 404, 500])
async def test_what_is_forbidden_is_unknown(server: Server, connect: Open, code: int) -> None:
    for route in (
        "GET /api/v1/nodes",
        "GET /api/v1/namespaces",
        "GET /apis",
        "GET /apis/networking.k8s.io/v1/ingressclasses",
        "GET /apis/storage.k8s.io/v1/storageclasses",
    ):
        server.refuses(route, code)

    assert await discover(await connect()) == ClusterMetadata(version="v1.36.2")


async def test_credentials_that_end_meanwhile(server: Server, connect: Open) -> None:
    server.refuses("GET /api/v1/nodes", 401)

    assert await fault(discover(await connect())) is ClusterFault.UNAUTHORIZED


async def test_nodes_are_counted_without_being_read(server: Server, connect: Open) -> None:
    """A server that does not say how many remain is asked for names only."""
    first = listed(named("a"), **{"continue": "x"})
    server.answers("GET /api/v1/nodes", first, first, listed(named("b"), named("c")))

    assert (await discover(await connect())).node_count == 3

    asked = [one for one in server.asked if one.path == "/api/v1/nodes"]
    assert ["PartialObjectMetadataList" in one.headers["Accept"] for one in asked] == [
        False,
        True,
        True,
    ]


async def test_answers_of_a_wrong_form(server: Server, connect: Open) -> None:
    server.answers("GET /api/v1/nodes", listed(7, {}, {"metadata": 7, "spec": 7}, named("a")))
    names = [named("a"), named("B!"), {"metadata": {"name": 7}}, named("x" * 300)]
    server.answers("GET /api/v1/namespaces", listed(*names))
    server.answers("GET /apis", {"groups": [7, {"versions": 7}, {"name": [], "versions": [7]}]})
    server.answers("GET /apis/networking.k8s.io/v1/ingressclasses", {"items": {}})
    server.answers("GET /apis/storage.k8s.io/v1/storageclasses", listed(named("a", annotations=[])))

    found = await discover(await connect())

    assert (found.node_count, found.namespaces) == (3, ["a"])
    assert found.capabilities == ["storage-class:a"]


async def test_what_is_found_is_bounded(server: Server, connect: Open) -> None:
    many = [named(f"n-{number}") for number in range(3_000)]
    server.answers("GET /api/v1/namespaces", listed(*many))
    server.answers("GET /apis/storage.k8s.io/v1/storageclasses", listed(*many))

    found = await discover(await connect())

    assert (len(found.namespaces), len(found.capabilities)) == (1_000, 50)


def may(*allowed: tuple[str, str, str]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Allows these: verb, resource, namespace."""

    async def answer(request: web.Request) -> web.Response:
        asked = (await request.json())["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (asked["resource"], asked.get("subresource"))))
        wanted = (asked["verb"], resource, asked.get("namespace", ""))
        return web.json_response({"status": {"allowed": wanted in allowed}}, status=201)

    return answer


async def test_permissions_are_asked_one_by_one(server: Server, connect: Open) -> None:
    server.routes[MAY] = may(("patch", "deployments", "a"), ("get", "pods", "b"))

    found = await permissions(await connect(), ["a", "b", "a"])

    assert [one for one in found if one.allowed] == [
        Permission(verb="patch", resource="deployments.apps", namespace="a", allowed=True),
        Permission(verb="get", resource="pods", namespace="b", allowed=True),
    ]
    assert len(found) == len(server.asked) == 2 * 82
    attributes = [one.json["spec"]["resourceAttributes"] for one in server.asked]
    assert {"verb": "get", "resource": "pods", "subresource": "log", "namespace": "a"} in attributes
    apps = {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "b"}
    assert apps in attributes


async def test_permissions_everywhere(server: Server, connect: Open) -> None:
    server.routes[MAY] = may(("create", "secrets", ""))

    found = await permissions(await connect())

    assert [one for one in found if one.allowed] == [
        Permission(verb="create", resource="secrets", allowed=True)
    ]
    assert all("namespace" not in one.json["spec"]["resourceAttributes"] for one in server.asked)


@pytest.mark.parametrize("code", [403, 404])
async def test_permissions_that_nobody_tells(server: Server, connect: Open, code: int) -> None:
    server.refuses(MAY, code)

    assert await permissions(await connect()) == []


async def test_permissions_of_nobody(server: Server, connect: Open) -> None:
    server.refuses(MAY, 401)

    assert await fault(permissions(await connect())) is ClusterFault.UNAUTHORIZED


@pytest.mark.parametrize(
    ("traces", "platform"),
    [
        (Traces("v1.36.2"), None),
        (Traces("v1.36.2+sandbox"), "sandbox"),
        (Traces("v1.36.2", labels=["minikube.k8s.io/name"]), "minikube"),
        (Traces("v1.36.2", providers=["kind://docker/kind/kind-control-plane"]), "kind"),
        (Traces("v1.36.2+k3s1", names=["k3d-mine-server-0"], providers=["k3s://x"]), "k3d"),
        (Traces("v1.36.2+k3s1", names=["mine"], providers=["k3s://mine"]), "k3s"),
        (Traces("v1.36.2+rke2r1"), "rke2"),
        (Traces("v1.36.2", labels=["microk8s.io/cluster"]), "microk8s"),
        (Traces("v1.36.2", names=["docker-desktop"]), "docker-desktop"),
        (Traces("v1.36.2-eks-1a2b3c"), "eks"),
        (
            Traces("v1.36.2", labels=["eks.amazonaws.com/nodegroup"], providers=["aws:///x"]),
            "eks",
        ),
        (Traces("v1.36.2-gke.100", providers=["gce://x"]), "gke"),
        (
            Traces("v1.36.2", labels=["kubernetes.azure.com/cluster"], providers=["azure:///x"]),
            "aks",
        ),
        (
            Traces("v1.36.2", labels=["node.openshift.io/os_id"], providers=["aws:///x"]),
            "openshift",
        ),
        (Traces("v1.36.2", providers=["aws:///x"]), "aws"),
    ],
)
def test_platforms(traces: Traces, platform: str | None) -> None:
    assert guess(traces) == platform
