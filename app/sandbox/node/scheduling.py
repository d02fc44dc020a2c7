"""Which node takes a pod, and why none does, in the scheduler's words."""

from fractions import Fraction

from app.sandbox.admission.quantities import amount
from app.sandbox.objects import Object, annotations_of, labels_of
from app.sandbox.world import World
from app.sandbox.world.pods import FAIL, has_ended


def requests(pod: Object) -> dict[str, Fraction]:
    """What a pod asks of its node: its containers together, or its greatest init container."""
    spec = pod["spec"]
    total: dict[str, Fraction] = {}
    for container in spec["containers"]:
        for name, value in _asked(container).items():
            total[name] = total.get(name, Fraction(0)) + value
    for container in spec.get("initContainers") or ():
        for name, value in _asked(container).items():
            total[name] = max(total.get(name, Fraction(0)), value)
    return total


def _asked(container: Object) -> dict[str, Fraction]:
    resources = container.get("resources") or {}
    wanted = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: amount(value) for name, value in wanted.items()}


def claims_of(pod: Object) -> list[str]:
    """The names of the claims that a pod mounts."""
    return [
        str(volume["persistentVolumeClaim"]["claimName"])
        for volume in pod["spec"].get("volumes") or ()
        if volume.get("persistentVolumeClaim")
    ]


def placed(world: World, pod: Object) -> tuple[str, str]:
    """The node for a pod, or "" and the reason why there is none."""
    nodes = world.list("Node")
    missing = _claims(world, pod)
    if missing:
        return "", f"0/{len(nodes)} nodes are available: {missing}. {_preemption(len(nodes), True)}"
    images = " ".join(str(each.get("image")) for each in pod["spec"]["containers"])
    fail = annotations_of(pod).get(FAIL)
    reasons: dict[str, int] = {}
    helpless = True
    for node in nodes:
        if "unschedulable" in images or fail == "unschedulable":
            why = ["node(s) had untolerated taint {sandbox/unschedulable: }"]
        else:
            why = _misfits(node, pod)
            short = [] if why else _shortages(world, node, pod)
            helpless = helpless and not short
            why += short
        if not why:
            return str(node["metadata"]["name"]), ""
        for reason in why:
            reasons[reason] = reasons.get(reason, 0) + 1
    if not nodes:
        return "", "no nodes available to schedule pods"
    said = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return "", f"0/{len(nodes)} nodes are available: {said}. {_preemption(len(nodes), helpless)}"


def _preemption(nodes: int, helpless: bool) -> str:
    why = "Preemption is not helpful for scheduling"
    if not helpless:
        why = "No preemption victims found for incoming pod"
    return f"preemption: 0/{nodes} nodes are available: {nodes} {why}."


def _claims(world: World, pod: Object) -> str:
    namespace = pod["metadata"]["namespace"]
    for name in claims_of(pod):
        claim = world.get("PersistentVolumeClaim", namespace, name)
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if claim.get("status", {}).get("phase") == "Bound":
            continue
        class_ = world.get("StorageClass", "", claim["spec"].get("storageClassName") or "")
        if class_ is None or class_.get("volumeBindingMode") != "WaitForFirstConsumer":
            return "pod has unbound immediate PersistentVolumeClaims"
        return "pod waits for its claim to be bound"
    return ""


def _misfits(node: Object, pod: Object) -> list[str]:
    labels = labels_of(node)
    wanted = pod["spec"].get("nodeSelector") or {}
    if any(labels.get(name) != value for name, value in wanted.items()):
        return ["node(s) didn't match Pod's node affinity/selector"]
    if node["spec"].get("unschedulable"):
        return ["node(s) were unschedulable"]
    return []


def _shortages(world: World, node: Object, pod: Object) -> list[str]:
    name = str(node["metadata"]["name"])
    free = {what: amount(value) for what, value in node["status"]["allocatable"].items()}
    for other in world.list("Pod"):
        if other["spec"].get("nodeName") != name or has_ended(other):
            continue
        free["pods"] = free.get("pods", Fraction(0)) - 1
        for what, value in requests(other).items():
            free[what] = free.get(what, Fraction(0)) - value
    found = ["Too many pods"] if free.get("pods", 0) < 1 else []
    for what, value in requests(pod).items():
        if value > free.get(what, 0):
            found.append(f"Insufficient {what}")
    return found
