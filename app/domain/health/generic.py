"""What is true of every object before its kind is looked at, and of kinds that have no rule.

These are kstatus' generic rules. Beyond kstatus: a new custom resource without a status has some
seconds in which its operator may write one, instead of being taken for finished at once.
"""

from app.domain.health.seen import Seen, number, said, time, word
from app.domain.health.verdict import Health, HealthState

_FIRST_STATUS = 10
"""Seconds that an operator has for the first status of a new custom resource."""

_OURS = frozenset({"", "apps", "autoscaling", "batch", "extensions", "policy"})
_OURS_ENDING = ".k8s.io"
_PROTECTED = "kubernetes.io/pvc-protection"


def before_any_kind(seen: Seen) -> Health | None:
    """A verdict that needs no rule of the kind, or nothing."""
    metadata, status = seen.metadata, seen.status
    if metadata.get("deletionTimestamp"):
        return Health(HealthState.TERMINATING, "Deleting", _deleting(seen))
    generation = number(metadata, "generation", -1)
    observed = number(status, "observedGeneration", -1)
    if generation != observed and -1 not in {generation, observed}:
        message = "The cluster has not looked at the last change yet."
        return Health(HealthState.PENDING, "LatestGenerationNotObserved", message)
    conditions = status.get("conditions")
    if type(conditions) is not list:
        return None
    for condition in conditions:
        if not isinstance(condition, dict) or condition.get("status") != "True":
            continue
        if condition.get("type") == "Reconciling":
            reason = word(condition, "reason") or "Reconciling"
            message = _sentence("Its operator is at work", said(condition))
            return Health(HealthState.PENDING, reason, message)
        if condition.get("type") == "Stalled":
            reason = word(condition, "reason") or "Stalled"
            message = _sentence("Its operator cannot go on", said(condition))
            return Health(HealthState.ERROR, reason, message)
    return None


def _deleting(seen: Seen) -> str:
    finalizers = seen.metadata.get("finalizers")
    names = [
        word({"name": name}, "name")
        for name in (finalizers if type(finalizers) is list else [])[:5]
        if type(name) is str
    ]
    if _PROTECTED in names:
        return "It is being deleted, when the last pod that uses it is gone."
    if names:
        return f"It is being deleted, and waits for {', '.join(names)}."
    return "It is being deleted."


def unknown_kind(seen: Seen) -> Health:
    """An object of a kind without a rule: by its condition Ready, if it has one."""
    ready = seen.condition("Ready")
    if ready:
        reason = word(ready, "reason")
        if ready.get("status") == "True":
            message = _sentence("It is ready", said(ready))
            return Health(HealthState.HEALTHY, reason or "Ready", message)
        message = _sentence("It is not ready yet", said(ready))
        return Health(HealthState.PENDING, reason or "NotReady", message)
    if _is_custom(seen) and not seen.status:
        born = time(seen.metadata, "creationTimestamp")
        if born is not None and not seen.past(born, _FIRST_STATUS):
            message = "Its operator has not looked at it yet."
            return Health(HealthState.PENDING, "NoStatus", message)
    return Health(HealthState.HEALTHY, "Created", "It is on the cluster.")


def there(_: Seen) -> Health:
    """A kind that works as soon as it is stored."""
    return Health(HealthState.HEALTHY, "Created", "It is on the cluster.")


def _is_custom(seen: Seen) -> bool:
    group = word(seen.object, "apiVersion").rpartition("/")[0]
    return group not in _OURS and not group.endswith(_OURS_ENDING)


def _sentence(what: str, words: str) -> str:
    return f"{what}: {words}." if words else f"{what}."
