"""What deploys need, asked of the cluster before they fail half way."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.cluster import Permission
from app.domain.errors import ClusterError, ClusterFault
from app.kube import paths
from app.kube.client import KubeClient
from app.kube.gathering import all_of

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


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """To do something with a resource: `deployments.apps`, `pods/log`, `*.*` for all of them.

    Without a namespace: in all of them, or to what is in none.
    """

    verb: str
    resource: str
    namespace: str | None = None


async def permissions(client: KubeClient, namespaces: Sequence[str] = ()) -> list[Permission]:
    """Whether the credentials may do what deploys need, in each namespace or in all of them.

    In at most 20 namespaces. What the cluster does not say is left out. Raises ClusterError when it
    cannot be asked.
    """
    named = list(dict.fromkeys(namespaces))[:_MOST_NAMESPACES]
    places: list[str | None] = [*named] or [None]
    rights = [
        Right(verb, resource, place)
        for place in places
        for resource, verbs in _NEEDED
        for verb in verbs
    ]
    told = await allowed(client, rights)
    return [
        Permission(verb=one.verb, resource=one.resource, namespace=one.namespace, allowed=told[one])
        for one in rights
        if one in told
    ]


async def allowed(client: KubeClient, rights: Iterable[Right]) -> dict[Right, bool]:
    """Which of the rights the credentials have, asked by a SelfSubjectAccessReview each.

    What the cluster does not say is left out. Raises ClusterError when it cannot be asked.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(right: Right) -> bool | None:
        async with gate:
            return await _ask(client, right)

    asked = list(dict.fromkeys(rights))
    told = await all_of(ask(right) for right in asked)
    return {right: answer for right, answer in zip(asked, told, strict=True) if answer is not None}


async def _ask(client: KubeClient, right: Right) -> bool | None:
    name, _, group = right.resource.partition(".")
    name, _, subresource = name.partition("/")
    attributes = {
        "verb": right.verb,
        "group": group,
        "resource": name,
        "subresource": subresource,
        "namespace": right.namespace,
    }
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
    answer = status.get("allowed") if isinstance(status, dict) else None
    return answer if isinstance(answer, bool) else None
