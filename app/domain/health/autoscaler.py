"""HorizontalPodAutoscalers.

kstatus takes every autoscaler for current. A scaler that cannot measure or scale is worth telling;
without metrics it never holds a run back, because many clusters have none.
"""

from app.domain.health.seen import Object, Seen, number, said, time, word
from app.domain.health.verdict import Health, HealthState, Note

_GRACE = 90
"""Seconds that a failure has to last: metrics come late for a new workload."""

_FAILURES = {
    ("AbleToScale", "FailedGetScale"): (
        "It cannot find what it scales",
        "Check the kind and the name of its target.",
    ),
    ("AbleToScale", "FailedUpdateScale"): ("It cannot change the number of pods", ""),
    ("ScalingActive", "InvalidSelector"): (
        "Its target has no usable selector",
        "Check the target.",
    ),
}
_NO_METRICS = (
    "It cannot measure its target",
    "The cluster needs a metrics server, and the target's containers need requests.",
)


def autoscaler(seen: Seen) -> Health:
    """A HorizontalPodAutoscaler."""
    failed = _failure(seen)
    if failed is not None:
        return failed
    active = seen.condition("ScalingActive")
    if word(active, "reason") == "ScalingDisabled" and active.get("status") == "False":
        message = "It rests, because its target has 0 replicas."
        return Health(HealthState.HEALTHY, "ScalingDisabled", message).noting(
            Note("ScalingDisabled", message)
        )
    if not (seen.holds("AbleToScale") or seen.holds("ScalingLimited")):
        message = "It has not measured its target yet."
        return Health(HealthState.PENDING, "NotMeasured", message, advisory=True)
    current = number(seen.status, "currentReplicas")
    least, most = number(seen.spec, "minReplicas", 1), number(seen.spec, "maxReplicas")
    message = f"It keeps {current} {'pod' if current == 1 else 'pods'}, between {least} and {most}."
    healthy = Health(HealthState.HEALTHY, "AbleToScale", message)
    if not seen.holds("ScalingLimited"):
        return healthy
    limited = word(seen.condition("ScalingLimited"), "reason")
    at_most = limited == "TooManyReplicas"
    note = (
        f"It would run more than {most} pods: raise maxReplicas if the load is meant."
        if at_most
        else f"It is held at its limits, {least} to {most} pods."
    )
    return healthy.noting(Note(limited or "ScalingLimited", note))


def _failure(seen: Seen) -> Health | None:
    for type_ in ("AbleToScale", "ScalingActive"):
        condition = seen.condition(type_)
        reason = word(condition, "reason")
        if condition.get("status") == "True":
            continue
        unmeasured = reason.startswith("FailedGet") and reason.endswith("Metric")
        what = _FAILURES.get((type_, reason)) or (_NO_METRICS if unmeasured else None)
        if what is not None:
            return _failed(seen, condition, reason, what, advisory=unmeasured)
    return None


def _failed(
    seen: Seen, condition: Object, reason: str, what: tuple[str, str], *, advisory: bool
) -> Health:
    since = time(condition, "lastTransitionTime") or time(seen.metadata, "creationTimestamp")
    if not seen.past(since, _GRACE):
        message = f"{what[0]} yet."
        return Health(HealthState.PENDING, reason, message, advisory=True)
    words = said(condition)
    message = f"{what[0]}{f': {words}' if words else ''}. {what[1]}".rstrip()
    return Health(HealthState.ERROR, reason, message, advisory=advisory)
