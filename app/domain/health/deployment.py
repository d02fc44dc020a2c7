"""Deployments and ReplicaSets, by kstatus' ladders.

Beyond kstatus: a paused Deployment is suspended (it would wait for ever), and one that is scaled to
0 need not be available.
"""

from dataclasses import replace

from app.domain.health.seen import Object, Seen, number, part, word
from app.domain.health.verdict import CauseSeverity, Health, HealthState
from app.domain.health.workloads import (
    Rung,
    all_ready,
    counted,
    explained,
    is_owned,
    label,
    own_pods,
    short,
    youngest,
)

_FOR_EVER = 2**31 - 1
"""The controller's own word for a deadline that never comes."""

_REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"


def deployment(seen: Seen) -> Health:
    """A Deployment; related are its ReplicaSets and pods."""
    want = number(seen.spec, "replicas", 1)
    ready = number(seen.status, "readyReplicas")
    health = _stopped(seen, want, ready) or _ladder(seen, want, ready)
    if health.state is HealthState.SUSPENDED:
        return health
    told = explained(seen, health, _new_pods(seen))
    if health.state is HealthState.ERROR and told.causes:
        worst = told.causes[0]
        if worst.severity is CauseSeverity.ERROR:  # the deadline is only how long it was tried
            return replace(told, reason=worst.reason)
    return told


def _deadline(seen: Seen) -> int | None:
    """Seconds without progress after which the rollout has failed; None: it has for ever."""
    seconds = number(seen.spec, "progressDeadlineSeconds", _FOR_EVER)
    return None if seconds == _FOR_EVER else seconds


def _stopped(seen: Seen, want: int, ready: int) -> Health | None:
    if word(seen.condition("Progressing"), "reason") == "ProgressDeadlineExceeded":
        deadline = _deadline(seen)
        within = "" if deadline is None else f" within {deadline} seconds"
        message = f"The rollout made no progress{within}: {counted(ready, want, 'ready')}"
        return Health(HealthState.ERROR, "ProgressDeadlineExceeded", message, ready, want)
    if seen.spec.get("paused") is True:
        message = "The rollout is paused: changes wait until it is resumed."
        return Health(HealthState.SUSPENDED, "DeploymentPaused", message, ready, want)
    return None


def _ladder(seen: Seen, want: int, ready: int) -> Health:
    replicas = number(seen.status, "replicas")
    updated = number(seen.status, "updatedReplicas")
    available = number(seen.status, "availableReplicas")
    behind = short(
        ready,
        want,
        Rung("LessReplicas", replicas, want, "created"),
        Rung("LessUpdated", updated, want, "updated"),
        Rung("ExtraPods", want, replicas),
        Rung("LessAvailable", available, updated, "available"),
        Rung("LessReady", ready, want, "ready"),
    )
    if behind is not None:
        return behind
    rolled_out = seen.holds("Progressing") and (
        word(seen.condition("Progressing"), "reason") == "NewReplicaSetAvailable"
    )
    if not rolled_out and _deadline(seen) is not None:
        message = "The pods are ready; the rollout is about to be completed."
        return Health(HealthState.PENDING, "ReplicaSetNotAvailable", message, ready, want)
    if want and not seen.holds("Available"):
        message = "The pods are ready, and not available yet."
        return Health(HealthState.PENDING, "DeploymentNotAvailable", message, ready, want)
    return all_ready("Available", ready, want)


def _new_pods(seen: Seen) -> list[Object]:
    """The pods of the newest revision: old ones that crash are often why there is a new one.

    Without ReplicaSets to tell, the youngest pod's revision is taken for it.
    """
    sets = [s for s in seen.of_kind("ReplicaSet") if is_owned(s, seen.uid)]
    newest = max(sets, key=_revision, default=None)
    own = [pod for pod in seen.of_kind("Pod") if not part(pod, "metadata").get("deletionTimestamp")]
    if newest is not None:
        new_uid, hash_ = word(part(newest, "metadata"), "uid"), label(newest, _HASH)
        return [
            pod
            for pod in own
            if is_owned(pod, new_uid) and (not hash_ or label(pod, _HASH) in {hash_, ""})
        ]
    last = youngest(own)
    return [pod for pod in own if last is not None and label(pod, _HASH) == label(last, _HASH)]


def _revision(replica_set: Object) -> tuple[int, str]:
    metadata = part(replica_set, "metadata")
    said = word(part(metadata, "annotations"), _REVISION)
    number_ = int(said) if said.isascii() and said.isdigit() and len(said) < 20 else 0
    return number_, word(metadata, "creationTimestamp")


def replica_set(seen: Seen) -> Health:
    """A ReplicaSet on its own."""
    want = number(seen.spec, "replicas", 1)
    ready = number(seen.status, "readyReplicas")
    if seen.holds("ReplicaFailure"):
        message = "The cluster cannot make or remove pods as asked."
        health = Health(HealthState.PENDING, "ReplicaFailure", message, ready, want)
    else:
        health = _replica_set_ladder(seen, want, ready)
    return explained(seen, health, own_pods(seen))


def _replica_set_ladder(seen: Seen, want: int, ready: int) -> Health:
    behind = short(
        ready,
        want,
        Rung("LessLabelled", number(seen.status, "fullyLabeledReplicas"), want, "created"),
        Rung("LessAvailable", number(seen.status, "availableReplicas"), want, "available"),
        Rung("LessReady", ready, want, "ready"),
        Rung("ExtraPods", want, number(seen.status, "replicas")),
    )
    return behind or all_ready("Available", ready, want)
