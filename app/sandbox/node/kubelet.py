"""The pretended node: it takes pods, lets their containers live or fail, and ends them.

Nothing is executed. A pod is looked at when it changes, when what it lacked may have come, and when
the next thing in its life is due.
"""

from collections.abc import Callable

from app.sandbox.node.containers import Container, Surroundings
from app.sandbox.node.scheduling import placed
from app.sandbox.node.status import is_held, status_of
from app.sandbox.node.troubles import missing_variable, missing_volumes, named, of_container
from app.sandbox.objects import Object, is_leaving, uid_of
from app.sandbox.resources import Resource
from app.sandbox.store import Event
from app.sandbox.world import Key, World, key_of
from app.sandbox.world.conditions import with_condition
from app.sandbox.world.pods import has_ended, phase
from app.sandbox.world.telling import tell

_STOPPING = 0.8
"""Seconds that a pod takes to stop, if it is given so many."""


def sync(world: World, resource: Resource, pod: Object) -> None:
    """Go on with a pod."""
    if is_leaving(pod):
        _stop(world, resource, pod)
    elif has_ended(pod):
        return
    elif not pod["spec"].get("nodeName"):
        _schedule(world, resource, pod)
    else:
        _run(world, resource, pod)


def _schedule(world: World, resource: Resource, pod: Object) -> None:
    conditions = list(pod.get("status", {}).get("conditions") or ())
    if pod["spec"].get("schedulingGates"):
        text = "Scheduling is blocked due to non-empty scheduling gates"
        said = ("False", "SchedulingGated", text)
        node = ""
    else:
        node, why = placed(world, pod)
        said = ("False", "Unschedulable", why)
    if node:
        metadata = pod["metadata"]
        pod = world.update(resource, pod, spec={**pod["spec"], "nodeName": node})
        text = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}"
        tell(world, resource, pod, "Scheduled", text, source="default-scheduler")
        _run(world, resource, pod)
        return
    conditions = with_condition(world, conditions, "PodScheduled", *said)
    if said[1] == "Unschedulable":
        source = "default-scheduler"
        tell(world, resource, pod, "FailedScheduling", said[2], source=source, warning=True)
    status = {**pod.get("status", {}), "phase": "Pending", "conditions": conditions}
    world.status(resource, pod, status)


def _stop(world: World, resource: Resource, pod: Object) -> None:
    grace = pod["metadata"].get("deletionGracePeriodSeconds")
    if not grace:
        return
    memory = world.remembered(pod)
    if "stopping" not in memory:
        memory["stopping"] = world.now()
        for container in pod["spec"]["containers"]:
            _teller(world, resource, pod)(
                "Killing", f"Stopping container {container['name']}", container["name"]
            )
    left = min(float(grace), _STOPPING) - (world.now() - memory["stopping"])
    if left > 0:
        world.after(left, resource, pod)
    else:
        world.delete(resource, pod, grace=0)


def _run(world: World, resource: Resource, pod: Object) -> None:
    memory = world.remembered(pod)
    containers: list[Container] | None = memory.get("containers")
    if containers is None:
        containers = memory["containers"] = _containers(world, pod)
    _follow(pod, containers)
    around = _surroundings(world, resource, pod)
    if _is_over_time(world, resource, pod):
        return
    unmounted = list(missing_volumes(world, pod))
    host = pod["spec"]["nodeName"]
    for text in unmounted:
        tell(world, resource, pod, "FailedMount", text, source="kubelet", host=host, warning=True)
    if not unmounted:
        _live(containers, around)
    else:
        for container in containers:
            container.since = around.now
    world.status(resource, pod, status_of(world, pod, containers, around.now))
    for container in () if unmounted else containers:
        due = container.due(around.now)
        held = container.phase == "waiting" and is_held(containers, container)
        if due is not None and not held:
            world.after(due - around.now, resource, pod)


def _live(containers: list[Container], around: Surroundings) -> None:
    """Let the init containers go one after the other, then all others at once."""
    for container in containers:
        if not container.is_init:
            continue
        while container.step(around):
            pass
        if not container.has_done_its_work:
            for later in containers[containers.index(container) + 1 :]:
                later.since = around.now
            return
    for container in containers:
        if not container.is_init:
            while container.step(around):
                pass


def _containers(world: World, pod: Object) -> list[Container]:
    """The containers as they are before anything has happened, or as the status has them."""
    spec, status = pod["spec"], pod.get("status", {})
    policy, found = spec.get("restartPolicy", "Always"), []
    for field, told, is_init in (
        ("initContainers", "initContainerStatuses", True),
        ("containers", "containerStatuses", False),
    ):
        before = {each["name"]: each for each in status.get(told) or ()}
        for each in spec.get(field) or ():
            trouble = of_container(pod, each)
            made = Container(each, is_init, policy, trouble, world.now())
            _recall(made, before.get(each["name"]) or {})
            found.append(made)
    return found


def _recall(container: Container, status: Object) -> None:
    """Go on where a server that has been started again left off."""
    state = status.get("state") or {}
    container.restarts = int(status.get("restartCount", 0))
    container.tries = container.restarts
    container.last = (status.get("lastState") or {}).get("terminated") or {}
    if "running" in state:
        container.phase, container.reason = "running", ""
        container.started = state["running"]["startedAt"]
        container.since -= 60.0 if status.get("ready") else 0.0
    elif "terminated" in state:
        container.phase, container.reason = "terminated", ""
        container.ended = state["terminated"]
        container.started = container.ended.get("startedAt", "")
    elif container.last and state.get("waiting"):
        container.phase, container.ended, container.last = "terminated", container.last, {}


def _follow(pod: Object, containers: list[Container]) -> None:
    """An image may be changed under a container: it is then tried at once."""
    specs = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    for container, spec in zip(containers, specs, strict=False):
        if container.spec is spec:
            continue
        changed = container.image != spec.get("image")
        container.spec = spec
        if changed:
            container.trouble = of_container(pod, spec)
            if container.phase == "waiting":
                container.reason, container.message = "ContainerCreating", ""


def _teller(world: World, resource: Resource, pod: Object) -> Callable[..., None]:
    """Says things about a container of a pod."""
    inits = {each["name"] for each in pod["spec"].get("initContainers") or ()}

    def say(reason: str, text: str, container: Container | str, *, warning: bool = False) -> None:
        name = container if isinstance(container, str) else container.name
        field = "initContainers" if name in inits else "containers"
        tell(
            world,
            resource,
            pod,
            reason,
            text,
            source="kubelet",
            host=str(pod["spec"].get("nodeName")),
            warning=warning,
            path=f"spec.{field}{{{name}}}",
        )

    return say


def _surroundings(world: World, resource: Resource, pod: Object) -> Surroundings:
    def log(name: str, run: int, texts: tuple[str, ...]) -> None:
        world.store.logs.write(uid_of(pod), name, run, *texts)

    return Surroundings(
        now=world.now(),
        stamp=world.stamp(),
        pod=pod,
        lacks=lambda container: missing_variable(world, pod, container),
        tell=_teller(world, resource, pod),
        log=log,
    )


def _is_over_time(world: World, resource: Resource, pod: Object) -> bool:
    limit = pod["spec"].get("activeDeadlineSeconds")
    if limit is None:
        return False
    begun = world.remembered(pod).setdefault("begun", world.now())
    left = limit - (world.now() - begun)
    if left > 0:
        world.after(left, resource, pod)
        return False
    text = "Pod was active on the node longer than the specified deadline"
    status = {**pod.get("status", {}), "phase": "Failed", "reason": "DeadlineExceeded"}
    world.status(resource, pod, {**status, "message": text})
    tell(world, resource, pod, "DeadlineExceeded", text, source="kubelet", warning=True)
    return True


def waiting(world: World, event: Event) -> list[Key]:
    """The pods for which a change may be what they waited for."""
    resource, obj = event.resource, event.object
    kind, namespace = world.of("Pod"), obj["metadata"].get("namespace")
    if resource.group == "" and resource.kind in ("ConfigMap", "Secret"):
        what = (resource.kind, str(obj["metadata"]["name"]))
        return [
            key_of(kind, pod)
            for pod in world.store.list(kind, namespace)
            if phase(pod) == "Pending" and what in named(pod)
        ]
    frees = resource.kind == "Pod" and (event.type == "DELETED" or has_ended(obj))
    if frees or resource.kind in ("Node", "PersistentVolumeClaim"):
        return [
            key_of(kind, pod)
            for pod in world.store.list(kind)
            if not pod["spec"].get("nodeName") and not is_leaving(pod)
        ]
    return []
