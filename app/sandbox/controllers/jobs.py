"""Jobs: pods until so many have succeeded, or too many have failed."""

from typing import Any

from app.sandbox.objects import Object, annotations_of, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.world import World
from app.sandbox.world.conditions import with_condition
from app.sandbox.world.pods import create_pod, has_ended, is_active, is_ready, phase
from app.sandbox.world.references import claimed
from app.sandbox.world.telling import tell

INDEX = "batch.kubernetes.io/job-completion-index"
SOURCE = "job-controller"
_BACKOFF, _LONGEST = 10.0, 360.0
_PARALLEL = 50


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Make pods as they are needed, and say how far it is."""
    if is_leaving(obj):
        return
    status = obj.get("status", {})
    if _is_ended(status):
        _expire(world, resource, obj)
        return
    pods = claimed(world, resource, obj, "Pod")
    active = [p for p in pods if is_active(p)]
    counts = {"succeeded": _succeeded(obj, pods), "failed": sum(_has_failed(pod) for pod in pods)}
    memory = world.remembered(obj)
    told: Object = {
        "conditions": list(status.get("conditions") or ()),
        "startTime": status.get("startTime"),
    }
    failure = _failure(world, resource, obj, counts["failed"])
    if failure:
        told["conditions"] = _said(world, told["conditions"], "FailureTarget", *failure)
    elif counts["succeeded"] >= _wanted(obj, counts["succeeded"], active):
        reason = ("CompletionsReached", "Reached expected number of succeeded pods")
        told["conditions"] = _said(world, told["conditions"], "SuccessCriteriaMet", *reason)
    if told["conditions"] and told["conditions"][-1]["type"] in (
        "FailureTarget",
        "SuccessCriteriaMet",
    ):
        active = _finish(world, resource, obj, told, active)
    elif obj["spec"].get("suspend"):
        active = _suspend(world, resource, obj, told, active)
    else:
        if not told["startTime"]:
            told["startTime"] = world.stamp()
            memory["started"] = world.now()
            if told["conditions"]:
                told["conditions"] = with_condition(
                    world, told["conditions"], "Suspended", "False", "JobResumed", "Job resumed"
                )
                tell(world, resource, obj, "Resumed", "Job resumed", source=SOURCE)
        active += _make(world, resource, obj, pods, active=active, counts=counts)
    _count(world, resource, obj, told, active=active, counts=counts)


def _is_ended(status: Object) -> bool:
    """Whether a Job is over."""
    return any(
        each["type"] in ("Complete", "Failed") and each["status"] == "True"
        for each in status.get("conditions") or ()
    )


def _has_failed(pod: Object) -> bool:
    return phase(pod) == "Failed" or (is_leaving(pod) and phase(pod) != "Succeeded")


def _index(pod: Object) -> str:
    return str(annotations_of(pod).get(INDEX, ""))


def _is_indexed(obj: Object) -> bool:
    return bool(obj["spec"].get("completionMode") == "Indexed")


def _succeeded(obj: Object, pods: list[Object]) -> int:
    done = [pod for pod in pods if phase(pod) == "Succeeded"]
    return len({_index(pod) for pod in done}) if _is_indexed(obj) else len(done)


def _wanted(obj: Object, succeeded: int, active: list[Object]) -> int:
    """How many have to succeed; without a number one does, and the rest has to end."""
    completions = obj["spec"].get("completions")
    if completions is not None:
        return int(completions)
    return succeeded + 1 if active or not succeeded else succeeded


def _failure(world: World, resource: Resource, obj: Object, failed: int) -> tuple[str, str] | None:
    spec = obj["spec"]
    if failed > spec.get("backoffLimit", 6) or _restarts(world, obj) > spec.get("backoffLimit", 6):
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    limit, started = spec.get("activeDeadlineSeconds"), world.remembered(obj).get("started")
    if limit is not None and started is not None and not spec.get("suspend"):
        left = limit - (world.now() - started)
        if left <= 0:
            return "DeadlineExceeded", "Job was active longer than specified deadline"
        world.after(left, resource, obj)
    return None


def _restarts(world: World, obj: Object) -> int:
    """With OnFailure it is the containers that are started again, not the pods."""
    if obj["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return 0
    return sum(
        int(each.get("restartCount", 0))
        for key, pod in world.dependents(obj)
        if key.resource.kind == "Pod"
        for each in pod.get("status", {}).get("containerStatuses") or ()
    )


def _said(
    world: World, conditions: list[Object], type_: str, reason: str, message: str
) -> list[Object]:
    made = with_condition(world, conditions, type_, "True", reason, message)
    found = next(each for each in made if each["type"] == type_)
    found.setdefault("lastProbeTime", found["lastTransitionTime"])
    return made


def _finish(
    world: World, resource: Resource, obj: Object, told: Object, active: list[Object]
) -> list[Object]:
    """What was decided becomes final when no pod runs any more."""
    decided = told["conditions"][-1]
    for pod in active:
        world.delete(world.of("Pod"), pod)
    going = [
        key
        for key, pod in world.dependents(obj)
        if key.resource.kind == "Pod" and not has_ended(pod)
    ]
    before = [each["type"] for each in obj.get("status", {}).get("conditions") or ()]
    if going or decided["type"] not in before:
        return []
    failed = decided["type"] == "FailureTarget"
    final, said = "Failed" if failed else "Complete", (decided["reason"], decided["message"])
    told["conditions"] = _said(world, told["conditions"], final, *said)
    world.remembered(obj)["ended"] = world.now()
    if failed:
        tell(world, resource, obj, said[0], said[1], source=SOURCE, warning=True)
    else:
        told["completionTime"] = world.stamp()
        tell(world, resource, obj, "Completed", "Job completed", source=SOURCE)
    return []


def _suspend(
    world: World, resource: Resource, obj: Object, told: Object, active: list[Object]
) -> list[Object]:
    for pod in active:
        world.delete(world.of("Pod"), pod)
    told["startTime"] = None
    world.remembered(obj).pop("started", None)
    if not any((c["type"], c["status"]) == ("Suspended", "True") for c in told["conditions"]):
        tell(world, resource, obj, "Suspended", "Job suspended", source=SOURCE)
    told["conditions"] = _said(
        world, told["conditions"], "Suspended", "JobSuspended", "Job suspended"
    )
    return []


def _make(
    world: World,
    resource: Resource,
    obj: Object,
    pods: list[Object],
    *,
    active: list[Object],
    counts: dict[str, int],
) -> list[Object]:
    spec = obj["spec"]
    room = spec.get("parallelism", 1) - len(active)
    if room < 0:
        for pod in active[room:]:
            world.delete(world.of("Pod"), pod)
            active.remove(pod)
        return []
    completions = spec.get("completions")
    if completions is not None:
        room = min(room, completions - counts["succeeded"] - len(active))
    elif counts["succeeded"]:
        room = 0
    if room <= 0 or not _may_retry(world, resource, obj, counts["failed"]):
        return []
    made: list[Object] = []
    for index in _indexes(obj, pods, room):
        metadata: Object = {"generateName": f"{obj['metadata']['name']}-"}
        if index is not None:
            metadata["generateName"] = f"{obj['metadata']['name']}-{index}-"
            own = obj["spec"]["template"].get("metadata", {}).get("annotations") or {}
            metadata["annotations"] = {**own, INDEX: index}
            metadata["labels"] = {INDEX: index}
        created, _ = create_pod(world, resource, obj, spec["template"], metadata)
        if created is None:
            world.after(_BACKOFF, resource, obj)
            break
        made.append(created)
    return made


def _indexes(obj: Object, pods: list[Object], room: int) -> list[Any]:
    if not _is_indexed(obj):
        return [None] * min(room, _PARALLEL)
    taken = {_index(pod) for pod in pods if not _has_failed(pod)}
    free = (str(n) for n in range(obj["spec"]["completions"]) if str(n) not in taken)
    return [index for index, _ in zip(free, range(min(room, _PARALLEL)), strict=False)]


def _may_retry(world: World, resource: Resource, obj: Object, failed: int) -> bool:
    """After a failure there is a pause, twice as long each time."""
    memory = world.remembered(obj)
    if not failed:
        return True
    if memory.get("failures") != failed:
        memory["failures"], memory["failed"] = failed, world.now()
    pause = min(_BACKOFF * 2 ** (failed - 1), _LONGEST)
    left = pause - (world.now() - memory["failed"])
    if left > 0:
        world.after(left, resource, obj)
    return bool(left <= 0)


def _count(
    world: World,
    resource: Resource,
    obj: Object,
    told: Object,
    *,
    active: list[Object],
    counts: dict[str, int],
) -> None:
    status = {
        **told,
        "active": len(active),
        **counts,
        "ready": sum(map(is_ready, active)),
        "terminating": 0,
        "uncountedTerminatedPods": {},
    }
    if _is_indexed(obj):
        pods = (pod for key, pod in world.dependents(obj) if key.resource.kind == "Pod")
        done = {int(_index(pod)) for pod in pods if phase(pod) == "Succeeded" and _index(pod)}
        status["completedIndexes"] = ",".join(map(str, sorted(done)))
    optional = ("active", "succeeded", "failed", "conditions", "startTime", "completedIndexes")
    kept = {name: value for name, value in status.items() if value or name not in optional}
    world.status(resource, obj, kept)


def _expire(world: World, resource: Resource, obj: Object) -> None:
    """A finished Job goes when its time is over."""
    seconds = obj["spec"].get("ttlSecondsAfterFinished")
    if seconds is None:
        return
    since = world.remembered(obj).setdefault("ended", world.now())
    left = seconds - (world.now() - since)
    if left > 0:
        world.after(left, resource, obj)
    else:
        world.delete(resource, obj, propagation="Foreground")
