"""A plan: what a deploy would do to each object, what is to know of it, and what forbids it.

A plan is bound by its hash: over the manifests without secret values, the live objects' uids and
content, and the actions.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.domain.comparing import FieldChange
from app.domain.planning.binding import digest_of
from app.domain.planning.findings import PlanProblemCode, Risk
from app.domain.planning.objects import InventoryEntry, ObjectKey
from app.domain.planning.replicas import ReplicasStep
from app.domain.problems import Problem, Severity


class PlanAction(enum.StrEnum):
    """What a deploy does to an object. What is refused keeps the action that the canvas asks for:
    a problem beside it says that it can't be done."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    """Delete it, wait until it is gone, create it."""
    DELETE = "delete"
    UNCHANGED = "unchanged"
    """Nothing is written."""


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One object of a plan.

    `uid` and `version` (its resourceVersion) are those of the live object, None when there is none.
    `force` says that fields of others are taken over, by consent. `digest` stands for the manifest,
    `state` for the content of the live object. `changes` hold no secret value. `values` says that
    secret values are written or removed beside the manifest; they are no part of the hash.
    """

    node_id: str | None
    key: ObjectKey
    action: PlanAction
    changes: tuple[FieldChange, ...] = ()
    risks: tuple[Risk, ...] = ()
    uid: str | None = None
    version: str | None = None
    digest: str = ""
    state: str = ""
    force: bool = False
    replicas: ReplicasStep | None = None
    values: bool = False
    frame_action: PlanAction | None = None
    """Of a Secret whose values are written: what is done to the object without them."""

    @property
    def bound(self) -> PlanAction:
        """The action that the hash holds: the same with and without values."""
        return self.frame_action or self.action


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """How many objects of each action."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    unchanged: int = 0

    @classmethod
    def of(cls, objects: Iterable[PlannedObject]) -> "PlanSummary":
        counts = dict.fromkeys((action.value for action in PlanAction), 0)
        for one in objects:
            counts[one.action.value] += 1
        return cls(**counts)


@dataclass(frozen=True, slots=True)
class MissingKeys:
    """The names of secret values that a node needs, the cluster lacks, and nobody gave."""

    node_id: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deploy would do. `objects` are in the order of their application, what is deleted
    last, in the order of removal. `kept` is what is not on the canvas any more and stays: the
    inventory goes on with it, the claims that a StatefulSet leaves behind among it.
    """

    objects: tuple[PlannedObject, ...] = ()
    missing_secret_keys: tuple[MissingKeys, ...] = ()
    problems: tuple[Problem, ...] = ()
    kept: tuple[InventoryEntry, ...] = ()
    hash: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", _hash(self.objects))

    @property
    def summary(self) -> PlanSummary:
        return PlanSummary.of(self.objects)

    @property
    def obstacles(self) -> tuple[Problem, ...]:
        """Everything that forbids deploying; empty when it can be deployed."""
        errors = [p for p in self.problems if p.severity is Severity.ERROR]
        return (*errors, *map(_lacks, self.missing_secret_keys))

    @property
    def is_idle(self) -> bool:
        """Whether a deploy of it writes nothing at all."""
        return all(one.action is PlanAction.UNCHANGED for one in self.objects)

    def conflicts_with(self, now: "Plan") -> tuple[str, ...]:
        """What has moved between this plan and `now`, the same question asked later; in sentences.

        Empty exactly when the hashes are the same.
        """
        if self.hash == now.hash:
            return ()
        before = {one.key.identity: one for one in self.objects}
        after = {one.key.identity: one for one in now.objects}
        return tuple(
            sentence
            for identity in sorted(before.keys() | after.keys())
            if (sentence := _moved(before.get(identity), after.get(identity)))
        )


def _lacks(missing: MissingKeys) -> Problem:
    return Problem(
        code=PlanProblemCode.SECRET_VALUES_MISSING.value,
        message=f"Give values for {', '.join(missing.keys)}: the cluster does not have them yet.",
        node_id=missing.node_id,
        path=("data",),
        severity=Severity.ERROR,
    )


def _moved(before: PlannedObject | None, after: PlannedObject | None) -> str:
    """What happened to one object; empty when nothing did."""
    if before is None or after is None:
        return f"{after.key} is new in the plan." if after is not None else _dropped(before)
    if _bound(before) == _bound(after):
        return ""
    if before.digest != after.digest or before.key != after.key:
        return f"{after.key} was changed on the canvas."
    return moved(before, uid=after.uid, state=after.state) or (
        f"{after.key} would be handled otherwise: {after.bound}, and not {before.bound}."
    )


def _dropped(before: PlannedObject | None) -> str:
    return f"{before.key} is not in the plan any more." if before is not None else ""


def moved(planned: PlannedObject, *, uid: str | None, state: str) -> str:
    """What happened on the cluster to an object since it was planned, in a sentence; empty when
    nothing did.

    `uid` and `state` (from `state_of`) are those of the live object as it is now. To be asked
    before an object is touched for the first time: what the deploy itself did is a move, too, and
    so are values that went into a Secret (`planned.values`).
    """
    if planned.uid == uid:
        return "" if planned.state == state else f"{planned.key} was changed on the cluster."
    if planned.uid is None:
        return f"{planned.key} is on the cluster now."
    if uid is None:
        return f"{planned.key} is not on the cluster any more."
    return f"{planned.key} was deleted on the cluster and made anew."


def _bound(one: PlannedObject) -> list[Any]:
    """What the hash holds of an object."""
    key = one.key
    return [*key.identity, key.api_version, one.digest, one.uid, one.state, one.bound.value]


def _hash(objects: Iterable[PlannedObject]) -> str:
    return digest_of(sorted((_bound(one) for one in objects), key=lambda bound: bound[:4]))
