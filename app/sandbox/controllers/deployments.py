"""Deployments: roll a template out, keep old ones, and say how far it is.

The steps are those of Kubernetes' own controller; what is left out is proportional scaling in the
middle of a rollout.
"""

from dataclasses import dataclass

from app.sandbox.admission.numbers import part_of
from app.sandbox.controllers import revisions
from app.sandbox.controllers.revisions import REVISION, scaled
from app.sandbox.objects import Object, annotations_of, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.store import Event
from app.sandbox.world import Key, World
from app.sandbox.world.conditions import with_condition
from app.sandbox.world.pods import has_ended
from app.sandbox.world.references import controller_of

_FOR_EVER = 2**31 - 1


@dataclass
class Rollout:
    """One look at a Deployment. `new` is None until there is a set of its template."""

    world: World
    resource: Resource
    obj: Object
    new: Object | None
    old: list[Object]

    @property
    def wanted(self) -> int:
        return int(self.obj["spec"]["replicas"])

    @property
    def surge(self) -> int:
        return part_of(self._limits.get("maxSurge", 0), self.wanted, up=True)

    @property
    def unavailable(self) -> int:
        """How many pods may be missing: at least one, when none may be too many."""
        if self.obj["spec"]["strategy"]["type"] == "Recreate":
            return 0
        allowed = part_of(self._limits.get("maxUnavailable", 0), self.wanted, up=False)
        return min(max(allowed, 0 if self.surge else 1), self.wanted)

    @property
    def _limits(self) -> Object:
        return dict(self.obj["spec"]["strategy"].get("rollingUpdate") or {})

    @property
    def sets(self) -> list[Object]:
        return [*self.old, *([self.new] if self.new else [])]

    def scale(self, set_: Object, replicas: int) -> None:
        changed = scaled(self.world, self.resource, self.obj, set_, replicas)
        if self.new is not None and set_ is self.new:
            self.new = changed
        else:
            self.old = [changed if each is set_ else each for each in self.old]


def sync(world: World, resource: Resource, obj: Object) -> None:
    """One step of a rollout, and the status."""
    rollout = Rollout(world, resource, obj, *revisions.sets_of(world, resource, obj))
    if not is_leaving(obj):
        if obj["spec"].get("paused"):
            _scale_only(rollout)
        elif obj["spec"]["strategy"]["type"] == "Recreate":
            _recreate(rollout)
        else:
            _renew(rollout)
            _roll(rollout)
        if _is_complete(rollout):
            revisions.forget_old(world, obj, rollout.old)
    rollout.obj = _annotated(rollout)
    _say(rollout)


def after_pods(world: World, event: Event) -> list[Key]:
    """The Deployment of a pod that is gone: `Recreate` waits for it, and its set's counts do not
    tell, for they leave out pods that are being stopped."""
    if event.resource.kind != "Pod" or event.type != "DELETED":
        return []
    set_ = world.lives(str((controller_of(event.object) or {}).get("uid")))
    owner = controller_of(world.at(set_) or event.object) if set_ is not None else None
    found = world.lives(str((owner or {}).get("uid")))
    return [found] if found is not None else []


def _scale_only(rollout: Rollout) -> None:
    running = [each for each in rollout.sets if each["spec"]["replicas"]]
    newest = rollout.new if rollout.new else (rollout.old[-1] if rollout.old else None)
    if newest is not None and (not running or running == [newest]):
        rollout.scale(newest, rollout.wanted)


def _renew(rollout: Rollout) -> None:
    """Have a set of the template as it is."""
    if rollout.new is None:
        most = rollout.wanted + rollout.surge
        rollout.new = revisions.made(
            rollout.world, rollout.resource, rollout.obj, rollout.old, most
        )
        rollout.world.remembered(rollout.obj).pop("progress", None)
    else:
        rollout.new = revisions.renewed(rollout.world, rollout.obj, rollout.new, rollout.old)


def _recreate(rollout: Rollout) -> None:
    for set_ in list(rollout.old):
        if set_["spec"]["replicas"]:
            rollout.scale(set_, 0)
    if any(_has_pods(rollout.world, set_) for set_ in rollout.old):
        return
    _renew(rollout)
    assert rollout.new is not None  # noqa: S101
    rollout.scale(rollout.new, rollout.wanted)


def _has_pods(world: World, set_: Object) -> bool:
    """Whether any pod of a set has not ended: also one that is just being stopped."""
    return any(
        not has_ended(pod) for key, pod in world.dependents(set_) if key.resource.kind == "Pod"
    )


def _roll(rollout: Rollout) -> None:
    """Kubernetes' rolling update: first up, then down."""
    assert rollout.new is not None  # noqa: S101
    total = sum(each["spec"]["replicas"] for each in rollout.sets)
    now, wanted = rollout.new["spec"]["replicas"], rollout.wanted
    if now > wanted:
        rollout.scale(rollout.new, wanted)
    elif now < wanted:
        room = wanted + rollout.surge - total
        if room > 0:
            rollout.scale(rollout.new, min(now + room, wanted))
            return
    _scale_down(rollout)


def _scale_down(rollout: Rollout) -> None:
    assert rollout.new is not None  # noqa: S101
    least = rollout.wanted - rollout.unavailable
    missing = rollout.new["spec"]["replicas"] - _count(rollout.new, "availableReplicas")
    total = sum(each["spec"]["replicas"] for each in rollout.sets)
    spare = total - least - missing
    for set_ in list(rollout.old):  # those that do not work anyway
        sick = set_["spec"]["replicas"] - _count(set_, "availableReplicas")
        taken = min(sick, max(spare, 0))
        if taken > 0:
            spare -= taken
            rollout.scale(set_, set_["spec"]["replicas"] - taken)
    healthy = sum(_count(each, "availableReplicas") for each in rollout.sets) - least
    for set_ in list(rollout.old):
        taken = min(set_["spec"]["replicas"], max(healthy, 0))
        if taken > 0:
            healthy -= taken
            rollout.scale(set_, set_["spec"]["replicas"] - taken)


def _count(set_: Object, name: str) -> int:
    return int(set_.get("status", {}).get(name, 0))


def _annotated(rollout: Rollout) -> Object:
    """The Deployment with the number of its new set."""
    obj = rollout.obj
    if rollout.new is None or is_leaving(obj):
        return obj
    annotations = dict(annotations_of(obj))
    number = str(revisions.revision(rollout.new))
    if annotations.get(REVISION) == number:
        return obj
    return rollout.world.annotate(
        rollout.resource, obj, annotations={**annotations, REVISION: number}
    )


def _counted(rollout: Rollout) -> Object:
    total = sum(_count(each, "replicas") for each in rollout.sets)
    usable = sum(_count(each, "availableReplicas") for each in rollout.sets)
    missing = max(sum(each["spec"]["replicas"] for each in rollout.sets) - usable, 0)
    counts = {
        "replicas": total,
        "updatedReplicas": _count(rollout.new, "replicas") if rollout.new else 0,
        "readyReplicas": sum(_count(each, "readyReplicas") for each in rollout.sets),
        "availableReplicas": usable,
        "unavailableReplicas": missing,
    }
    return {name: count for name, count in counts.items() if count}


def _is_complete(rollout: Rollout) -> bool:
    counts = _counted(rollout)
    names = ("updatedReplicas", "replicas", "availableReplicas")
    return all(counts.get(name, 0) == rollout.wanted for name in names)


def _say(rollout: Rollout) -> None:
    """Write the status."""
    world, obj, counts = rollout.world, rollout.obj, _counted(rollout)
    before = obj.get("status", {})
    conditions = list(before.get("conditions") or ())
    enough = counts.get("availableReplicas", 0) >= rollout.wanted - rollout.unavailable
    has, does = ("True", "has") if enough else ("False", "does not have")
    reason = f"MinimumReplicas{'A' if enough else 'Una'}vailable"
    message = f"Deployment {does} minimum availability."
    if not obj["spec"].get("paused") or rollout.sets:
        conditions = with_condition(
            world, conditions, "Available", has, reason, message, updated=True
        )
    deadline = obj["spec"].get("progressDeadlineSeconds", _FOR_EVER)
    if deadline != _FOR_EVER:
        conditions = _progress(rollout, conditions, counts, deadline)
    conditions = _failure(rollout, conditions)
    status = {"observedGeneration": obj["metadata"]["generation"], **counts}
    if conditions:
        status["conditions"] = conditions
    world.status(rollout.resource, obj, status)


def _progress(
    rollout: Rollout, conditions: list[Object], counts: Object, deadline: int
) -> list[Object]:
    world, obj, memory = rollout.world, rollout.obj, rollout.world.remembered(rollout.obj)
    before = next((c for c in conditions if c["type"] == "Progressing"), None)
    if obj["spec"].get("paused"):
        memory.pop("progress", None)
        said = ("Unknown", "DeploymentPaused", "Deployment is paused")
        return with_condition(world, conditions, "Progressing", *said, updated=True)
    if rollout.new is None:
        return conditions
    name = f'ReplicaSet "{rollout.new["metadata"]["name"]}"'
    if _is_complete(rollout):
        memory.pop("progress", None)
        said = ("True", "NewReplicaSetAvailable", f"{name} has successfully progressed.")
        return with_condition(world, conditions, "Progressing", *said, updated=True)
    # How far it is: the further, the greater.
    old = sum(_count(each, "replicas") for each in rollout.old)
    far = (
        obj["metadata"]["generation"],
        counts.get("updatedReplicas", 0),
        -old,
        counts.get("readyReplicas", 0),
        counts.get("availableReplicas", 0),
    )
    reached, since = memory.get("progress", ((), world.now()))
    if not reached or any(a > b for a, b in zip(far, reached, strict=True)):
        reached, since = far, world.now()
    memory["progress"] = (far, since)
    left = deadline - (world.now() - since)
    if left > 0:
        world.after(left, rollout.resource, obj)
        said = ("True", "ReplicaSetUpdated", f"{name} is progressing.")
        if before is None:
            name = rollout.new["metadata"]["name"]
            said = ("True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
    else:
        said = ("False", "ProgressDeadlineExceeded", f"{name} has timed out progressing.")
    return with_condition(world, conditions, "Progressing", *said, updated=True)


def _failure(rollout: Rollout, conditions: list[Object]) -> list[Object]:
    """What a set says of its failure, the Deployment says too."""
    failed = None
    for set_ in rollout.sets:
        for each in set_.get("status", {}).get("conditions") or ():
            if each["type"] == "ReplicaFailure":
                failed = each
    if failed is None:
        return [each for each in conditions if each["type"] != "ReplicaFailure"]
    said = (str(failed["status"]), str(failed["reason"]), str(failed["message"]))
    return with_condition(rollout.world, conditions, "ReplicaFailure", *said, updated=True)
