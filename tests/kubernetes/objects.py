"""Small objects that a Kubernetes API server accepts."""

from typing import Any

Object = dict[str, Any]

IMAGE = "registry.k8s.io/pause:3.10"


def config_map(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def secret(name: str, **more: Any) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, **more}


def labelled(obj: Object, **labels: str) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "labels": labels}}


def container(image: str = IMAGE, **more: Any) -> Object:
    return {"name": "web", "image": image, **more}


def template(name: str, *containers: Object, **more: Any) -> Object:
    """A pod template with the label `app`."""
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": list(containers) or [container()], **more},
    }


def pod(name: str, *containers: Object, **more: Any) -> Object:
    made = template(name, *containers, **more)
    made["metadata"]["name"] = name
    return {"apiVersion": "v1", "kind": "Pod", **made}


def deployment(name: str, *containers: Object, **spec: Any) -> Object:
    return _workload("Deployment", name, template(name, *containers), spec)


def replica_set(name: str, *containers: Object, **spec: Any) -> Object:
    return _workload("ReplicaSet", name, template(name, *containers), spec)


def daemon_set(name: str, *containers: Object, **spec: Any) -> Object:
    return _workload("DaemonSet", name, template(name, *containers), spec)


def stateful_set(name: str, *containers: Object, **spec: Any) -> Object:
    made = template(name, *containers)
    return _workload("StatefulSet", name, made, {"serviceName": name, **spec})


def _workload(kind: str, name: str, made: Object, spec: Object) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": made, **spec},
    }


def job(name: str, *containers: Object, **spec: Any) -> Object:
    made = template(name, *containers, restartPolicy="Never")
    del made["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": made, **spec},
    }


def cron_job(name: str, schedule: str, **spec: Any) -> Object:
    template_ = {"spec": job(name)["spec"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": schedule, "jobTemplate": template_, **spec},
    }


def service(name: str, **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80}], **spec},
    }


def claim(name: str, storage: str = "1Gi", **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": storage}},
            **spec,
        },
    }


def autoscaler(name: str, target: str, least: int = 1, most: int = 3) -> Object:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "minReplicas": least,
            "maxReplicas": most,
        },
    }


def ingress(name: str, host: str = "example.test", path: str = "/") -> Object:
    backend = {"service": {"name": name, "port": {"number": 80}}}
    http = {"paths": [{"path": path, "pathType": "Prefix", "backend": backend}]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {"rules": [{"host": host, "http": http}]},
    }


def definition(group: str, *, scope: str = "Namespaced") -> Object:
    """A CustomResourceDefinition of `Widget` with a schema, a status and a scale."""
    integer = {"type": "integer"}
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "required": ["size"],
                "properties": {
                    "size": {**integer, "minimum": 1},
                    "colour": {"type": "string", "default": "blue"},
                },
            },
            "status": {"type": "object", "properties": {"size": integer}},
        },
    }
    scale = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}, "scale": scale},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {
                "plural": "widgets",
                "singular": "widget",
                "kind": "Widget",
                "shortNames": ["wd"],
            },
            "versions": [version],
        },
    }
