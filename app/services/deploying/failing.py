"""Why an object could not be applied or removed: a word for machines and a sentence for people."""

from dataclasses import dataclass

from app.domain.errors import ClusterError, ClusterFault
from app.domain.planning import ObjectKey
from app.domain.planning.findings import PlanProblemCode
from app.domain.planning.refusals import Asked, Outcome, meaning
from app.services.deploying.trying import Late

_FAILING = frozenset({Outcome.CONFLICT, Outcome.IMMUTABLE, Outcome.PROBLEM})
_ADVICE = {
    Outcome.CONFLICT: "Somebody else has set fields of {key}: {message} Take them over explicitly, "
    "or let the canvas say the same.",
    Outcome.IMMUTABLE: "{message} Plan again.",
}
_JUDGED = frozenset({ClusterFault.INVALID, ClusterFault.FORBIDDEN, ClusterFault.NOT_FOUND})
_UNJUDGED = frozenset({None, PlanProblemCode.NOT_CHECKED})


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands at the node. `message` has no value of a Secret in it."""

    reason: str
    message: str


class Failed(Exception):
    """An object was not dealt with, and trying again is of no use."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def not_applied(key: ObjectKey, error: ClusterError, *, is_live: bool) -> Failure:
    """What a refusal to apply the object means."""
    if error.fault in _JUDGED or error.fault is ClusterFault.CONFLICT:
        found = meaning(Asked(key, is_live, error))
        if found.code not in _UNJUDGED and found.outcome in _FAILING:
            advice = _ADVICE.get(found.outcome, "{message}")
            return Failure(
                _word(found.code or error.fault), advice.format(key=key, message=found.message)
            )
    return Failure(_word(error.fault), f"{key} could not be applied. {_said(key, error)}")


def not_removed(key: ObjectKey, error: ClusterError) -> Failure:
    """What a refusal to delete the object means."""
    if error.fault is ClusterFault.FORBIDDEN:
        where = f" in the namespace {key.namespace}" if key.namespace else ""
        return Failure(
            "PermissionMissing",
            f"The cluster's credentials may not delete {key.kind} objects{where}. Have the right "
            f"to get and delete them given to this account. {_said(key, error)}",
        )
    return Failure(_word(error.fault), f"{key} could not be deleted. {_said(key, error)}")


def too_late(key: ObjectKey, late: Late, *, seconds: float) -> Failure:
    """The deadline of the run, in seconds, came first."""
    said = f" {_said(key, late.error)}" if late.error is not None else ""
    reason = _word(late.error.fault) if late.error is not None else "DeadlineExceeded"
    return Failure(reason, f"{key} was not dealt with within {round(seconds)} s.{said}")


def not_made_anew(key: ObjectKey) -> Failure:
    """The run was stopped while the old object was on its way out."""
    return Failure(
        "NotMadeAnew",
        f"{key} was deleted to be made anew, and something holds it. The run was stopped before it "
        "was gone: deploy again when it is.",
    )


def moved(sentence: str) -> Failure:
    """The object is not the one any more that was planned."""
    return Failure("Moved", f"{sentence} Plan again.")


def _said(key: ObjectKey, error: ClusterError) -> str:
    """The cluster's sentence; of a Secret, what is safe to repeat."""
    return Asked(key, is_live=True, refusal=error).message if key.is_secret else error.message


def _word(code: str) -> str:
    """A code in Kubernetes' spelling of reasons."""
    return "".join(part.capitalize() for part in code.split("_"))
