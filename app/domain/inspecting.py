"""A closer look at one node of a deployed workflow: its pods, their logs, and what is wrong."""

import enum
from dataclasses import dataclass
from datetime import datetime

from app.domain.health import HealthState


class CheckOutcome(enum.StrEnum):
    """What came of one check."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It could not be looked at, or there was nothing to look at; the message says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question that was asked of the cluster. `suggestion` says what to do, if anything."""

    name: str
    outcome: CheckOutcome
    message: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong with a node, if anything; the worst check first."""

    node_id: str
    state: HealthState
    message: str
    checks: tuple[Check, ...]
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class ContainerSeen:
    """A container of a pod. `state` is `running`, `waiting` or `terminated`."""

    name: str
    image: str
    state: str
    reason: str | None
    message: str | None
    ready: bool
    restarts: int
    is_init: bool


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod of a node. `restarts` are those of all of its containers."""

    name: str
    namespace: str
    phase: str
    ready: bool
    restarts: int
    node: str | None
    ip: str | None
    created_at: datetime | None
    message: str | None
    containers: tuple[ContainerSeen, ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a container wrote. `at` is when, by the clock of its node, if it was said."""

    pod: str
    container: str
    at: datetime | None
    text: str
