"""DaemonSets: one pod on every node that it may run on."""

from app.sandbox.admission.numbers import part_of
from app.sandbox.controllers import histories
from app.sandbox.objects import Object, is_leaving, labels_of
from app.sandbox.resources import Resource
from app.sandbox.selectors import LabelSelector, from_label_selector
from app.sandbox.store import Event
from app.sandbox.world import Key, World, key_of
from app.sandbox.world.pods import available, create_pod, delete_pod, is_ready, phase
from app.sandbox.world.references import claimed


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Make, replace and remove pods, and count them."""
    pods = claimed(world, resource, obj, "Pod")
    if is_leaving(obj):
        return
    update, known = histories.revised(world, resource, obj)
    name = str(update["metadata"]["name"]).removeprefix(f"{obj['metadata']['name']}-")
    chosen = from_label_selector({"matchLabels": _node_selector(obj)})
    nodes = [str(n["metadata"]["name"]) for n in world.list("Node") if _takes(chosen, n)]
    by_node: dict[str, list[Object]] = {}
    for pod in pods:
        by_node.setdefault(_node(pod), []).append(pod)
    for node, there in by_node.items():
        extra = there if node not in nodes else there[1:]
        for pod in extra:
            if not is_leaving(pod):
                delete_pod(world, resource, obj, pod)
    kept = {node: by_node[node][0] for node in nodes if node in by_node}
    for pod in kept.values():
        if phase(pod) == "Failed" and not is_leaving(pod):
            delete_pod(world, resource, obj, pod)
    for node in nodes:
        if node not in kept:
            _make(world, resource, obj, node, name)
    usable = _usable(world, resource, obj, list(kept.values()))
    if obj["spec"]["updateStrategy"]["type"] == "RollingUpdate":
        _update(world, resource, obj, kept, hash_=name, wanted=len(nodes), usable=usable)
    there = list(kept.values())
    _count(world, resource, obj, there, hash_=name, wanted=len(nodes), usable=usable)
    used = {f"{obj['metadata']['name']}-{_hash(pod)}" for pod in pods}
    histories.forget_old(world, obj, known, used | {str(update["metadata"]["name"])})


def _node_selector(obj: Object) -> dict[str, str]:
    return dict(obj["spec"]["template"]["spec"].get("nodeSelector") or {})


def _takes(chosen: LabelSelector, node: Object) -> bool:
    return chosen.matches(labels_of(node))


def _hash(pod: Object) -> str:
    return str(labels_of(pod).get(histories.LABEL))


def _node(pod: Object) -> str:
    """The node that a pod is meant for, before the scheduler has said so."""
    try:
        terms = pod["spec"]["affinity"]["nodeAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]["nodeSelectorTerms"]
        return str(terms[0]["matchFields"][0]["values"][0])
    except (KeyError, IndexError):
        return str(pod["spec"].get("nodeName", ""))


def _make(world: World, resource: Resource, obj: Object, node: str, hash_: str) -> None:
    template = {**obj["spec"]["template"]}
    match = {"key": "metadata.name", "operator": "In", "values": [node]}
    affinity = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchFields": [match]}]
        }
    }
    spec = {**template["spec"]}
    spec["affinity"] = {**(spec.get("affinity") or {}), "nodeAffinity": affinity}
    template["spec"] = spec
    generation = str(obj["metadata"]["generation"])
    metadata: Object = {
        "generateName": f"{obj['metadata']['name']}-",
        "labels": {histories.LABEL: hash_, "pod-template-generation": generation},
    }
    pod, _ = create_pod(world, resource, obj, template, metadata)
    if pod is None:
        world.after(10.0, resource, obj)


def _usable(world: World, resource: Resource, obj: Object, pods: list[Object]) -> list[Object]:
    there = [pod for pod in pods if not is_leaving(pod)]
    return available(world, resource, obj, there, obj["spec"].get("minReadySeconds", 0))


def _update(
    world: World,
    resource: Resource,
    obj: Object,
    kept: dict[str, Object],
    *,
    hash_: str,
    wanted: int,
    usable: list[Object],
) -> None:
    """Replace pods of another version, as many at a time as may be missing."""
    rolling = obj["spec"]["updateStrategy"].get("rollingUpdate") or {}
    spare = part_of(rolling.get("maxUnavailable", 1), wanted, up=True) or 1
    spare -= wanted - len(usable)
    names = {str(pod["metadata"]["uid"]) for pod in usable}
    for pod in kept.values():
        if _hash(pod) == hash_ or is_leaving(pod):
            continue
        is_usable = str(pod["metadata"]["uid"]) in names
        if is_usable and spare <= 0:
            continue
        spare -= is_usable
        delete_pod(world, resource, obj, pod)


def _count(
    world: World,
    resource: Resource,
    obj: Object,
    pods: list[Object],
    *,
    hash_: str,
    wanted: int,
    usable: list[Object],
) -> None:
    updated = [pod for pod in pods if _hash(pod) == hash_]
    counts = {
        "updatedNumberScheduled": len(updated),
        "numberAvailable": len(usable),
        "numberUnavailable": wanted - len(usable),
    }
    status = {
        "currentNumberScheduled": len(pods),
        "numberMisscheduled": 0,
        "desiredNumberScheduled": wanted,
        "numberReady": sum(map(is_ready, pods)),
        "observedGeneration": obj["metadata"]["generation"],
        **{name: count for name, count in counts.items() if count},
    }
    world.status(resource, obj, status)


def on_nodes(world: World, event: Event) -> list[Key]:
    """Every DaemonSet, when nodes change."""
    if event.resource.kind != "Node":
        return []
    kind = world.of("DaemonSet")
    return [key_of(kind, each) for each in world.store.list(kind)]
