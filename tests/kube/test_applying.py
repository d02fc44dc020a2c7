"""Server-side apply and deletion, as they go over the wire."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.domain.errors import ClusterError, ClusterFault, Invalid, StatusCause
from app.kube.applying import apply, delete, read
from app.kube.client import KubeClient
from tests.kube.serving import Server, status

Open = Callable[..., Awaitable[KubeClient]]
PATH = "/apis/apps/v1/namespaces/a/deployments/web"
WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "a"},
    "spec": {"replicas": 2},
}


@pytest.fixture(autouse=True)
def kinds(server: Server) -> None:
    """The kinds that the server knows."""
    verbs = ["get", "list", "patch"]
    deployments = {"name": "deployments", "kind": "Deployment", "namespaced": True, "verbs": verbs}
    status_of = {"name": "deployments/status", "kind": "Deployment", "namespaced": True}
    namespaces = {"name": "namespaces", "kind": "Namespace", "namespaced": False, "verbs": verbs}
    server.answers("GET /apis/apps/v1", {"resources": [deployments, status_of, 7, {}]})
    server.answers("GET /api/v1", {"resources": [namespaces]})


def asked(server: Server, method: str) -> list[tuple[str, dict[str, str], Any]]:
    return [
        (one.path, one.query, json.loads(one.body)) for one in server.asked if one.method == method
    ]


async def failure(call: Awaitable[object]) -> ClusterError:
    with pytest.raises(ClusterError) as failed:
        await call
    return failed.value


async def test_an_object_is_applied(server: Server, connect: Open) -> None:
    server.answers(f"PATCH {PATH}", {**WEB, "status": {}}, status=201, Warning='299 - "old"')
    client = await connect()

    applied = await apply(client, WEB)
    await apply(client, WEB, manager="other", force=True, dry_run=True)

    assert (applied.object, applied.created, applied.warnings) == (
        {**WEB, "status": {}},
        True,
        ["old"],
    )
    strict = {"fieldManager": "kubeorch", "force": "false", "fieldValidation": "Strict"}
    assert asked(server, "PATCH") == [
        (PATH, strict, WEB),
        (PATH, {**strict, "fieldManager": "other", "force": "true", "dryRun": "All"}, WEB),
    ]
    assert server.asked[1].headers["Content-Type"] == "application/apply-patch+yaml"
    assert [one.path for one in server.asked].count("/apis/apps/v1") == 1


async def test_an_object_without_a_namespace(server: Server, connect: Open) -> None:
    server.answers("PATCH /api/v1/namespaces/a", {"kind": "Namespace"})
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}

    assert not (await apply(await connect(), manifest)).created


async def test_a_kind_that_appears_later(server: Server, connect: Open) -> None:
    """A definition may have been applied a moment ago, so what is missing is looked up again."""
    thing = {"apiVersion": "x.io/v1", "kind": "Thing", "metadata": {"name": "t", "namespace": "a"}}
    client = await connect()

    failed = await failure(apply(client, thing))
    assert failed.fault is ClusterFault.NOT_FOUND
    assert "does not serve the kind Thing of x.io/v1" in failed.message
    assert await read(client, thing) is None

    listed = {"name": "things", "kind": "Thing", "namespaced": True}
    server.answers("GET /apis/x.io/v1", {"resources": [listed]})
    server.answers("PATCH /apis/x.io/v1/namespaces/a/things/t", thing)
    assert (await apply(client, thing)).object == thing


async def test_a_conflict_names_fields_and_owners(server: Server, connect: Open) -> None:
    cause = {
        "reason": "FieldManagerConflict",
        "message": 'conflict with "kubectl-edit" using apps/v1',
        "field": ".spec.replicas",
    }
    server.refuses(
        f"PATCH {PATH}", 409, "Apply failed", reason="Conflict", details={"causes": [cause]}
    )

    failed = await failure(apply(await connect(), WEB))

    assert failed.fault is ClusterFault.CONFLICT
    assert failed.causes == [
        StatusCause(
            "FieldManagerConflict",
            'conflict with "kubectl-edit" using apps/v1',
            "spec.replicas",
        )
    ]


async def test_what_is_gone_and_what_was_replaced(server: Server, connect: Open) -> None:
    server.answers(f"DELETE {PATH}", status(200, "") | {"status": "Success"})
    client = await connect()

    assert await delete(client, WEB, uid="u-1") is True
    server.refuses(f"DELETE {PATH}", 404)
    assert await delete(client, WEB, uid="u-1", propagation="Foreground") is False
    server.refuses(f"DELETE {PATH}", 409, "Precondition failed: UID in precondition: u-1")
    assert (await failure(delete(client, WEB, uid="u-1"))).fault is ClusterFault.CONFLICT

    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "u-1"}}
    assert [body for _, _, body in asked(server, "DELETE")] == [
        {**options, "propagationPolicy": "Background"},
        {**options, "propagationPolicy": "Foreground"},
        {**options, "propagationPolicy": "Background"},
    ]


async def test_what_is_there(server: Server, connect: Open) -> None:
    client = await connect()

    assert await read(client, WEB) is None
    server.answers(f"GET {PATH}", WEB)
    assert await read(client, WEB) == WEB


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"apiVersion": None}, "apiVersion"),
        ({"kind": 7}, "kind"),
        ({"metadata": None}, "metadata.name"),
        ({"metadata": {"name": "web"}}, "metadata.namespace"),
        ({"metadata": {"name": "../x", "namespace": "a"}}, "name"),
        ({"metadata": {"name": "x", "namespace": "a?b"}}, "namespace"),
        ({"apiVersion": "../v1"}, "apiVersion"),
    ],
)
async def test_manifests_that_name_nothing(
    server: Server, connect: Open, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await apply(await connect(), {**WEB, **change})

    assert refused.value.path == [field]
    assert asked(server, "PATCH") == []
