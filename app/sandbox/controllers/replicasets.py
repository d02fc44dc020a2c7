"""ReplicaSets: as many pods of one template as are wanted."""

from app.sandbox.objects import Object, is_leaving, labels_of
from app.sandbox.resources import Resource
from app.sandbox.selectors import from_label_selector
from app.sandbox.world import World
from app.sandbox.world.conditions import with_condition
from app.sandbox.world.pods import available, create_pod, delete_pod, is_active, is_ready
from app.sandbox.world.references import claimed

_AT_ONCE = 50
"""Pods made or removed in one go, so that the loop is not held up."""

_RETRY = 10.0
"""Seconds after which what was refused is tried again."""


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Make or remove pods, and count them."""
    pods = [pod for pod in claimed(world, resource, obj, "Pod") if is_active(pod)]
    why = ""
    if not is_leaving(obj):
        pods, why = _made_or_removed(world, resource, obj, pods)
        if why:
            world.after(_RETRY, resource, obj)
    _count(world, resource, obj, pods, why)


def _made_or_removed(
    world: World, resource: Resource, obj: Object, pods: list[Object]
) -> tuple[list[Object], str]:
    missing = obj["spec"]["replicas"] - len(pods)
    for _ in range(min(missing, _AT_ONCE)):
        metadata = {"generateName": f"{obj['metadata']['name']}-"}
        made, why = create_pod(world, resource, obj, obj["spec"]["template"], metadata)
        if made is None:
            return pods, why
        pods.append(made)
    if missing < 0:
        leaving = sorted(pods, key=_worth)[: min(-missing, _AT_ONCE)]
        for pod in leaving:
            delete_pod(world, resource, obj, pod)
            pods.remove(pod)
    if abs(missing) > _AT_ONCE:
        world.look(resource, obj)
    return pods, ""


def _worth(pod: Object) -> tuple[bool, bool, bool, str]:
    """What goes first: pods without a node, not running, not ready, then the youngest."""
    made = "".join(chr(0x10FFFF - ord(c)) for c in pod["metadata"]["creationTimestamp"])
    running = pod.get("status", {}).get("phase") == "Running"
    return "nodeName" in pod["spec"], running, is_ready(pod), made


def _count(world: World, resource: Resource, obj: Object, pods: list[Object], why: str) -> None:
    spec, before = obj["spec"], obj.get("status", {})
    labels = from_label_selector(
        {"matchLabels": (spec["template"].get("metadata") or {}).get("labels") or {}}
    )
    conditions = [c for c in before.get("conditions", ()) if c["type"] != "ReplicaFailure"]
    if why:
        conditions = with_condition(
            world, before.get("conditions", ()), "ReplicaFailure", "True", "FailedCreate", why
        )
    usable = available(world, resource, obj, pods, spec.get("minReadySeconds", 0))
    status = {
        "replicas": len(pods),
        "fullyLabeledReplicas": sum(labels.matches(labels_of(p)) for p in pods),
        "readyReplicas": sum(map(is_ready, pods)),
        "availableReplicas": len(usable),
    }
    kept = {name: count for name, count in status.items() if count or name == "replicas"}
    if conditions:
        kept["conditions"] = conditions  # type: ignore[assignment]
    kept["observedGeneration"] = obj["metadata"]["generation"]
    world.status(resource, obj, dict(kept))
