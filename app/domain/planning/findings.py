"""What a plan says of its objects beside what changes: risks to know, and problems that forbid it.

A risk belongs to an object and never stops a deploy by itself. A problem of severity ERROR does;
where a word of consent removes it, the message says which.
"""

import enum
from dataclasses import dataclass

from app.domain.planning.objects import ObjectKey
from app.domain.problems import Problem, Severity


class RiskCode(enum.StrEnum):
    """What to know of a planned object."""

    IMMUTABLE_FIELD = "IMMUTABLE_FIELD"
    """A field changes that can't: the object is made anew, or the change is refused."""
    DATA_LOSS = "DATA_LOSS"
    DISRUPTION = "DISRUPTION"
    """Pods stop before others take their place, or an address changes."""
    NOT_OWNED = "NOT_OWNED"
    """It is somebody else's."""
    CONFLICT = "CONFLICT"
    """Somebody else has set a field that the canvas sets otherwise."""
    QUOTA = "QUOTA"
    DEPRECATED_API = "DEPRECATED_API"
    CLUSTER_WARNING = "CLUSTER_WARNING"
    """What else the cluster warned of, in its own words."""
    UNVERIFIED = "UNVERIFIED"
    """The cluster could not check it beforehand."""
    REPLICAS_MOVE = "REPLICAS_MOVE"
    """An autoscaler takes over the number of pods, or gives it back."""
    CHANGES_NOT_SHOWN = "CHANGES_NOT_SHOWN"
    """There are more changes than are shown."""


class PlanProblemCode(enum.StrEnum):
    """What stands in the way of a deploy, as the cluster sees it."""

    NOT_OWNED = "NOT_OWNED"
    """Consent: adopt the object."""
    CONFLICT = "CONFLICT"
    """Consent: take the fields over."""
    REPLACE_UNCONFIRMED = "REPLACE_UNCONFIRMED"
    """Consent: replace the object, or deploy by the plan that says so."""
    IMMUTABLE_FIELD = "IMMUTABLE_FIELD"
    INVALID = "INVALID"
    """The cluster refuses the object."""
    CLAIM_SHRINKS = "CLAIM_SHRINKS"
    CLAIM_NOT_RESIZABLE = "CLAIM_NOT_RESIZABLE"
    PERMISSION_MISSING = "PERMISSION_MISSING"
    QUOTA = "QUOTA"
    NAMESPACE_MISSING = "NAMESPACE_MISSING"
    NAMESPACE_TERMINATING = "NAMESPACE_TERMINATING"
    KIND_MISSING = "KIND_MISSING"
    TERMINATING = "TERMINATING"
    """The object is being deleted."""
    NOT_CHECKED = "NOT_CHECKED"
    """The cluster could not answer: plan again."""
    SECRET_VALUES_MISSING = "SECRET_VALUES_MISSING"  # noqa: S105  # a code, no secret
    SECRET_VALUES_UNKNOWN = "SECRET_VALUES_UNKNOWN"  # noqa: S105  # a code, no secret
    KEPT = "KEPT"
    """INFO: left on the cluster though it is not on the canvas any more."""


@dataclass(frozen=True, slots=True)
class Risk:
    """One risk of an object; `message` is for people and says what follows from it."""

    code: RiskCode
    message: str


def problem(
    code: PlanProblemCode,
    message: str,
    key: ObjectKey,
    *,
    node_id: str | None,
    field: str | None = None,
    severity: Severity = Severity.ERROR,
) -> Problem:
    """A problem of an object. Its path is `("manifests", kind, name)` and the field, if known."""
    path = ("manifests", key.kind, key.name, *((field,) if field else ()))
    return Problem(code=code.value, message=message, node_id=node_id, path=path, severity=severity)
