"""DaemonSets, by kstatus' ladder.

Beyond kstatus: with OnDelete old pods stay until somebody deletes them, and a DaemonSet that no
node matches is told of.
"""

from app.domain.health.seen import Object, Seen, number, part, word
from app.domain.health.verdict import Health, HealthState, Note
from app.domain.health.workloads import (
    REVISION_HASH,
    Rung,
    all_ready,
    counted,
    explained,
    label,
    own_pods,
    short,
    youngest,
)

_GENERATION = "deprecated.daemonset.template.generation"
_POD_GENERATION = "pod-template-generation"


def daemonset(seen: Seen) -> Health:
    """A DaemonSet; related are its pods."""
    on_delete = word(part(seen.spec, "updateStrategy"), "type") == "OnDelete"
    health = _ladder(seen, on_delete=on_delete)
    pods = own_pods(seen)
    return explained(seen, health, pods if on_delete else _new_pods(seen, pods))


def _ladder(seen: Seen, *, on_delete: bool) -> Health:
    status = seen.status
    if "generation" not in seen.metadata or "observedGeneration" not in status:
        message = "The cluster has not looked at it yet."
        return Health(HealthState.PENDING, "NotObserved", message)
    want = number(status, "desiredNumberScheduled", -1)
    if want == -1:
        message = "The cluster has not counted its nodes yet."
        return Health(HealthState.PENDING, "NoDesiredNumber", message)
    if want == 0:
        message = "No node matches: check its node selector, affinity and tolerations."
        healthy = Health(HealthState.HEALTHY, "NoNodes", message, 0, 0)
        return healthy.noting(Note("NoNodes", message))
    ready = number(status, "numberReady")
    updated = number(status, "updatedNumberScheduled")
    behind = short(
        ready,
        want,
        Rung("LessCurrent", number(status, "currentNumberScheduled"), want, "created"),
        Rung("LessUpdated", want if on_delete else updated, want, "updated"),
        Rung("LessAvailable", number(status, "numberAvailable"), want, "available"),
        Rung("LessReady", ready, want, "ready"),
    )
    if behind is not None:
        return behind
    healthy = all_ready("Ready", ready, want)
    if updated >= want:
        return healthy
    message = f"{counted(updated, want, 'updated')} Delete the others to update them."
    return healthy.noting(Note("OnDelete", message))


def _new_pods(seen: Seen, pods: list[Object]) -> list[Object]:
    """The pods of the newest version: by the template's number, else by the youngest pod."""
    generation = word(part(seen.metadata, "annotations"), _GENERATION)
    if generation and any(label(pod, _POD_GENERATION) for pod in pods):
        return [pod for pod in pods if label(pod, _POD_GENERATION) == generation]
    last = youngest(pods)
    if last is None:
        return []
    return [pod for pod in pods if label(pod, REVISION_HASH) == label(last, REVISION_HASH)]
