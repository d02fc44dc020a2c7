"""Pods: their own health, and what they tell of the workload that made them.

The rule is kstatus' with two differences: a pod that failed is failed, and the trouble of a
container counts whatever the phase (kstatus knows CrashLoopBackOff and Unschedulable alone).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from app.domain.health import explaining
from app.domain.health.containers import Container, trouble
from app.domain.health.seen import Object, Seen, listed, part, said, time, word
from app.domain.health.verdict import Cause, CauseSeverity, Health, HealthState

_SCHEDULING_GRACE = 15
"""Seconds that the scheduler has, as in kstatus, before a pod counts as unschedulable."""

_CREATION_GRACE = 30
"""Seconds that containers have to be created before events are asked why they are not."""

_MOST = 20
"""Causes that are kept of an object."""

_STUCK = (
    "FailedMount",
    "FailedAttachVolume",
    "FailedMapVolume",
    "FailedCreatePodSandBox",
    "FailedCreatePodContainer",
)
_ENDINGS = {
    "Evicted": (
        "was evicted from its node",
        "The node ran short of memory or disk: set requests, or use less.",
    ),
    "NodeLost": ("was lost with its node", "Look at the cluster's nodes."),
    "NodeShutdown": ("was stopped with its node", ""),
    "Terminated": ("was stopped with its node", ""),
    "Preempting": ("made room for a pod of a higher priority", ""),
    "Preempted": ("made room for a pod of a higher priority", ""),
    "DeadlineExceeded": (
        "ran longer than it may",
        "Raise activeDeadlineSeconds, or make it faster.",
    ),
    "NodeAffinity": (
        "does not fit its node any more",
        "Its node selector or affinity does not match the node's labels.",
    ),
    "UnexpectedAdmissionError": ("was refused by its node", "Look at the pod's events."),
}


def pod(seen: Seen) -> Health:
    """A Pod on its own."""
    phase = word(seen.status, "phase")
    if phase == "Succeeded":
        return Health(HealthState.HEALTHY, "PodCompleted", "The pod has done its work.")
    causes = ordered(causes_of(seen, seen.object))
    ready = int(phase == "Running" and seen.holds("Ready"))
    if phase == "Failed":
        worst = next((c for c in causes if c.severity is CauseSeverity.ERROR), None)
        reason = worst.reason if worst else "PodFailed"
        return Health(HealthState.ERROR, reason, "The pod has failed.", 0, 1).because(causes)
    if ready:
        healthy = Health(HealthState.HEALTHY, "PodReady", "The pod is ready.", 1, 1)
        return healthy.because(causes)
    if causes and causes[0].severity is CauseSeverity.ERROR:
        worst = causes[0]
        failed = Health(HealthState.ERROR, worst.reason, "The pod does not work.", 0, 1)
        return failed.because(causes)
    reason, message = {
        "Running": ("PodRunningNotReady", "The pod runs and is not ready yet."),
        "Pending": ("PodPending", "The pod is being started."),
        "": ("PodNotObserved", "The cluster has not looked at the pod yet."),
    }.get(phase, ("PodUnknown", "The pod's node does not answer."))
    if phase == "Pending" and causes and causes[0].reason == "PodNotScheduled":
        reason = "PodNotScheduled"
    return Health(HealthState.PENDING, reason, message, 0, 1).because(causes)


def causes_of(seen: Seen, obj: Object, *, serves: bool = True) -> Iterator[Cause]:
    """What a pod tells. `serves` is false for one that runs until it is done."""
    metadata, status = part(obj, "metadata"), part(obj, "status")
    phase = word(status, "phase")
    if phase == "Succeeded" or metadata.get("deletionTimestamp"):
        return
    name = word(metadata, "name")
    ending = word(status, "reason")
    if phase == "Failed" and ending:
        yield _ended(name, ending, said(status))
        return
    if phase == "Pending":
        unplaced = _unplaced(seen, name, metadata, status)
        if unplaced is not None:
            yield unplaced
            return
    creating = False
    for key, is_init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for container_status in listed(status, key):
            container = Container(seen, obj, name, container_status, is_init, serves)
            cause = trouble(container)
            if cause is not None:
                yield cause
            waiting = part(container_status, "state", "waiting")
            creating = creating or waiting.get("reason") == "ContainerCreating"
    if creating or (phase == "Pending" and not status.get("containerStatuses")):
        yield from _stuck(seen, obj, name, metadata)


def ordered(causes: Iterable[Cause]) -> list[Cause]:
    """The worst first, one for each reason and container, with the number of pods that have it."""
    kept: dict[tuple[str, str | None, bool], Cause] = {}
    for cause in causes:
        key = (cause.reason, cause.container, cause.is_init)
        first = kept.get(key)
        if first is None:
            kept[key] = cause
            continue
        kept[key] = replace(
            first,
            pods=first.pods + 1,
            fatal=first.fatal or cause.fatal,
            restarts=max(first.restarts, cause.restarts),
        )
    found = sorted(kept.values(), key=lambda c: (c.fatal, c.severity.rank), reverse=True)
    return found[:_MOST]


def _ended(name: str, reason: str, text: str) -> Cause:
    what, advice = _ENDINGS.get(reason, ("was ended by the cluster", ""))
    if reason.startswith("OutOf"):
        what = f"found no room on its node ({reason})"
        advice = "Set requests that the nodes can hold."
    message = f"Pod {name} {what}{f': {text}' if text else ''}."
    return Cause(CauseSeverity.ERROR, reason, message, advice, pod=name)


def _unplaced(seen: Seen, name: str, metadata: Object, status: Object) -> Cause | None:
    for condition in listed(status, "conditions"):
        if word(condition, "type") != "PodScheduled" or condition.get("status") != "False":
            continue
        reason, text = word(condition, "reason"), said(condition)
        if reason == "SchedulingGated":
            message = f"Pod {name} waits for its scheduling gates to be lifted."
            return Cause(CauseSeverity.WAITING, reason, message, pod=name)
        if reason != "Unschedulable":
            continue
        if not seen.past(time(metadata, "creationTimestamp"), _SCHEDULING_GRACE):
            message = f"Pod {name} waits for a node."
            return Cause(CauseSeverity.WAITING, "PodNotScheduled", message, pod=name)
        message = f"No node takes pod {name}{f': {text}' if text else ''}."
        advice = explaining.scheduling(text)
        return Cause(CauseSeverity.ERROR, reason, message, advice, pod=name)
    return None


def _stuck(seen: Seen, obj: Object, name: str, metadata: Object) -> Iterator[Cause]:
    """Why containers are not even created; only events know."""
    if not seen.past(time(metadata, "creationTimestamp"), _CREATION_GRACE):
        return
    for reason in _STUCK:
        told = seen.told(obj, reason)
        if not told:
            continue
        missing = next(filter(None, map(explaining.absent, told)), None)
        if missing is not None:
            message, advice = f"Pod {name} needs {missing[0]}.", missing[1]
        else:
            message, advice = f"Pod {name} cannot be started: {told[0]}.", ""
        yield Cause(CauseSeverity.ERROR, reason, message, advice, pod=name)
        return
