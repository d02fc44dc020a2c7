"""What the controllers that make pods have in common: counting, and asking their pods."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from app.domain.health import explaining
from app.domain.health.pods import causes_of, ordered
from app.domain.health.seen import Object, Seen, listed, number, part, said, word
from app.domain.health.verdict import Cause, CauseSeverity, Health, HealthState

REVISION_HASH = "controller-revision-hash"

_LACKS_PODS = frozenset({"LessReplicas", "LessCurrent", "JobNotStarted"})


def counted(has: int, of: int, what: str) -> str:
    """Such as "1 of 3 pods is ready."."""
    noun, verb = ("pod" if of == 1 else "pods"), ("is" if 1 in {has, of} else "are")
    return f"{has} of {of} {noun} {verb} {what}."


class Rung(NamedTuple):
    """A step of a ladder: it is taken when `has` reaches `needs`. No `what`: old pods leave."""

    reason: str
    has: int
    needs: int
    what: str = ""


def short(ready: int, want: int, *rungs: Rung) -> Health | None:
    """The verdict of the first step that is not taken."""
    for reason, has, needs, what in rungs:
        if has < needs:
            left = needs - has
            old = f"{left} old {'pod has' if left == 1 else 'pods have'} yet to stop."
            message = counted(has, needs, what) if what else old
            return Health(HealthState.PENDING, reason, message, ready, want)
    return None


def all_ready(reason: str, ready: int, want: int) -> Health:
    """The verdict at the end of a ladder."""
    if want == 0:
        return Health(HealthState.HEALTHY, "ScaledToZero", "Scaled to 0: no pods run.", 0, 0)
    return Health(HealthState.HEALTHY, reason, counted(ready, want, "ready"), ready, want)


def own_pods(seen: Seen) -> list[Object]:
    """Its pods that are not leaving; those of another owner are left out."""
    return [
        pod
        for pod in seen.of_kind("Pod")
        if is_owned(pod, seen.uid) and not part(pod, "metadata").get("deletionTimestamp")
    ]


def is_owned(obj: Object, uid: str) -> bool:
    """Whether an object may belong to the one of this uid: it names no other owner."""
    owners = [word(owner, "uid") for owner in listed(part(obj, "metadata"), "ownerReferences")]
    return not uid or not owners or uid in owners


def label(obj: Object, name: str) -> str:
    return word(part(obj, "metadata", "labels"), name)


def youngest(objects: Iterable[Object]) -> Object | None:
    """The last one made; times of one format sort as text."""
    return max(
        objects, key=lambda obj: word(part(obj, "metadata"), "creationTimestamp"), default=None
    )


def explained(seen: Seen, health: Health, pods: Iterable[Object], *, serves: bool = True) -> Health:
    """The controller's verdict, with what these pods and the lack of pods tell."""
    own: Iterator[Cause] = iter(())
    if health.state is not HealthState.HEALTHY:
        own = _creation_failures(seen, health)
    told = (cause for pod in pods for cause in causes_of(seen, pod, serves=serves))
    return health.because(ordered(chain(own, told)))


def _creation_failures(seen: Seen, health: Health) -> Iterator[Cause]:
    """Why it lacks pods: quota, admission, a missing ServiceAccount."""
    condition = seen.condition("ReplicaFailure")
    if condition.get("status") == "True" and word(condition, "reason") == "FailedCreate":
        words = [said(condition)]
    elif health.reason in _LACKS_PODS or (
        health.reason == "JobRunning" and not number(seen.status, "active")
    ):
        # An event stays for an hour, so it is only asked while pods are missing.
        words = seen.told(seen.object, "FailedCreate")[:1]
    else:
        return
    for text in words:
        told = explaining.no_pods(text)
        yield Cause(CauseSeverity.ERROR, told.reason, told.message, told.hint)
