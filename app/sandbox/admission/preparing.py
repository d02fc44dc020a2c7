"""What the server itself decides when an object is written: addresses, identities, first status.

An update keeps what the server gave before where the client did not send it back.
"""

import base64
import ipaddress
from collections.abc import Callable, Iterable
from typing import Any

from app.sandbox.admission.causes import invalid as wrong
from app.sandbox.errors import invalid
from app.sandbox.objects import Object, annotations_of
from app.sandbox.resources import Resource
from app.sandbox.store import Store

SERVICES = ipaddress.ip_network("198.18.0.0/16")
"""Where cluster addresses come from: reserved for measurements, so nobody's."""
NODE_PORTS = range(30000, 32768)
_NO_ADDRESS = ("ExternalName",)

Preparing = Callable[[Store, Resource, Object, Object | None], None]


def _namespace(_store: Store, _resource: Resource, obj: Object, live: Object | None) -> None:
    metadata = obj["metadata"]
    labels = metadata["labels"] = {**(metadata.get("labels") or {})}
    labels["kubernetes.io/metadata.name"] = metadata["name"]
    if live is None:
        obj["spec"] = {"finalizers": ["kubernetes"]}
        obj["status"] = {"phase": "Active"}
    elif "spec" in live:
        obj["spec"] = live["spec"]


def _pod(_store: Store, _resource: Resource, obj: Object, live: Object | None) -> None:
    spec = obj["spec"]
    if live is not None:
        return
    fill = {"enableServiceLinks": True, "preemptionPolicy": "PreemptLowerPriority", "priority": 0}
    for name, value in fill.items():
        spec.setdefault(name, value)
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(each.get("key") in (key, None) for each in tolerations):
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            )
    obj["status"] = {"phase": "Pending", "qosClass": quality(spec)}


def quality(spec: Object) -> str:
    """`Guaranteed`, `Burstable` or `BestEffort`, by the requests and limits of the containers."""
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    amounts = [c.get("resources") or {} for c in containers]
    if not any(a.get("limits") or a.get("requests") for a in amounts):
        return "BestEffort"
    equal = all(
        {"cpu", "memory"} <= (a.get("limits") or {}).keys()
        and all((a.get("requests") or a["limits"]).get(k) == a["limits"][k] for k in a["limits"])
        for a in amounts
    )
    return "Guaranteed" if equal else "Burstable"


def _claim(store: Store, _resource: Resource, obj: Object, live: Object | None) -> None:
    if live is not None:
        return
    obj["status"] = {"phase": "Pending"}
    if "storageClassName" not in obj["spec"]:
        name = _default_class(store)
        if name:
            obj["spec"]["storageClassName"] = name
    finalizers = obj["metadata"].setdefault("finalizers", [])
    if "kubernetes.io/pvc-protection" not in finalizers:
        finalizers.append("kubernetes.io/pvc-protection")


def _default_class(store: Store) -> str | None:
    mark = "storageclass.kubernetes.io/is-default-class"
    for each in store.list(Resource("storage.k8s.io", "v1", "storageclasses", "", "")):
        if annotations_of(each).get(mark) == "true":
            return str(each["metadata"]["name"])
    return None


def _secret(_store: Store, _resource: Resource, obj: Object, _live: Object | None) -> None:
    written = obj.pop("stringData", None)
    if written:
        data = obj["data"] = {**(obj.get("data") or {})}
        for key, value in written.items():
            data[key] = base64.b64encode(value.encode()).decode()


def _job(_store: Store, _resource: Resource, obj: Object, live: Object | None) -> None:
    spec = obj["spec"]
    if live is not None:
        if "selector" not in spec and "selector" in live["spec"]:
            spec["selector"] = live["spec"]["selector"]
        return
    obj["status"] = {}
    if spec.get("manualSelector") or "template" not in spec:
        return
    uid, name = obj["metadata"]["uid"], obj["metadata"]["name"]
    labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
    labels |= {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}


def _service(store: Store, resource: Resource, obj: Object, live: Object | None) -> None:
    spec, before = obj["spec"], (live or {}).get("spec", {})
    if spec["type"] in _NO_ADDRESS:
        for name in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(name) == before.get(name):
                spec.pop(name, None)
    else:
        _addresses(store, resource, spec, before)
    _node_ports(store, resource, obj, before)
    if live is None:
        obj["status"] = {"loadBalancer": {}}


def _addresses(store: Store, resource: Resource, spec: Object, before: Object) -> None:
    if not spec.get("clusterIP"):
        given = (spec.get("clusterIPs") or [None])[0] or before.get("clusterIP")
        spec["clusterIP"] = given or _free_address(store, resource)
    if not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]
    spec.setdefault("ipFamilies", before.get("ipFamilies", ["IPv4"]))
    spec.setdefault("ipFamilyPolicy", before.get("ipFamilyPolicy", "SingleStack"))


def _free_address(store: Store, resource: Resource) -> str:
    taken = {each["spec"].get("clusterIP") for each in store.list(resource)}
    # .1 is the API server's own.
    return next(str(a) for a in SERVICES.hosts() if str(a) not in taken and a != SERVICES[1])


def _node_ports(store: Store, resource: Resource, obj: Object, before: Object) -> None:
    spec = obj["spec"]
    ports: list[Object] = spec.get("ports") or []
    if spec["type"] not in ("NodePort", "LoadBalancer"):
        had = {p.get("nodePort") for p in before.get("ports") or ()}
        for port in ports:
            if port.get("nodePort") in had:
                port.pop("nodePort", None)
        return
    if spec.get("allocateLoadBalancerNodePorts") is False and spec["type"] == "LoadBalancer":
        return
    name = obj["metadata"]["name"]
    others = (
        each for each in store.list(resource) if each["metadata"]["uid"] != obj["metadata"]["uid"]
    )
    taken = {(p.get("nodePort"), p["protocol"]) for o in others for p in o["spec"].get("ports", ())}
    kept = {_port_key(p): p.get("nodePort") for p in before.get("ports") or ()}
    for i, port in enumerate(ports):
        if kept.get(_port_key(port)):
            port.setdefault("nodePort", kept[_port_key(port)])
        if port.get("nodePort"):
            if (port["nodePort"], port["protocol"]) in taken:
                path, why = f"spec.ports[{i}].nodePort", "provided port is already allocated"
                raise invalid(resource, name, [wrong(path, port["nodePort"], why)])
        else:
            port["nodePort"] = _free_port(taken, ports, port["protocol"])


def _free_port(taken: set[tuple[Any, str]], ports: Iterable[Object], protocol: str) -> int:
    mine = {port.get("nodePort") for port in ports}
    return next(n for n in NODE_PORTS if (n, protocol) not in taken and n not in mine)


def _port_key(port: Object) -> tuple[Any, str]:
    return port.get("port"), port.get("protocol", "TCP")


def _definition(_store: Store, _resource: Resource, obj: Object, live: Object | None) -> None:
    if live is None:
        obj.pop("status", None)


_OF_KIND: dict[tuple[str, str], Preparing] = {
    ("", "Namespace"): _namespace,
    ("", "Pod"): _pod,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Secret"): _secret,
    ("", "Service"): _service,
    ("batch", "Job"): _job,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}


def prepare(store: Store, resource: Resource, obj: Object, live: Object | None) -> None:
    """Give an object what the server gives, in place; `live` None is a creation."""
    preparing = _OF_KIND.get((resource.group, resource.kind))
    if preparing is not None:
        preparing(store, resource, obj, live)
