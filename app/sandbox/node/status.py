"""What the pretended node says of a pod: its phase, its conditions, its containers and address."""

from app.sandbox.node import ADDRESS, NETWORK
from app.sandbox.node.containers import Container
from app.sandbox.objects import Object
from app.sandbox.world import World
from app.sandbox.world.conditions import with_condition


def status_of(world: World, pod: Object, containers: list[Container], now: float) -> Object:
    """The status of a pod whose containers are as they are."""
    before = pod.get("status", {})
    phase = _phase(containers)
    address = before.get("podIP") or _address(world, pod)
    inits = [each for each in containers if each.is_init]
    mains = [each for each in containers if not each.is_init]
    waiting = "PodInitializing" if inits else ""

    def said(each: Container) -> Object:
        held = is_held(containers, each) or (
            each.reason == "ContainerCreating" and not each.is_init
        )
        return each.status(pod, now, waiting if held else "")

    status = {
        **before,
        "phase": phase,
        "conditions": _conditions(world, pod, containers, phase, now),
        "hostIP": ADDRESS,
        "hostIPs": [{"ip": ADDRESS}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": before.get("startTime") or world.stamp(),
        "containerStatuses": [said(each) for each in mains],
    }
    if inits:
        status["initContainerStatuses"] = [said(each) for each in inits]
    return status


def is_held(containers: list[Container], container: Container) -> bool:
    """Whether an init container before it has not done its work."""
    before = containers[: containers.index(container)]
    return any(each.is_init and not each.has_done_its_work for each in before)


def _phase(containers: list[Container]) -> str:
    inits = [each for each in containers if each.is_init and not each.is_sidecar]
    mains = [each for each in containers if not each.is_init]
    if any(each.is_over and each.ended["exitCode"] for each in inits):
        return "Failed"
    if all(each.is_over for each in mains):
        return "Failed" if any(each.ended["exitCode"] for each in mains) else "Succeeded"
    begun = (each.phase != "waiting" or each.ended for each in mains)
    return "Running" if all(begun) else "Pending"


def _conditions(
    world: World, pod: Object, containers: list[Container], phase: str, now: float
) -> list[Object]:
    kept = list(pod.get("status", {}).get("conditions") or ())
    unready = [c.name for c in containers if not c.is_init and not c.is_ready(now)]
    undone = [c.name for c in containers if c.is_init and not c.has_done_its_work]
    names = f"containers with unready status: [{' '.join(unready)}]"
    reasons = {"Succeeded": ("PodCompleted", ""), "Failed": ("PodFailed", "")}
    reason = reasons.get(phase, ("ContainersNotReady", names))
    ready = not unready and not undone
    initialized: tuple[str, str, str] = ("True", "", "")
    if undone:
        text = f"containers with incomplete status: [{' '.join(undone)}]"
        initialized = ("False", "ContainersNotInitialized", text)
    elif phase == "Succeeded":
        initialized = ("True", "PodCompleted", "")
    gates = [each["conditionType"] for each in pod["spec"].get("readinessGates") or ()]
    met = {each["type"] for each in kept if each["status"] == "True"}
    closed = [gate for gate in gates if gate not in met]
    said: dict[str, tuple[str, str, str]] = {
        "PodReadyToStartContainers": ("True", "", ""),
        "Initialized": initialized,
        "Ready": ("True", "", "") if ready else ("False", *reason),
        "ContainersReady": ("True", "", "") if ready else ("False", *reason),
        "PodScheduled": ("True", "", ""),
    }
    if ready and closed:
        said["Ready"] = ("False", "ReadinessGatesNotReady", f"not ready: {', '.join(closed)}")
    for type_, (status, why, text) in said.items():
        kept = with_condition(world, kept, type_, status, why, text)
    for each in kept:
        for field in ("reason", "message"):
            if not each.get(field):
                each.pop(field, None)
    return kept


def _address(world: World, pod: Object) -> str:
    if pod["spec"].get("hostNetwork"):
        return ADDRESS
    taken = {each.get("status", {}).get("podIP") for each in world.list("Pod")}
    free = (f"{NETWORK}.{number}" for number in range(2, 255))
    return next((each for each in free if each not in taken), f"{NETWORK}.254")
