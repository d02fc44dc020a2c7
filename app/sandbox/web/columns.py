"""Which columns `kubectl get` shows of a kind, between its name and its age."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.sandbox.objects import Object, at, is_leaving

NONE = "<none>"


@dataclass(frozen=True)
class Column:
    """A column; `wide` ones are shown with `-o wide` alone."""

    name: str
    of: Callable[[Object], Any]
    type: str = "string"
    wide: bool = False


def _text(name: str, path: str, default: Any = NONE) -> Column:
    return Column(name, lambda obj: str(at(obj, path, default)))


def _number(name: str, path: str) -> Column:
    return Column(name, lambda obj: at(obj, path, 0), "integer")


def _part(name: str, some: str, whole: str) -> Column:
    return Column(name, lambda obj: f"{at(obj, some, 0)}/{at(obj, whole, 0)}")


def _joined(path: str) -> Callable[[Object], str]:
    """The labels of a selector, or a map: `a=b,c=d`."""

    def of(obj: Object) -> str:
        found = at(obj, path) or {}
        return ",".join(f"{key}={value}" for key, value in found.items()) or NONE

    return of


def _containers(field: str, path: str = "spec.template.spec") -> Callable[[Object], str]:
    return lambda obj: ",".join(c.get(field, "") for c in at(obj, path, {}).get("containers", ()))


def _ready(pod: Object) -> str:
    statuses = at(pod, "status.containerStatuses", [])
    ready = sum(bool(each.get("ready")) for each in statuses)
    return f"{ready}/{len(pod['spec'].get('containers', ()))}"


def _pod_status(pod: Object) -> str:
    said = str(at(pod, "status.reason") or at(pod, "status.phase", "Unknown"))
    for status in reversed(at(pod, "status.containerStatuses", [])):
        state = status.get("state") or {}
        reason = (state.get("waiting") or state.get("terminated") or {}).get("reason")
        if reason:
            said = str(reason)
    return "Terminating" if is_leaving(pod) else said


def _restarts(pod: Object) -> str:
    statuses = at(pod, "status.containerStatuses", [])
    return str(sum(each.get("restartCount", 0) for each in statuses))


def _ports(service: Object) -> str:
    found = []
    for port in at(service, "spec.ports", []):
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        found.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(found) or NONE


def _external(service: Object) -> str:
    kind = at(service, "spec.type")
    if kind == "ExternalName":
        return str(at(service, "spec.externalName"))
    if kind != "LoadBalancer":
        return ",".join(at(service, "spec.externalIPs", [])) or NONE
    return _addresses(service) or "<pending>"


def _addresses(obj: Object) -> str:
    found = at(obj, "status.loadBalancer.ingress", [])
    return ",".join(each.get("ip") or each.get("hostname", "") for each in found)


def _hosts(ingress: Object) -> str:
    return ",".join(rule.get("host", "*") for rule in at(ingress, "spec.rules", [])) or "*"


def _job(job: Object) -> str:
    conditions = {c["type"] for c in at(job, "status.conditions", []) if c["status"] == "True"}
    for kind, said in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if kind in conditions:
            return said
    return "Terminating" if is_leaving(job) else "Running"


def _node(node: Object) -> str:
    conditions = at(node, "status.conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return "Ready" if ready else "NotReady"


def _roles(node: Object) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = at(node, "metadata.labels", {})
    return ",".join(key.removeprefix(prefix) for key in labels if key.startswith(prefix)) or NONE


_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _modes(obj: Object) -> str:
    modes = at(obj, "status.accessModes") or at(obj, "spec.accessModes", [])
    return ",".join(_MODES.get(mode, mode) for mode in modes)


def _reference(scaler: Object) -> str:
    target = at(scaler, "spec.scaleTargetRef", {})
    return f"{target.get('kind')}/{target.get('name')}"


def _involved(event: Object) -> str:
    involved = event.get("involvedObject", {})
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def _size(*fields: str) -> Column:
    return Column("Data", lambda obj: sum(len(obj.get(f) or {}) for f in fields), "integer")


_WORKLOAD = (
    Column("Containers", _containers("name"), wide=True),
    Column("Images", _containers("image"), wide=True),
    Column("Selector", _joined("spec.selector.matchLabels"), wide=True),
)

OF_KIND: dict[tuple[str, str], tuple[Column, ...]] = {
    ("", "Pod"): (
        Column("Ready", _ready),
        Column("Status", _pod_status),
        Column("Restarts", _restarts),
        Column("IP", lambda pod: at(pod, "status.podIP", NONE), wide=True),
        Column("Node", lambda pod: at(pod, "spec.nodeName", NONE), wide=True),
    ),
    ("apps", "Deployment"): (
        _part("Ready", "status.readyReplicas", "spec.replicas"),
        _number("Up-to-date", "status.updatedReplicas"),
        _number("Available", "status.availableReplicas"),
        *_WORKLOAD,
    ),
    ("apps", "ReplicaSet"): (
        _number("Desired", "spec.replicas"),
        _number("Current", "status.replicas"),
        _number("Ready", "status.readyReplicas"),
        *_WORKLOAD,
    ),
    ("apps", "StatefulSet"): (
        _part("Ready", "status.readyReplicas", "spec.replicas"),
        *_WORKLOAD[:2],
    ),
    ("apps", "DaemonSet"): (
        _number("Desired", "status.desiredNumberScheduled"),
        _number("Current", "status.currentNumberScheduled"),
        _number("Ready", "status.numberReady"),
        _number("Up-to-date", "status.updatedNumberScheduled"),
        _number("Available", "status.numberAvailable"),
        Column("Node Selector", _joined("spec.template.spec.nodeSelector")),
        *_WORKLOAD,
    ),
    ("batch", "Job"): (
        Column("Status", _job),
        _part("Completions", "status.succeeded", "spec.completions"),
        *_WORKLOAD,
    ),
    ("batch", "CronJob"): (
        _text("Schedule", "spec.schedule"),
        _text("Timezone", "spec.timeZone"),
        Column("Suspend", lambda obj: str(at(obj, "spec.suspend", False))),
        Column("Active", lambda obj: len(at(obj, "status.active", [])), "integer"),
    ),
    ("", "Service"): (
        _text("Type", "spec.type"),
        _text("Cluster-IP", "spec.clusterIP"),
        Column("External-IP", _external),
        Column("Port(s)", _ports),
        Column("Selector", _joined("spec.selector"), wide=True),
    ),
    ("networking.k8s.io", "Ingress"): (
        _text("Class", "spec.ingressClassName"),
        Column("Hosts", _hosts),
        Column("Address", _addresses),
        Column("Ports", lambda obj: "80, 443" if at(obj, "spec.tls") else "80"),
    ),
    ("networking.k8s.io", "IngressClass"): (_text("Controller", "spec.controller"),),
    ("networking.k8s.io", "NetworkPolicy"): (
        Column("Pod-Selector", _joined("spec.podSelector.matchLabels")),
    ),
    ("", "ConfigMap"): (_size("data", "binaryData"),),
    ("", "Secret"): (_text("Type", "type"), _size("data")),
    ("", "Namespace"): (_text("Status", "status.phase"),),
    ("", "Node"): (
        Column("Status", _node),
        Column("Roles", _roles),
        _text("Version", "status.nodeInfo.kubeletVersion"),
    ),
    ("", "PersistentVolumeClaim"): (
        _text("Status", "status.phase"),
        _text("Volume", "spec.volumeName", ""),
        _text("Capacity", "status.capacity.storage", ""),
        Column("Access Modes", _modes),
        _text("StorageClass", "spec.storageClassName", ""),
    ),
    ("", "PersistentVolume"): (
        _text("Capacity", "spec.capacity.storage", ""),
        Column("Access Modes", _modes),
        _text("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"),
        _text("Status", "status.phase"),
        _text("Claim", "spec.claimRef.name", ""),
        _text("StorageClass", "spec.storageClassName", ""),
    ),
    ("storage.k8s.io", "StorageClass"): (
        _text("Provisioner", "provisioner"),
        _text("ReclaimPolicy", "reclaimPolicy"),
        _text("VolumeBindingMode", "volumeBindingMode"),
        _text("AllowVolumeExpansion", "allowVolumeExpansion", "false"),
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): (
        Column("Reference", _reference),
        Column("Targets", lambda _: "<unknown>"),
        _number("MinPods", "spec.minReplicas"),
        _number("MaxPods", "spec.maxReplicas"),
        _number("Replicas", "status.currentReplicas"),
    ),
    ("", "Event"): (
        _text("Type", "type", ""),
        _text("Reason", "reason", ""),
        Column("Object", _involved),
        _text("Message", "message", ""),
    ),
}
