"""Objects of every kind that has rules, and ways to spoil them."""

import random
from collections.abc import Iterator
from typing import Any

from app.sandbox.objects import Object, copied

POD: Object = {
    "containers": [
        {
            "name": "c",
            "image": "i:1",
            "ports": [{"containerPort": 80, "name": "http"}],
            "env": [
                {"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ],
            "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "a"}],
            "livenessProbe": {"httpGet": {"port": 80}},
            "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1m"}},
            "lifecycle": {"preStop": {"exec": {"command": ["a"]}}},
            "securityContext": {"capabilities": {"add": ["X"]}},
        }
    ],
    "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "configMap": {"name": "x"}}],
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "nodeSelector": {"a": "b"},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "k", "whenUnsatisfiable": "DoNotSchedule"}
    ],
}
TEMPLATE: Object = {"metadata": {"labels": {"app": "a"}}, "spec": POD}
SELECTOR: Object = {
    "matchLabels": {"app": "a"},
    "matchExpressions": [{"key": "app", "operator": "In", "values": ["a"]}],
}
JOB: Object = {"template": {"spec": {**POD, "restartPolicy": "Never"}}, "completions": 1}
CLAIM: Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
BACKEND: Object = {"service": {"name": "a", "port": {"number": 1}}}
CPU: Object = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}


def _object(api_version: str, kind: str, **body: Any) -> Object:
    metadata = {
        "name": "x",
        "labels": {"a": "b"},
        "annotations": {"a": "b"},
        "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "n", "uid": "u"}],
        "finalizers": ["a.b/c"],
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


_PROPERTIES = {
    "n": {"type": "integer", "default": 1, "minimum": 0},
    "l": {
        "type": "array",
        "items": {"type": "object", "properties": {"k": {"type": "string"}}},
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["k"],
    },
}
DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.test"},
    "spec": {
        "group": "example.test",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"},
                },
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": {"type": "object", "properties": _PROPERTIES}},
                    }
                },
            }
        ],
    },
}

OBJECTS: tuple[Object, ...] = (
    DEFINITION,
    _object("example.test/v1", "Widget", spec={"n": 2, "l": [{"k": "a"}]}),
    _object("v1", "Pod", spec=POD),
    _object("apps/v1", "Deployment", spec={"selector": SELECTOR, "template": TEMPLATE}),
    _object("apps/v1", "DaemonSet", spec={"selector": SELECTOR, "template": TEMPLATE}),
    _object("apps/v1", "ReplicaSet", spec={"selector": SELECTOR, "template": TEMPLATE}),
    _object(
        "apps/v1",
        "StatefulSet",
        spec={
            "selector": SELECTOR,
            "template": TEMPLATE,
            "volumeClaimTemplates": [{"metadata": {"name": "v"}, "spec": CLAIM}],
        },
    ),
    _object("batch/v1", "Job", spec=JOB),
    _object("batch/v1", "CronJob", spec={"schedule": "* * * * *", "jobTemplate": {"spec": JOB}}),
    _object(
        "v1",
        "Service",
        spec={"type": "NodePort", "ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]},
    ),
    _object(
        "networking.k8s.io/v1",
        "Ingress",
        spec={
            "rules": [
                {
                    "host": "a.b",
                    "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": BACKEND}]},
                }
            ],
            "tls": [{"hosts": ["a.b"], "secretName": "s"}],
        },
    ),
    _object(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec={
            "podSelector": SELECTOR,
            "ingress": [
                {
                    "from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
                    "ports": [{"port": 80, "endPort": 90}],
                }
            ],
        },
    ),
    _object(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        spec={
            "scaleTargetRef": {"kind": "Deployment", "name": "a", "apiVersion": "apps/v1"},
            "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": CPU}],
            "behavior": {
                "scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 1}]}
            },
        },
    ),
    _object("v1", "ConfigMap", data={"a": "b"}, binaryData={"c": "YQ=="}),
    _object("v1", "Secret", data={"a": "YQ=="}, stringData={"b": "c"}, type="kubernetes.io/tls"),
    _object("v1", "PersistentVolumeClaim", spec=CLAIM),
    _object("v1", "Namespace"),
    _object("policy/v1", "PodDisruptionBudget", spec={"minAvailable": 1, "selector": SELECTOR}),
    _object("storage.k8s.io/v1", "StorageClass", provisioner="a"),
)

JUNK: tuple[Any, ...] = (
    *(None, {}, [], "", 0, -1, 1.5, True, 2**31, 2**63, "x" * 300, "é\n", "9" * 40, "1e999"),
    *([None], [{}], [[]], [1, "a"], {"a": None}, {"": ""}, {"a": {"b": {}}}),
    *("%", "..", "-", "2001:db8::/64", {"matchLabels": {"a": "b"}}),
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something is within a value."""
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, item in inner:
        yield (*at, key)
        yield from places(item, (*at, key))


def spoiled(obj: Object, chance: random.Random) -> Object:
    """A copy in which one to three things are gone, or are something else."""
    made = copied(obj)
    for _ in range(chance.choice((1, 1, 2, 3))):
        *way, last = chance.choice(list(places(made)) or [("kind",)])
        place = made
        for key in way:
            place = place[key]
        if chance.random() < 0.3:
            place.pop(last, None) if isinstance(place, dict) else place.pop(last)
        else:
            place[last] = copied(chance.choice(JUNK))
    return dict(made)
