"""Services read back; the edge to the workload whose pods they lead to."""

import ipaddress
from typing import Any

from app.domain.importing.imported import ImportCode
from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.metadata import read_metadata
from app.domain.importing.manifests.objects import Source, at, items
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Arrow, Reading, Scene
from app.domain.nodes.service import ServiceNodeData
from app.domain.workload import WorkloadData

_FIELDS = {
    "service_type": "type",
    "external_name": "externalName",
    "session_affinity": "sessionAffinity",
    "publish_not_ready_addresses": "publishNotReadyAddresses",
    "load_balancer_ip": "loadBalancerIP",
    "load_balancer_class": "loadBalancerClass",
    "external_traffic_policy": "externalTrafficPolicy",
    "internal_traffic_policy": "internalTrafficPolicy",
}
_TIMEOUT = ("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds")
_TARGETS = {"deployment", "statefulset", "daemonset"}


def read(form: Form, source: Source, scene: Scene) -> None:
    read_metadata(form, source, scene)
    for name, key in _FIELDS.items():
        form.take(name, "spec", key)
    form.take("session_affinity_timeout_seconds", *_TIMEOUT)
    if at(form.object, "spec", "clusterIP") == "None":
        form.put("headless", True, "spec", "clusterIP")
    form.put("selector", at(form.object, "spec", "selector") or None, "spec", "selector")
    form.vital = ("load_balancer_source_ranges",)
    path = ("spec", "loadBalancerSourceRanges")
    ranges = at(form.object, *path)
    if ranges:
        listed = [cidr(text) for text in ranges] if isinstance(ranges, list) else ranges
        form.put("load_balancer_source_ranges", listed, *path)
    _read_ports(form)


def cidr(text: Any) -> Any:
    """An address range without bits beyond its prefix, as every reader of it takes it."""
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except (ValueError, AttributeError):
        return text


def _read_ports(form: Form) -> None:
    listed = list(items(at(form.object, "spec", "ports")))
    for i, port in listed:
        plain = port.get("protocol") in (None, "TCP") and not (
            port.get("name") or port.get("nodePort") or port.get("appProtocol")
        )
        if plain and len(listed) == 1:
            form.put("port", port.get("port"), "spec", "ports", "0", "port")
            form.put("target_port", port.get("targetPort"), "spec", "ports", "0", "targetPort")
            return
        made = {
            "name": port.get("name") or None,
            "protocol": port.get("protocol"),
            "port": port.get("port"),
            "target_port": port.get("targetPort"),
            "node_port": port.get("nodePort") or None,
            "app_protocol": port.get("appProtocol"),
        }
        form.add("ports", made, "spec", "ports", str(i))


def link(reading: Reading, scene: Scene) -> list[Arrow]:
    data = reading.data
    if not isinstance(data, ServiceNodeData) or not data.selector:
        return []
    found = scene.selected(data.selector, reading.source)
    if not found:
        says = "No workload in the source has pods with these labels."
        reading.form.firm.append((ImportCode.MISSING, ("spec", "selector"), says))
    if len(found) != 1 or found[0].type.value not in _TARGETS or _usurps(data, found[0], scene):
        return []
    reading.data = _led(data, found[0].data)
    reading.form.changed["spec", "selector"] = "An edge to the workload says which pods answer."
    return [Arrow(reading.node_id, found[0].node_id)]


def _usurps(data: ServiceNodeData, target: Reading, scene: Scene) -> bool:
    """Whether an edge would make this the Service that governs somebody else's StatefulSet."""
    if target.type.value != "statefulset" or not data.headless:
        return False
    named = getattr(target.data, "service_name", None) or at(
        target.source.object, "spec", "serviceName"
    )
    if not isinstance(named, str):
        return False
    governing = scene.named("service", target.source, named)
    return data.name != named and not (
        governing is not None
        and isinstance(governing.data, ServiceNodeData)
        and governing.data.headless
        and target in scene.selected(governing.data.selector or {}, governing.source)
    )


def _led(data: ServiceNodeData, workload: Any) -> ServiceNodeData:
    """The data with an edge to a workload; a port that is not the workload's is said."""
    data = data.having(selector=None)
    only = next(iter(data.all_ports()), None) if len(data.all_ports()) == 1 else None
    if only is None or only.target_port is not None or not isinstance(workload, WorkloadData):
        return data
    listens = next((port.port for port in workload.listens()), None)
    return data if listens is None else data.having(target_port=only.port)


READER = Reader(frozenset({("", "Service")}), read, link)
