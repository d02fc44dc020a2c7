"""What is said of an object on the cluster: its state, why, and what to do about it."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace


class HealthState(enum.StrEnum):
    """How an object is doing. The words in brackets are kstatus' own for the same thing."""

    HEALTHY = "healthy"
    """As it was asked for, and working (Current)."""
    SUSPENDED = "suspended"
    """Stopped on purpose: a paused Deployment, a suspended Job. It comes no further by itself."""
    PENDING = "pending"
    """On its way (InProgress)."""
    TERMINATING = "terminating"
    """Being deleted (Terminating)."""
    DEGRADED = "degraded"
    """On its way, and something is wrong that may still heal (InProgress)."""
    MISSING = "missing"
    """Not on the cluster (NotFound)."""
    ERROR = "error"
    """Failed: it comes no further without a change (Failed)."""


_RANK = {state: rank for rank, state in enumerate(HealthState)}
_WAITING = frozenset({HealthState.PENDING, HealthState.DEGRADED, HealthState.TERMINATING})


class CauseSeverity(enum.StrEnum):
    """ERROR keeps the object from working, WARNING is about what it went through, and WAITING is
    the normal course of things."""

    WAITING = "waiting"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """The more, the worse."""
        return _SEVERITY_RANK[self]


_SEVERITY_RANK = {severity: rank for rank, severity in enumerate(CauseSeverity)}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an object is not healthy, as its pods, conditions and events tell it.

    `message` says what is wrong and `hint` what to do, both in sentences. `fatal` means that
    nothing but a change of the object or of what it names heals it. `pods` counts the pods that
    have the same trouble; `pod` is one of them.
    """

    severity: CauseSeverity
    reason: str
    message: str
    hint: str = ""
    pod: str | None = None
    container: str | None = None
    is_init: bool = False
    restarts: int = 0
    exit_code: int | None = None
    fatal: bool = False
    pods: int = 1

    @property
    def sentence(self) -> str:
        more = f" {self.pods} pods have this." if self.pods > 1 else ""
        return f"{self.message}{more} {self.hint}".rstrip()


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth telling that holds nothing back."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Health:
    """The health of an object at one moment.

    `reason` is one word for machines, in Kubernetes' spelling; `message` is for people. `ready` of
    `desired` are pods (of a Job: completions), for kinds that count. An `advisory` state is shown
    but never holds a run back. `recheck_after` is the number of seconds after which time alone may
    change the answer; None when only an event on the cluster can.
    """

    state: HealthState
    reason: str
    message: str
    ready: int | None = None
    desired: int | None = None
    advisory: bool = False
    causes: tuple[Cause, ...] = ()
    notes: tuple[Note, ...] = ()
    recheck_after: float | None = None

    @property
    def holds_run(self) -> bool:
        """Whether a run that applied the object has to wait for it."""
        waiting = self.state in _WAITING or self.state is HealthState.MISSING
        return waiting and not self.advisory

    @property
    def fails_run(self) -> bool:
        """Whether a run that applied the object has failed."""
        return self.state is HealthState.ERROR and not self.advisory

    def noting(self, *notes: Note) -> "Health":
        """The same with further notes."""
        return replace(self, notes=self.notes + notes) if notes else self

    def because(self, causes: Sequence[Cause]) -> "Health":
        """The same with what its pods and events tell, worst first.

        An error makes a pending object degraded, or failed when it is fatal; its reason becomes the
        object's, because it is the one to act on. Of a healthy one, warnings become notes.
        """
        if not causes:
            return self
        found = tuple(causes)
        if self.state not in {HealthState.PENDING, HealthState.ERROR}:
            warnings = [c for c in found if c.severity is CauseSeverity.WARNING]
            kept = replace(self, causes=tuple(warnings))
            return kept.noting(*(Note(c.reason, c.sentence) for c in warnings))
        worst = found[0]
        state: HealthState = self.state
        reason = self.reason
        if state is HealthState.PENDING and worst.severity is CauseSeverity.ERROR:
            state = HealthState.ERROR if worst.fatal else HealthState.DEGRADED
            reason = worst.reason
        message = f"{self.message} {worst.sentence}"
        return replace(self, state=state, reason=reason, message=message, causes=found)


def combined(parts: Sequence[Health]) -> Health:
    """The health of a node from that of its objects: the worst, with the notes of all.

    What is advisory never hides what is not, and is kept as a note beside it. Of objects that are
    equally well the one that counts pods says the most.
    """
    if not parts:
        return Health(HealthState.MISSING, "NotFound", "Nothing of it is on the cluster.")
    worst = max(parts, key=lambda part: (not part.advisory, _RANK[part.state], _counts(part)))
    if worst.state is HealthState.HEALTHY:  # then an advisory one says more
        worst = max(parts, key=lambda part: (_RANK[part.state], _counts(part)))
    counted = next((part for part in parts if part.desired is not None), worst)
    times = [part.recheck_after for part in parts if part.recheck_after is not None]
    notes = [
        note
        for part in parts
        for note in (
            *part.notes,
            *([Note(part.reason, part.message)] if part.advisory and part is not worst else []),
        )
    ]
    return replace(
        worst,
        ready=counted.ready,
        desired=counted.desired,
        causes=tuple(cause for part in parts for cause in part.causes),
        notes=tuple(notes),
        recheck_after=min(times, default=None),
    )


def _counts(part: Health) -> bool:
    return part.desired is not None
