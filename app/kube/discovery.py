"""What a cluster is and can do, and whether it believes who we are.

Each question may be forbidden to us; then its answer is unknown, and not an error.

Capabilities are sorted tokens:

- `metrics`, `custom-metrics`, `autoscaling-v2`, `gateway-api`, `cert-manager` and the others of
  `_GROUPS` and `_VERSIONS`: the API is served; whether what stands behind it works is not known.
- `network-policy`: NetworkPolicy objects are taken. Whether they are enforced is the network's
  matter: `network-policy:calico`, `:cilium` or `:antrea` says that such a network is there.
- `ingress-class:<name>` and `storage-class:<name>`; for the default one also
  `default-ingress-class:<name>` and `default-storage-class:<name>`.
"""

import asyncio
import re
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from app.domain.cluster import ClusterMetadata
from app.domain.errors import ClusterError, ClusterFault
from app.kube import paths
from app.kube.client import KubeClient
from app.kube.listing import METADATA_ONLY, MOST_OBJECTS, items, metadata, pages
from app.kube.permissions import permissions
from app.kube.platforms import Traces, guess

__all__ = ["Version", "check", "discover", "permissions"]

_T = TypeVar("_T")

_ANONYMOUS = "system:anonymous"
_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_SHORT, _LONG = 256 * 1024, 4 * 2**20
"""Bytes of an answer to a simple question, and of a list's page: many clusters are asked at once,
and what their answers take in memory is the servers' choice."""
_LOOKED_AT = 20
_MOST_NAMESPACES = 1_000
_MOST_CLASSES = 50

_VERSIONS = {"autoscaling/v2": "autoscaling-v2", "networking.k8s.io/v1": "network-policy"}
_GROUPS = {
    "metrics.k8s.io": "metrics",
    "custom.metrics.k8s.io": "custom-metrics",
    "external.metrics.k8s.io": "external-metrics",
    "autoscaling.k8s.io": "vertical-autoscaling",
    "cert-manager.io": "cert-manager",
    "cilium.io": "network-policy:cilium",
    "crd.antrea.io": "network-policy:antrea",
    "crd.projectcalico.org": "network-policy:calico",
    "external-secrets.io": "external-secrets",
    "gateway.networking.k8s.io": "gateway-api",
    "keda.sh": "keda",
    "monitoring.coreos.com": "prometheus-operator",
    "networking.istio.io": "istio",
    "route.openshift.io": "openshift-routes",
    "serving.knative.dev": "knative",
    "snapshot.storage.k8s.io": "volume-snapshots",
}
_CLASSES = {
    "ingress": ("networking.k8s.io/v1", "ingressclass.kubernetes.io/is-default-class"),
    "storage": ("storage.k8s.io/v1", "storageclass.kubernetes.io/is-default-class"),
}
"""Their API version, and the annotation of the default one."""


@dataclass(frozen=True, slots=True)
class Version:
    """`git` as in `v1.36.2`. `user` is who the cluster takes us for, when it says so."""

    git: str
    user: str | None = None


async def check(client: KubeClient, *, seconds: float = 5.0) -> Version:
    """Whether the cluster answers and accepts the credentials, within `seconds` in all.

    The version alone proves little, because many clusters tell it to everybody. Raises
    ClusterError, UNAUTHORIZED also when the cluster takes us for nobody in particular.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    git = await _version(client, seconds)
    user = await _who_we_are(client, max(0.1, ends - loop.time()))
    return Version(git, user)


async def discover(client: KubeClient, version: str | None = None) -> ClusterMetadata:
    """What the cluster lets us know; `version` is asked when it is not known from a check.

    Raises ClusterError when the cluster can't be asked at all.
    """
    version = version or await _version(client, 30.0)
    try:
        async with asyncio.TaskGroup() as group:
            nodes = group.create_task(_known(_nodes(client)))
            namespaces = group.create_task(_known(_namespaces(client)))
            groups = group.create_task(_known(_groups(client)))
            ingress = group.create_task(_known(_classes(client, "ingress")))
            storage = group.create_task(_known(_classes(client, "storage")))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    count, traces = nodes.result() or (None, Traces(version))
    capabilities = [*(groups.result() or []), *(ingress.result() or []), *(storage.result() or [])]
    return ClusterMetadata(
        version=version,
        platform=guess(replace(traces, version=version)),
        node_count=count,
        namespaces=_harmless(client, namespaces.result() or []),
        capabilities=sorted(_harmless(client, {*capabilities})),
    )


async def _version(client: KubeClient, seconds: float) -> str:
    try:
        body = (await client.get("/version", seconds=seconds, tries=1, largest=_SHORT)).body
    except ClusterError as error:
        if error.fault is ClusterFault.NOT_FOUND:
            raise _no_kubernetes() from None
        raise _nobody(error) from None
    version = body.get("gitVersion")
    if not isinstance(version, str) or not version.isprintable():
        raise _no_kubernetes()
    return client.clean(version[:1_000], most=100)


async def _who_we_are(client: KubeClient, seconds: float) -> str | None:
    """Our name, or None where the cluster only says that it knows us. Raises ClusterError."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = paths.resource("authentication.k8s.io/v1", "selfsubjectreviews")
    try:
        status = (await client.post(path, review, seconds=seconds, largest=_SHORT)).body.get(
            "status"
        )
    except ClusterError as error:
        if error.fault is ClusterFault.NOT_FOUND:  # before Kubernetes 1.28
            await _known_to_it(client, seconds)
            return None
        if error.fault is ClusterFault.FORBIDDEN and _ANONYMOUS not in error.message:
            return None
        raise _nobody(error) from None
    info = status.get("userInfo") if isinstance(status, dict) else None
    name = info.get("username") if isinstance(info, dict) else None
    if name == _ANONYMOUS:
        raise _unread()
    return name[:300] if isinstance(name, str) else None


async def _known_to_it(client: KubeClient, seconds: float) -> None:
    """Who is nobody may not even ask what it may do."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}},
    }
    path = paths.resource("authorization.k8s.io/v1", "selfsubjectaccessreviews")
    try:
        await client.post(path, review, seconds=seconds, largest=_SHORT)
    except ClusterError as error:
        if error.fault is ClusterFault.FORBIDDEN and _ANONYMOUS not in error.message:
            return
        raise _nobody(error) from None


def _nobody(error: ClusterError) -> ClusterError:
    """The same error, or UNAUTHORIZED when it is forbidden to somebody whom nobody knows."""
    anonymous = error.fault is ClusterFault.FORBIDDEN and _ANONYMOUS in error.message
    return _unread() if anonymous else error


def _unread() -> ClusterError:
    return ClusterError(
        ClusterFault.UNAUTHORIZED,
        "The cluster does not see the credentials and takes us for anybody. Check that it accepts "
        "this kind, and that nothing in between removes them.",
    )


def _no_kubernetes() -> ClusterError:
    return ClusterError(
        ClusterFault.NOT_KUBERNETES,
        "Something answers at this address, but it is no Kubernetes API. Check address and path.",
    )


async def _known(asked: Awaitable[_T]) -> _T | None:
    """What is forbidden, missing or broken on the cluster's side is unknown."""
    try:
        return await asked
    except ClusterError as error:
        if error.status is None or error.fault is ClusterFault.UNAUTHORIZED:
            raise
        return None


async def _nodes(client: KubeClient) -> tuple[int, Traces]:
    """How many there are, and what the first of them give away."""
    path = paths.resource("v1", "nodes")
    body = (await client.get(path, params={"limit": str(_LOOKED_AT)}, largest=_LONG)).body
    nodes = items(body)
    first = nodes[:_LOOKED_AT]
    traces = Traces(
        version="",
        names=[str(metadata(node).get("name")) for node in first],
        labels=[str(label) for node in first for label in _map(metadata(node).get("labels"))],
        providers=[str(_map(node.get("spec")).get("providerID")) for node in first],
    )
    more = metadata(body).get("remainingItemCount")
    if isinstance(more, int) and 0 <= more <= MOST_OBJECTS:
        return len(nodes) + more, traces
    if not metadata(body).get("continue"):
        return len(nodes), traces
    count = 0
    async for page in pages(client, path, accept=METADATA_ONLY, largest=_LONG):
        count += len(items(page))
    return count, traces


async def _namespaces(client: KubeClient) -> list[str]:
    names: list[str] = []
    path = paths.resource("v1", "namespaces")
    async with aclosing(pages(client, path, accept=METADATA_ONLY, largest=_LONG)) as found:
        async for page in found:
            names += [name for name in _names(page) if _NAMESPACE.fullmatch(name)]
            if len(names) >= _MOST_NAMESPACES:
                break
    return sorted(names[:_MOST_NAMESPACES])


async def _groups(client: KubeClient) -> list[str]:
    groups = (await client.get("/apis", largest=_LONG)).body.get("groups")
    found = []
    for group in groups if isinstance(groups, list) else []:
        if not isinstance(group, dict):
            continue
        versions = group.get("versions")
        served = [
            str(version.get("groupVersion"))
            for version in (versions if isinstance(versions, list) else [])
            if isinstance(version, dict)
        ]
        found += [_VERSIONS[version] for version in served if version in _VERSIONS]
        name = str(group.get("name"))
        found += [_GROUPS[name]] if name in _GROUPS else []
    return found


async def _classes(client: KubeClient, kind: str) -> list[str]:
    version, annotation = _CLASSES[kind]
    path = paths.resource(version, f"{kind}classes")
    asked = {"limit": str(_MOST_CLASSES)}
    body = (await client.get(path, params=asked, accept=METADATA_ONLY, largest=_LONG)).body
    found = []
    for one in items(body)[:_MOST_CLASSES]:
        for name in _names({"items": [one]}):
            found.append(f"{kind}-class:{name}")
            if _map(metadata(one).get("annotations")).get(annotation) == "true":
                found.append(f"default-{kind}-class:{name}")
    return found


def _names(page: Mapping[str, Any]) -> list[str]:
    names = (metadata(one).get("name") for one in items(page))
    return [name for name in names if isinstance(name, str) and _NAME.fullmatch(name)]


def _harmless(client: KubeClient, names: Iterable[str]) -> list[str]:
    """The names without those that repeat our credentials."""
    given = list(names)
    together = " ".join(given)
    if client.clean(together, most=len(together)) == together:
        return given
    return [name for name in given if client.clean(name, most=300) == name]


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
