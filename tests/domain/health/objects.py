"""Live objects in tests: a case gives what matters, the rest is as an API server would send it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.health import Health, health

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
Fields = dict[str, Any]

_POD: Fields = {
    "containers": [
        {
            "name": "app",
            "image": "shop/web:1",
            "resources": {"limits": {"memory": "128Mi"}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        }
    ],
}
_LABELS = {"app": "web"}
_TEMPLATE = {"metadata": {"labels": _LABELS}, "spec": _POD}
_WORKLOAD = {"selector": {"matchLabels": _LABELS}, "template": _TEMPLATE}
_JOB = {"template": {**_TEMPLATE, "spec": {**_POD, "restartPolicy": "Never"}}}

_BACKEND = {"service": {"name": "web", "port": {"number": 80}}}

KINDS: dict[str, tuple[str, Fields]] = {
    "Certificate": ("cert-manager.io/v1", {}),
    "ConfigMap": ("v1", {}),
    "CronJob": (
        "batch/v1",
        {"schedule": "@daily", "jobTemplate": {"metadata": {"labels": _LABELS}, "spec": _JOB}},
    ),
    "CustomResourceDefinition": (
        "apiextensions.k8s.io/v1",
        {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True}],
        },
    ),
    "DaemonSet": ("apps/v1", _WORKLOAD),
    "Deployment": ("apps/v1", _WORKLOAD),
    "EndpointSlice": ("discovery.k8s.io/v1", {}),
    "HorizontalPodAutoscaler": (
        "autoscaling/v2",
        {
            "minReplicas": 2,
            "maxReplicas": 5,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        },
    ),
    "Ingress": (
        "networking.k8s.io/v1",
        {
            "rules": [
                {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": _BACKEND}]}}
            ]
        },
    ),
    "Job": ("batch/v1", _JOB),
    "Namespace": ("v1", {}),
    "NetworkPolicy": ("networking.k8s.io/v1", {"podSelector": {}, "policyTypes": ["Ingress"]}),
    "PersistentVolumeClaim": (
        "v1",
        {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    ),
    "Pod": ("v1", {**_POD, "restartPolicy": "Always"}),
    "PodDisruptionBudget": ("policy/v1", {"minAvailable": 1}),
    "ReplicaSet": ("apps/v1", _WORKLOAD),
    "Secret": ("v1", {}),
    "Service": ("v1", {"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]}),
    "StatefulSet": ("apps/v1", {**_WORKLOAD, "serviceName": "web"}),
    "StorageClass": ("storage.k8s.io/v1", {}),
}
_CLUSTER_WIDE = {"CustomResourceDefinition", "Namespace", "StorageClass"}
_CONTAINER = {"imageID": "", "ready": False, "restartCount": 0, "image": "shop/web:1"}


def at(seconds: float) -> str:
    """A time so many seconds before now, as the API server writes it."""
    return f"{NOW - timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def live(kind: str, given: Mapping[str, Any]) -> Fields:
    """An object of a kind. `given` has `age` in seconds, `metadata`, `spec`, `status`, and fields
    of its own; the name is `web` and the uid `uid-<name>` where nothing is said."""
    api_version, spec = KINDS[kind]
    rest = dict(given)
    metadata: Fields = {
        "name": "web",
        "generation": 1,
        "creationTimestamp": at(rest.pop("age", 3600)),
        **rest.pop("metadata", {}),
    }
    if kind not in _CLUSTER_WIDE:
        metadata["namespace"] = "shop"
    metadata.setdefault("uid", f"uid-{metadata['name']}")
    metadata["labels"] = {**_LABELS, **metadata.get("labels", {})}
    obj: Fields = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
    spec = {**spec, **rest.pop("spec", {})}
    if spec:
        obj["spec"] = spec
    obj |= rest
    for key in ("initContainerStatuses", "containerStatuses"):
        if key in obj.get("status", {}):
            obj["status"][key] = [
                {**_CONTAINER, "name": "app", **status} for status in obj["status"][key]
            ]
    return obj


def event(given: Mapping[str, Any], about: Fields) -> Fields:
    """An event about an object: `reason`, `message`, and `age` in seconds of its last time."""
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "event", "namespace": "shop", "labels": {}},
        "involvedObject": {
            "kind": about["kind"],
            "name": about["metadata"]["name"],
            "uid": about["metadata"]["uid"],
        },
        "type": "Warning",
        "reason": given["reason"],
        "message": given["message"],
        "lastTimestamp": at(given.get("age", 5)),
    }


class Case:
    """A case of a file in `cases/`: an object, what belongs to it, and what is said of it."""

    def __init__(self, kind: str, given: Mapping[str, Any]) -> None:
        rest = dict(given)
        self.name: str = rest.pop("case")
        self.state, self.reason = rest.pop("is").split()
        self.never_sent: bool = rest.pop("never_sent", False)
        related = rest.pop("related", [])
        events = rest.pop("events", [])
        self.object = live(kind, rest)
        self.related = [
            live(r.get("kind", "Pod"), {k: v for k, v in r.items() if k != "kind"}) for r in related
        ]
        by_name = {obj["metadata"]["name"]: obj for obj in [*self.related, self.object]}
        self.events = [event(e, by_name[e.get("about", "web")]) for e in events]

    @property
    def health(self) -> Health:
        return health(self.object, now=NOW, related=self.related, events=self.events)
