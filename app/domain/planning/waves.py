"""In which order objects are applied and removed: by what has to be there for what.

A wave is applied before the next begins; removal goes the other way round. The order is total and
depends on the objects alone, so that two replicas, or one that goes on for another, agree on it.
"""

import enum
from collections.abc import Iterable
from typing import TypeVar

from app.domain.manifest import Manifest
from app.domain.planning.objects import ObjectKey


class KindWave(enum.IntEnum):
    """Which kinds go together, in the order of their application."""

    DEFINITIONS = 0
    """What makes room for others: namespaces, definitions of kinds. They have to be established
    before the next wave begins."""
    CLASSES = 1
    PREREQUISITES = 2
    """Configuration, secrets, claims, rights. Never waited for: a claim may bind only when a pod
    mounts it."""
    SERVICES = 3
    WORKLOADS = 4
    ROUTES = 5
    """Ingresses, autoscalers, policies."""
    CUSTOM_RESOURCES = 6
    """Every kind that is not Kubernetes' own."""

    @property
    def is_awaited(self) -> bool:
        """Whether the objects have to be ready before the next wave; the others at the end."""
        return self is KindWave.DEFINITIONS


_POLICY = "policy"
_RBAC = "rbac.authorization.k8s.io"
_NETWORKING = "networking.k8s.io"

_TABLE: tuple[tuple[KindWave, tuple[tuple[str, str], ...]], ...] = (
    (
        KindWave.DEFINITIONS,
        (
            ("apiextensions.k8s.io", "CustomResourceDefinition"),
            ("", "Namespace"),
            (_RBAC, "ClusterRole"),
        ),
    ),
    (
        KindWave.CLASSES,
        (
            ("scheduling.k8s.io", "PriorityClass"),
            ("storage.k8s.io", "StorageClass"),
            (_NETWORKING, "IngressClass"),
        ),
    ),
    (
        KindWave.PREREQUISITES,
        (
            ("", "ResourceQuota"),
            ("", "LimitRange"),
            ("", "ServiceAccount"),
            (_RBAC, "Role"),
            (_RBAC, "RoleBinding"),
            (_RBAC, "ClusterRoleBinding"),
            ("", "ConfigMap"),
            ("", "Secret"),
            ("", "PersistentVolume"),
            ("", "PersistentVolumeClaim"),
        ),
    ),
    (KindWave.SERVICES, (("", "Service"),)),
    (
        KindWave.WORKLOADS,
        (
            ("apps", "DaemonSet"),
            ("apps", "Deployment"),
            ("apps", "ReplicaSet"),
            ("apps", "StatefulSet"),
            ("", "Pod"),
            ("batch", "Job"),
            ("batch", "CronJob"),
        ),
    ),
    (
        KindWave.ROUTES,
        (
            (_NETWORKING, "Ingress"),
            ("autoscaling", "HorizontalPodAutoscaler"),
            (_POLICY, "PodDisruptionBudget"),
            (_NETWORKING, "NetworkPolicy"),
        ),
    ),
)
_PLACES = {kind: (wave, place) for wave, kinds in _TABLE for place, kind in enumerate(kinds)}
_LAST = 1_000

Order = tuple[KindWave, int, str, str, str, str, str]


def is_builtin(key: ObjectKey) -> bool:
    """Whether every cluster serves the kind."""
    return (key.group, key.kind) in _PLACES


def wave_of(what: Manifest | ObjectKey) -> KindWave:
    """The wave of an object, by its API group and kind; the version does not matter."""
    return order(what)[0]


def order(what: Manifest | ObjectKey) -> Order:
    """A sort key: wave, place of the kind in it, kind, group, namespace, name, version."""
    key = what if isinstance(what, ObjectKey) else ObjectKey.of_manifest(what)
    wave, place = _PLACES.get((key.group, key.kind)) or (
        KindWave.CLASSES if key.kind.endswith("Class") else KindWave.CUSTOM_RESOURCES,
        _LAST,
    )
    return (wave, place, key.kind, key.group, key.namespace or "", key.name, key.api_version)


_Ordered = TypeVar("_Ordered", Manifest, ObjectKey)


def applying(objects: Iterable[_Ordered]) -> list[list[_Ordered]]:
    """The objects by waves, as they are applied; none of the waves is empty."""
    return _by_wave(sorted(objects, key=order))


def removing(objects: Iterable[_Ordered]) -> list[list[_Ordered]]:
    """The objects by waves, as they are removed: the exact reverse of how they are applied."""
    return _by_wave(sorted(objects, key=order, reverse=True))


def _by_wave(objects: list[_Ordered]) -> list[list[_Ordered]]:
    waves: list[list[_Ordered]] = []
    for one in objects:
        if waves and wave_of(waves[-1][0]) is wave_of(one):
            waves[-1].append(one)
        else:
            waves.append([one])
    return waves
