"""What deploys need, asked of the cluster before they fail half way."""

import asyncio
from collections.abc import Sequence

from app.domain.cluster import Permission
from app.domain.errors import ClusterError, ClusterFault
from app.kube import paths
from app.kube.client import KubeClient

_WRITE = ("get", "list", "watch", "create", "patch", "delete")
_READ = ("get", "list", "watch")
_NEEDED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("configmaps", _WRITE),
    ("secrets", _WRITE),
    ("services", _WRITE),
    ("persistentvolumeclaims", _WRITE),
    ("deployments.apps", _WRITE),
    ("statefulsets.apps", _WRITE),
    ("daemonsets.apps", _WRITE),
    ("jobs.batch", _WRITE),
    ("cronjobs.batch", _WRITE),
    ("ingresses.networking.k8s.io", _WRITE),
    ("networkpolicies.networking.k8s.io", _WRITE),
    ("horizontalpodautoscalers.autoscaling", _WRITE),
    ("replicasets.apps", _READ),
    ("pods", _READ),
    ("pods/log", ("get",)),
    ("events", _READ),
)
"""The kinds of the node catalogue, and what they make."""
_AT_ONCE = 8
_LARGEST = 256 * 1024
"""Bytes of an answer."""
_MOST_NAMESPACES = 20


async def permissions(client: KubeClient, namespaces: Sequence[str] = ()) -> list[Permission]:
    """Whether the credentials may do what deploys need, in each namespace or in all of them.

    Asked by a SelfSubjectAccessReview each, in at most 20 namespaces. What the
    cluster does not say is left out. Raises ClusterError when it cannot be asked.
    """
    named = list(dict.fromkeys(namespaces))[:_MOST_NAMESPACES]
    places: list[str | None] = [*named] or [None]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(verb: str, resource: str, namespace: str | None) -> Permission | None:
        async with gate:
            return await _ask(client, verb, resource, namespace)

    try:
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(ask(verb, resource, place))
                for place in places
                for resource, verbs in _NEEDED
                for verb in verbs
            ]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    told = [one.result() for one in asked]
    return [permission for permission in told if permission is not None]


async def _ask(
    client: KubeClient, verb: str, resource: str, namespace: str | None
) -> Permission | None:
    name, _, group = resource.partition(".")
    name, _, subresource = name.partition("/")
    attributes = {"verb": verb, "group": group, "resource": name, "subresource": subresource}
    if namespace is not None:
        attributes["namespace"] = namespace
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: text for key, text in attributes.items() if text}},
    }
    path = paths.resource("authorization.k8s.io/v1", "selfsubjectaccessreviews")
    try:
        status = (await client.post(path, review, repeatable=True, largest=_LARGEST)).body.get(
            "status"
        )
    except ClusterError as error:
        if error.fault in (ClusterFault.FORBIDDEN, ClusterFault.NOT_FOUND):
            return None
        raise
    allowed = status.get("allowed") if isinstance(status, dict) else None
    if not isinstance(allowed, bool):
        return None
    return Permission(verb=verb, resource=resource, namespace=namespace, allowed=allowed)
