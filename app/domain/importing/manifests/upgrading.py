"""API versions that clusters no longer serve, in the form that replaced them.

The changes are those of Kubernetes' own deprecated API migration guide.
"""

from collections.abc import Callable, Mapping
from typing import Any

Object = dict[str, Any]


def upgraded(value: Mapping[str, Any]) -> Object:
    """A copy of the object in the newest API version of its kind; the same when it is that."""
    key = (str(value["apiVersion"]), str(value["kind"]))
    if key not in _OLD:
        return dict(value)
    version, change = _OLD[key]
    spec = value.get("spec")
    newest = {**value, "apiVersion": version}
    if change is not None and isinstance(spec, Mapping):
        newest["spec"] = change(dict(spec))
    return newest


def _ingress(spec: Object) -> Object:
    """Backends have parts, and the type of a path has no default."""
    if "backend" in spec:
        spec["defaultBackend"] = _backend(spec.pop("backend"))
    rules = spec.get("rules")
    if isinstance(rules, list):
        spec["rules"] = [_ingress_rule(rule) for rule in rules]
    return spec


def _ingress_rule(rule: Any) -> Any:
    http = rule.get("http") if isinstance(rule, Mapping) else None
    if not isinstance(http, Mapping) or not isinstance(http.get("paths"), list):
        return rule
    made = [
        {
            "path": "/",
            "pathType": "ImplementationSpecific",
            **path,
            "backend": _backend(path.get("backend")),
        }
        if isinstance(path, Mapping)
        else path
        for path in http["paths"]
    ]
    return {**rule, "http": {**http, "paths": made}}


def _backend(backend: Any) -> Any:
    if not isinstance(backend, Mapping) or "serviceName" not in backend:
        return backend
    port = backend.get("servicePort")
    rest = {k: v for k, v in backend.items() if k not in ("serviceName", "servicePort")}
    key = "name" if isinstance(port, str) and not port.isdigit() else "number"
    service: Object = {"name": backend["serviceName"]}
    if port is not None:
        service["port"] = {key: int(port) if isinstance(port, str) and key == "number" else port}
    return {**rest, "service": service}


def _scaler_v1(spec: Object) -> Object:
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None:
        spec["metrics"] = [_resource("cpu", percent)]
    return spec


def _scaler_v2beta1(spec: Object) -> Object:
    metrics = spec.get("metrics")
    if isinstance(metrics, list):
        spec["metrics"] = [_metric(metric) for metric in metrics]
    return spec


def _metric(metric: Any) -> Any:
    resource = metric.get("resource") if isinstance(metric, Mapping) else None
    if not isinstance(resource, Mapping) or "targetAverageUtilization" not in resource:
        return metric
    rest = {key: value for key, value in resource.items() if key != "targetAverageUtilization"}
    made = _resource(resource.get("name"), resource["targetAverageUtilization"])
    return {**metric, "resource": {**rest, **made["resource"]}}


def _resource(name: Any, percent: Any) -> Object:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


_Change = Callable[[Object], Object] | None
_OLD: Mapping[tuple[str, str], tuple[str, _Change]] = {
    **{
        (old, kind): ("apps/v1", None)
        for old in ("extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")
        for kind in ("Deployment", "DaemonSet", "StatefulSet", "ReplicaSet")
    },
    ("extensions/v1beta1", "Ingress"): ("networking.k8s.io/v1", _ingress),
    ("networking.k8s.io/v1beta1", "Ingress"): ("networking.k8s.io/v1", _ingress),
    ("extensions/v1beta1", "NetworkPolicy"): ("networking.k8s.io/v1", None),
    ("batch/v1beta1", "CronJob"): ("batch/v1", None),
    ("batch/v2alpha1", "CronJob"): ("batch/v1", None),
    ("autoscaling/v1", "HorizontalPodAutoscaler"): ("autoscaling/v2", _scaler_v1),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): ("autoscaling/v2", _scaler_v2beta1),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler"): ("autoscaling/v2", None),
}
