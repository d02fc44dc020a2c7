"""Which kinds the sandbox cluster serves: one table, and a registry that CRDs extend.

Groups, names, short names and verbs are those of Kubernetes 1.36's own discovery.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Resource:
    """A kind of object and where it is served. Two are equal when group and plural are."""

    group: str
    version: str = field(compare=False)
    plural: str
    singular: str = field(compare=False)
    kind: str = field(compare=False)
    namespaced: bool = field(default=True, compare=False)
    short_names: tuple[str, ...] = field(default=(), compare=False)
    subresources: tuple[str, ...] = field(default=(), compare=False)
    verbs: tuple[str, ...] = field(default=ALL_VERBS, compare=False)
    categories: tuple[str, ...] = field(default=(), compare=False)
    generation: bool = field(default=False, compare=False)
    """Whether its objects count changes of their spec."""
    schema: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    """The OpenAPI schema of a custom resource; None for built-in kinds."""
    scale_paths: tuple[str, str, str] = field(
        default=("spec.replicas", "status.replicas", ""), compare=False
    )
    """Where replicas, counted replicas and (custom resources) the selector's text stand."""
    selectable: tuple[str, ...] = field(default=(), compare=False)
    """A CRD's own selectable fields, such as `.spec.size`."""

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As error messages name it: `deployments.apps`, `pods`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        """As a few of them name it: `Deployment.apps`, `Pod`."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def custom(self) -> bool:
        """Whether a CustomResourceDefinition made it."""
        return self.schema is not None

    @property
    def has_status(self) -> bool:
        """Whether ordinary writes leave `status` alone."""
        return "status" in self.subresources


def _workload(group: str, kind: str, *short: str, scale: bool = False) -> Resource:
    return Resource(
        group,
        "v1",
        kind.lower() + "s",
        kind.lower(),
        kind,
        short_names=short,
        subresources=("status", "scale") if scale else ("status",),
        categories=("all",),
        generation=True,
    )


def _plain(group: str, kind: str, *short: str, plural: str = "", **more: Any) -> Resource:
    return Resource(
        group,
        more.pop("version", "v1"),
        plural or kind.lower() + "s",
        kind.lower(),
        kind,
        short_names=short,
        **more,
    )


_STATUS = ("status",)
RBAC = "rbac.authorization.k8s.io"

BUILT_IN: tuple[Resource, ...] = (
    _plain("", "ConfigMap", "cm"),
    _plain("", "Endpoints", "ep", plural="endpoints"),
    _plain("", "Event", "ev"),
    _plain("", "LimitRange", "limits"),
    _plain(
        "",
        "Namespace",
        "ns",
        namespaced=False,
        subresources=("status", "finalize"),
        verbs=tuple(verb for verb in ALL_VERBS if verb != "deletecollection"),
    ),
    _plain("", "Node", "no", namespaced=False, subresources=_STATUS),
    _plain("", "PersistentVolumeClaim", "pvc", subresources=_STATUS),
    _plain("", "PersistentVolume", "pv", namespaced=False, subresources=_STATUS),
    _plain(
        "",
        "Pod",
        "po",
        subresources=("status", "log", "exec"),
        categories=("all",),
        generation=True,
    ),
    _plain("", "ResourceQuota", "quota", subresources=_STATUS),
    _plain("", "Secret"),
    _plain("", "ServiceAccount", "sa"),
    _plain("", "Service", "svc", subresources=_STATUS, categories=("all",)),
    _workload("apps", "Deployment", "deploy", scale=True),
    _workload("apps", "ReplicaSet", "rs", scale=True),
    _workload("apps", "StatefulSet", "sts", scale=True),
    _workload("apps", "DaemonSet", "ds"),
    _plain("apps", "ControllerRevision"),
    _workload("batch", "Job"),
    _workload("batch", "CronJob", "cj"),
    _plain(
        "autoscaling",
        "HorizontalPodAutoscaler",
        "hpa",
        version="v2",
        subresources=_STATUS,
        categories=("all",),
    ),
    _plain(
        "networking.k8s.io",
        "Ingress",
        "ing",
        plural="ingresses",
        subresources=_STATUS,
        generation=True,
    ),
    _plain(
        "networking.k8s.io",
        "IngressClass",
        plural="ingressclasses",
        namespaced=False,
        generation=True,
    ),
    _plain(
        "networking.k8s.io", "NetworkPolicy", "netpol", plural="networkpolicies", generation=True
    ),
    _plain("discovery.k8s.io", "EndpointSlice", generation=True),
    _plain("policy", "PodDisruptionBudget", "pdb", subresources=_STATUS, generation=True),
    _plain("storage.k8s.io", "StorageClass", "sc", plural="storageclasses", namespaced=False),
    _plain(
        "scheduling.k8s.io",
        "PriorityClass",
        "pc",
        plural="priorityclasses",
        namespaced=False,
        generation=True,
    ),
    _plain(RBAC, "Role"),
    _plain(RBAC, "RoleBinding"),
    _plain(RBAC, "ClusterRole", namespaced=False),
    _plain(RBAC, "ClusterRoleBinding", namespaced=False),
    _plain("coordination.k8s.io", "Lease"),
    _plain(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "crd",
        "crds",
        namespaced=False,
        subresources=_STATUS,
        generation=True,
    ),
)


class Registry:
    """Every resource that is served at this moment."""

    def __init__(self, resources: tuple[Resource, ...] = BUILT_IN) -> None:
        self._by_path: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str], Resource] = {}
        for resource in resources:
            self.add(resource)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_path.values())

    def add(self, resource: Resource) -> None:
        """Serve a resource, in place of what was served under its path."""
        self.remove(resource.group, resource.version, resource.plural)
        self._by_path[resource.group, resource.version, resource.plural] = resource
        self._by_kind[resource.api_version, resource.kind] = resource

    def remove(self, group: str, version: str, plural: str) -> None:
        """Serve it no longer; nothing happens when it was not."""
        gone = self._by_path.pop((group, version, plural), None)
        if gone is not None:
            self._by_kind.pop((gone.api_version, gone.kind), None)

    def by_path(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at `/apis/<group>/<version>/<plural>`; group "" is the core's."""
        return self._by_path.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of an object's `apiVersion` and `kind`."""
        return self._by_kind.get((api_version, kind))

    def of(self, kind: str, group: str | None = None) -> Resource:
        """A built-in resource by its kind alone; KeyError when there is none."""
        for resource in self._by_path.values():
            if resource.kind == kind and (group is None or resource.group == group):
                return resource
        raise KeyError(kind)

    def groups(self) -> dict[str, list[str]]:
        """Group to its versions, the core's under "", in the order in which they came."""
        found: dict[str, list[str]] = {}
        for group, version, _ in self._by_path:
            versions = found.setdefault(group, [])
            if version not in versions:
                versions.append(version)
        return found
