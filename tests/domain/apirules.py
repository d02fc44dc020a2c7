"""The rules of the API server that no schema says, by kind, after the server's own code."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from app.domain import quantity

LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
SUBDOMAIN = r"(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
_DATA_KEY = r"(?!\.\.)(?!\.$)[-._a-zA-Z0-9]{1,253}"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?"
_KEY = (
    rf"(?:{SUBDOMAIN[len('(?=.{1,253}$)') :]}/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"
)


def labels(labels: dict[str, str]) -> Iterator[str]:
    for key, value in labels.items():
        if not re.fullmatch(_KEY, key) or not re.fullmatch(_VALUE, value):
            yield f"label {key}={value}"


def _unique(items: list[Any], what: str) -> Iterator[str]:
    seen: list[Any] = []
    for item in items:
        if item in seen:
            yield f"{what}: {item} twice"
        seen.append(item)


def _selecting(obj: dict[str, Any]) -> Iterator[str]:
    spec = obj["spec"]
    chosen = spec["selector"]["matchLabels"]
    if not chosen or not chosen.items() <= spec["template"]["metadata"]["labels"].items():
        yield "spec.selector: not the labels of the template"
    yield from _template(spec["template"], obj["kind"])


def _template(template: dict[str, Any], kind: str) -> Iterator[str]:
    yield from labels(template["metadata"]["labels"])
    spec = template["spec"]
    (container,) = spec["containers"]
    if ("restartPolicy" in spec) != (kind == "Job"):
        yield "restartPolicy"
    volumes = [volume["name"] for volume in spec.get("volumes", [])]
    yield from _unique(volumes, "volumes")
    mounts = [*container.get("volumeMounts", []), *container.get("volumeDevices", [])]
    provided = (
        [] if kind == "StatefulSet" else [m["name"] for m in mounts if m["name"] not in volumes]
    )
    yield from (f"volumeMounts: no volume {name}" for name in provided)
    yield from (f"volume {n}" for n in volumes if not re.fullmatch(LABEL, n))
    paths = [(m.get("mountPath") or m["devicePath"]).rstrip("/") for m in mounts]
    yield from _unique(paths, "mountPath")
    ports = container.get("ports", [])
    yield from _unique([(p["containerPort"], p["protocol"]) for p in ports], "ports")
    yield from _unique([p["name"] for p in ports if "name" in p], "port names")
    yield from _unique(
        [(p["hostPort"], p["protocol"]) for p in ports if "hostPort" in p], "hostPort"
    )
    if spec.get("hostNetwork"):
        yield from (
            "hostPort" for p in ports if p.get("hostPort", p["containerPort"]) != p["containerPort"]
        )
    yield from _unique([entry["name"] for entry in container.get("env", [])], "env")
    yield from _unique([s["name"] for s in spec.get("imagePullSecrets", [])], "imagePullSecrets")
    yield from _probes(container)
    yield from _security(container.get("securityContext", {}))
    for entry in container.get("env", []):
        reference = entry.get("valueFrom", {}).get("secretKeyRef")
        if reference and not re.fullmatch(_DATA_KEY, reference["key"]):
            yield f"env {entry['name']}: the key of a Secret"
        if not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", entry["name"]):
            yield f"env {entry['name']}"
    for toleration in spec.get("tolerations", []):
        if "tolerationSeconds" in toleration and toleration.get("effect") != "NoExecute":
            yield "tolerationSeconds"
        if "value" in toleration and toleration.get("operator") == "Exists":
            yield "toleration with a value"
    for amounts in container.get("resources", {}).values():
        for amount in amounts.values():
            if quantity.canonical(amount) != amount:
                yield f"{amount} is not how the server writes it"


def _probes(container: dict[str, Any]) -> Iterator[str]:
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name, {})
        if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
            yield f"{name}.successThreshold"
        if probe and len({"httpGet", "tcpSocket", "grpc", "exec"} & probe.keys()) != 1:
            yield f"{name}: not one check"
        if min([1, *(v for k, v in probe.items() if k.endswith(("periodSeconds", "old")))]) < 1:
            yield f"{name}: below 1"


def _security(context: dict[str, Any]) -> Iterator[str]:
    if context.get("allowPrivilegeEscalation") is False and (
        context.get("privileged")
        or "CAP_SYS_ADMIN" in context.get("capabilities", {}).get("add", ())
    ):
        yield "allowPrivilegeEscalation"


def _job(spec: dict[str, Any], name: str) -> Iterator[str]:
    template = spec["template"]
    yield from (
        f"label {key} of a Job"
        for key in template["metadata"]["labels"]
        if re.fullmatch(r"(batch\.kubernetes\.io/)?(job-name|controller-uid)", key)
    )
    if template["spec"].get("restartPolicy") not in {"Never", "OnFailure"}:
        yield "restartPolicy of a Job"
    if spec.get("completionMode") == "Indexed":
        completions = spec.get("completions")
        if completions is None:
            yield "completions"
        elif len(f"{name}-{completions - 1}") > 63:
            yield f"pods of {name} have too long names"


def _deployment(spec: dict[str, Any]) -> Iterator[str]:
    steps = spec.get("strategy", {}).get("rollingUpdate", {})
    if steps and spec["strategy"]["type"] == "Recreate":
        yield "rollingUpdate"
    if {steps.get("maxSurge"), steps.get("maxUnavailable")} <= {0, "0%"}:
        yield "maxUnavailable"
    if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
        yield "progressDeadlineSeconds"


def _config(obj: dict[str, Any]) -> Iterator[str]:
    yield from (
        f"key {key}"
        for key in (*obj.get("data", {}), *obj.get("binaryData", {}))
        if not re.fullmatch(_DATA_KEY, key)
    )
    yield from (
        f"key {key} twice" for key in obj.get("data", {}) if key in obj.get("binaryData", {})
    )


def _autoscaler(spec: dict[str, Any]) -> Iterator[str]:
    if not 1 <= spec["minReplicas"] <= spec["maxReplicas"]:
        yield "minReplicas"
    for rules in spec.get("behavior", {}).values():
        if not 0 <= rules.get("stabilizationWindowSeconds", 0) <= 3600:
            yield "stabilizationWindowSeconds"
        for step in rules.get("policies", []):
            if step["value"] < 1 or not 1 <= step["periodSeconds"] <= 1800:
                yield "policies"


def _claim(spec: dict[str, Any]) -> Iterator[str]:
    modes = spec["accessModes"]
    if not modes or ("ReadWriteOncePod" in modes and len(modes) > 1):
        yield "accessModes"
    if not quantity.amount(spec["resources"]["requests"]["storage"]):
        yield "storage"


def _service(spec: dict[str, Any]) -> Iterator[str]:
    ports = spec.get("ports", [])
    if spec["type" if "type" in spec else "clusterIP"] == "LoadBalancer":
        yield from ("the kubelet's port" for p in ports if p["port"] == 10250)
    if spec.get("clusterIP") == "None" and spec.get("type", "ClusterIP") != "ClusterIP":
        yield "headless"
    if spec.get("type") not in {"NodePort", "LoadBalancer"}:
        yield from ("nodePort" for p in ports if "nodePort" in p)
        yield from ("externalTrafficPolicy" for _ in [0] if "externalTrafficPolicy" in spec)
    nodes = [(p["nodePort"], p["protocol"]) for p in ports if "nodePort" in p]
    yield from _unique(nodes, "nodePort")
    timeout = spec.get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds", 1)
    if not 1 <= timeout <= 86_400:
        yield "timeoutSeconds"
    yield from _unique([(p["port"], p["protocol"]) for p in ports], "ports")
    if len(ports) > 1:
        yield from _unique([p.get("name") for p in ports], "port names")
        yield from ("a port without a name" for p in ports if "name" not in p)
    yield from (f"port {p['name']}" for p in ports if not re.fullmatch(LABEL, p.get("name", "a")))
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and spec["type"] != "ExternalName":
        yield "ports: none"


def _ingress(spec: dict[str, Any]) -> Iterator[str]:
    if not spec["rules"]:
        yield "rules: none"
    for rule in spec["rules"]:
        if not rule["http"]["paths"]:
            yield "paths: none"
        for path in rule["http"]["paths"]:
            port = path["backend"]["service"]["port"]
            if len(port) != 1 or not path["path"].startswith("/"):
                yield f"path {path}"
            if path["pathType"] != "ImplementationSpecific" and re.search(
                r"//|/\.{1,2}(/|$)|%2[fF]", path["path"]
            ):
                yield f"path {path}"


def _policy(spec: dict[str, Any]) -> Iterator[str]:
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(side, []):
            if rule.get(peers) == [] or {} in rule.get(peers, []):
                yield f"{side}: allows everybody without saying so"
            if side.capitalize() not in spec["policyTypes"]:
                yield f"{side}: not ruled"
            yield from (
                "endPort"
                for port in rule.get("ports", [])
                if "endPort" in port
                and (not isinstance(port.get("port"), int) or port["endPort"] < port["port"])
            )
            yield from ("ipBlock" for p in rule.get(peers, []) if "ipBlock" in p and len(p) > 1)


def _stateful(obj: dict[str, Any]) -> Iterator[str]:
    yield from _selecting(obj)
    for claim in obj["spec"].get("volumeClaimTemplates", []):
        yield from _claim(claim["spec"])


def _jobs(obj: dict[str, Any]) -> Iterator[str]:
    """A Job, or those of a CronJob, whose names have eleven characters more."""
    name, spec = obj["metadata"]["name"], obj["spec"]
    if "jobTemplate" in spec:
        yield from labels(spec["jobTemplate"]["metadata"]["labels"])
        name, spec = f"{name}-0123456789", spec["jobTemplate"]["spec"]
    yield from _template(spec["template"], "Job")
    yield from _job(spec, name)


OF_KIND: dict[str, Callable[[dict[str, Any]], Iterable[str]]] = {
    "ConfigMap": _config,
    "CronJob": _jobs,
    "DaemonSet": _selecting,
    "Deployment": lambda obj: (*_selecting(obj), *_deployment(obj["spec"])),
    "HorizontalPodAutoscaler": lambda obj: _autoscaler(obj["spec"]),
    "Ingress": lambda obj: _ingress(obj["spec"]),
    "Job": _jobs,
    "NetworkPolicy": lambda obj: _policy(obj["spec"]),
    "PersistentVolumeClaim": lambda obj: _claim(obj["spec"]),
    "Service": lambda obj: _service(obj["spec"]),
    "StatefulSet": _stateful,
}
