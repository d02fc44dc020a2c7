"""Services: the pods behind them as EndpointSlices, and an address from outside."""

import zlib
from typing import Any

from app.sandbox.objects import Object, annotations_of, is_leaving, labels_of
from app.sandbox.resources import Resource
from app.sandbox.selectors import from_label_selector
from app.sandbox.store import Event
from app.sandbox.world import Key, World, key_of
from app.sandbox.world.pods import has_ended, is_ready
from app.sandbox.world.references import reference
from app.sandbox.world.telling import tell

NO_ADDRESS = "sandbox/no-address"
"""An annotation of a Service or an Ingress that no address from outside is to be given."""

_MANAGER = "endpointslice-controller.k8s.io"
_DELAY = 1.0


def outside(obj: Object) -> str:
    """An address of a range that is reserved for documentation; the same for a name each time."""
    name = f"{obj['metadata'].get('namespace')}/{obj['metadata']['name']}"
    return f"203.0.113.{zlib.crc32(name.encode()) % 254 + 1}"


def has_address(obj: Object) -> bool:
    return NO_ADDRESS not in annotations_of(obj)


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Keep the slices and the address as they should be."""
    if is_leaving(obj):
        return
    _balance(world, resource, obj)
    selector = obj["spec"].get("selector")
    if not selector or obj["spec"]["type"] == "ExternalName":
        return
    chosen = from_label_selector({"matchLabels": selector})
    pods = [
        pod
        for pod in world.list("Pod", obj["metadata"]["namespace"])
        if chosen.matches(labels_of(pod))
        and not has_ended(pod)
        and pod.get("status", {}).get("podIP")
    ]
    _slice(world, resource, obj, pods)
    _endpoints(world, obj, pods)


def _balance(world: World, resource: Resource, obj: Object) -> None:
    before = obj.get("status", {}).get("loadBalancer") or {}
    wanted: Object = {}
    if obj["spec"]["type"] == "LoadBalancer" and has_address(obj):
        left = _DELAY - world.since(obj)
        if left > 0 and not before:
            tell(
                world,
                resource,
                obj,
                "EnsuringLoadBalancer",
                "Ensuring load balancer",
                source="service-controller",
            )
            world.after(left, resource, obj)
            return
        wanted = {"ingress": [{"ip": outside(obj), "ipMode": "VIP"}]}
    if before != wanted:
        world.status(resource, obj, {**obj.get("status", {}), "loadBalancer": wanted})
        if wanted:
            text = "Ensured load balancer"
            tell(world, resource, obj, "EnsuredLoadBalancer", text, source="service-controller")


def _ports(obj: Object, pods: list[Object]) -> list[Object]:
    found = []
    for port in obj["spec"].get("ports") or ():
        number = _number(port.get("targetPort", port["port"]), pods)
        if number is not None:
            found.append(
                {"name": port.get("name", ""), "port": number, "protocol": port["protocol"]}
            )
    return found


def _number(target: Any, pods: list[Object]) -> int | None:
    """A port by number, or by the name that a container gives it."""
    if isinstance(target, int):
        return target
    for pod in pods:
        for container in pod["spec"]["containers"]:
            for port in container.get("ports") or ():
                if port.get("name") == target:
                    return int(port["containerPort"])
    return None


def _slice(world: World, resource: Resource, obj: Object, pods: list[Object]) -> None:
    metadata, kind = obj["metadata"], world.of("EndpointSlice")
    labels = {
        **(metadata.get("labels") or {}),
        "endpointslice.kubernetes.io/managed-by": _MANAGER,
        "kubernetes.io/service-name": metadata["name"],
    }
    if obj["spec"].get("clusterIP") == "None":
        labels["service.kubernetes.io/headless"] = ""
    unready = bool(obj["spec"].get("publishNotReadyAddresses"))
    wanted: Object = {
        "addressType": "IPv4",
        "endpoints": [_endpoint(pod, unready=unready) for pod in pods],
        "ports": _ports(obj, pods),
    }
    own = [
        each
        for key, each in world.dependents(obj)
        if key.resource == kind
        and labels_of(each).get("endpointslice.kubernetes.io/managed-by") == _MANAGER
    ]
    if own:
        same = {name: own[0].get(name) for name in wanted}
        if same != wanted or own[0]["metadata"]["labels"] != labels:
            changed = {**own[0]["metadata"], "labels": labels}
            world.update(kind, own[0], metadata=changed, **wanted)
        return
    world.create(
        kind,
        {
            "metadata": {
                "generateName": f"{metadata['name']}-",
                "namespace": metadata["namespace"],
                "labels": labels,
                "ownerReferences": [reference(resource, obj)],
            },
            **wanted,
        },
    )


def _endpoint(pod: Object, *, unready: bool) -> Object:
    ready, leaving = is_ready(pod), is_leaving(pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": unready or (ready and not leaving),
            "serving": unready or ready,
            "terminating": leaving,
        },
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": _target(pod),
    }


def _target(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
    }


def _endpoints(world: World, obj: Object, pods: list[Object]) -> None:
    """The older form of the same, which `kubectl describe` still reads."""
    kind, metadata = world.of("Endpoints"), obj["metadata"]
    groups: dict[str, list[Object]] = {"addresses": [], "notReadyAddresses": []}
    for pod in pods:
        if is_leaving(pod):
            continue
        entry = {
            "ip": pod["status"]["podIP"],
            "nodeName": pod["spec"].get("nodeName"),
            "targetRef": _target(pod),
        }
        groups["addresses" if is_ready(pod) else "notReadyAddresses"].append(entry)
    found = {name: entries for name, entries in groups.items() if entries}
    subsets = [{**found, "ports": _ports(obj, pods)}] if found else []
    live = world.store.get(kind, metadata["namespace"], metadata["name"])
    if live is None:
        labels = {
            **(metadata.get("labels") or {}),
            "endpoints.kubernetes.io/managed-by": ("endpoint-controller"),
        }
        place = {"name": metadata["name"], "namespace": metadata["namespace"], "labels": labels}
        world.create(kind, {"metadata": place, "subsets": subsets})
    elif live.get("subsets", []) != subsets:
        world.update(kind, live, subsets=subsets)


def sync_endpoints(world: World, resource: Resource, obj: Object) -> None:
    """Endpoints go with their Service."""
    metadata = obj["metadata"]
    managed = "endpoints.kubernetes.io/managed-by" in (metadata.get("labels") or {})
    if managed and world.get("Service", metadata["namespace"], metadata["name"]) is None:
        world.delete(resource, obj)


def behind(world: World, event: Event) -> list[Key]:
    """The Services that choose a pod, and the Endpoints of a Service that is gone."""
    resource, obj = event.resource, event.object
    namespace = obj["metadata"].get("namespace", "")
    if resource.kind == "Service" and event.type == "DELETED":
        return [Key(world.of("Endpoints"), namespace, obj["metadata"]["name"])]
    if resource.kind != "Pod" or resource.group:
        return []
    labels = [labels_of(each) for each in (obj, event.previous) if each]
    kind = world.of("Service")
    return [
        key_of(kind, each)
        for each in world.store.list(kind, namespace)
        if (chosen := each["spec"].get("selector"))
        and any(chosen.items() <= own.items() for own in labels)
    ]
