"""Paths, and the names that would lead elsewhere."""

import pytest

from app.domain.errors import Invalid
from app.kube import paths


def test_paths_of_lists_and_objects() -> None:
    assert paths.resource("v1", "nodes") == "/api/v1/nodes"
    assert paths.resource("v1", "pods", namespace="a") == "/api/v1/namespaces/a/pods"
    deployment = paths.resource("apps/v1", "deployments", namespace="a", name="b")
    assert deployment == "/apis/apps/v1/namespaces/a/deployments/b"
    log = paths.resource("v1", "pods", namespace="a", name="b.c", subresource="log")
    assert log == "/api/v1/namespaces/a/pods/b.c/log"
    role = paths.resource("rbac.authorization.k8s.io/v1", "clusterroles", name="system:node")
    assert role == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node"


WRONG = [
    "",
    ".",
    "..",
    "x/../../secrets/y",
    "x?force=true",
    "x#y",
    "x%2fy",
    "%2e%2e",
    "x y",
    "x\n",
    "x\\y",
    "ü",
    "a" * 254,
    ";x",
    "x;y",
    "-x",
]


@pytest.mark.parametrize("name", WRONG)
def test_names_that_would_lead_elsewhere(name: str) -> None:
    for parts in ({"name": name}, {"namespace": name}, {"name": "x", "subresource": name}):
        with pytest.raises(Invalid) as refused:
            paths.resource("v1", "pods", **parts)
        assert refused.value.path in (["name"], ["namespace"], ["subresource"])


@pytest.mark.parametrize(
    "version", ["", "v", "apps", "apps/v1/x", "../v1", "apps/../v1", "a..b/v1", "v1?x", "V1"]
)
def test_versions_that_are_none(version: str) -> None:
    with pytest.raises(Invalid) as refused:
        paths.api(version)

    assert refused.value.path == ["apiVersion"]
