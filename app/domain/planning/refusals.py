"""What it means that a dry run was refused: by status, causes and words, as API servers word it.

The status is not enough: a 500 can be the client's fault, a 403 a quota, a 404 a missing namespace
or a missing kind. What refuses a Secret comes without words; then the least that can be said is
said. The words were seen on Kubernetes 1.36, but for those of webhooks, which are documented.
"""

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import ClusterError, ClusterFault
from app.domain.health.seen import plain
from app.domain.planning.conflicts import conflicts, owner_of_field, path_of_field
from app.domain.planning.findings import PlanProblemCode
from app.domain.planning.immutability import fields_of, immutable_fields
from app.domain.planning.objects import ObjectKey
from app.domain.planning.waves import is_builtin


class Outcome(enum.StrEnum):
    """What to make of a refusal."""

    CONFLICT = "conflict"
    """Fields of somebody else; the causes say whose."""
    IMMUTABLE = "immutable"
    """Only a new object can have these values."""
    UNVERIFIED = "unverified"
    """It can't be checked beforehand, and may work."""
    PROBLEM = "problem"
    """It would fail."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A refusal, understood. `fields` are those at fault, in the cluster's spelling."""

    outcome: Outcome
    message: str
    code: PlanProblemCode | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What was refused: the object, whether it is there, and what else the plan makes."""

    key: ObjectKey
    is_live: bool
    refusal: ClusterError
    namespaces: frozenset[str] = frozenset()
    kinds: frozenset[tuple[str, str]] = frozenset()

    @property
    def words(self) -> str:
        """What the cluster said; of a Secret nothing is read, because it may quote a value."""
        return "" if self.key.is_secret else self.refusal.message.rpartition(" It says: ")[2]

    @property
    def message(self) -> str:
        """The refusal's own sentence, and of a Secret the fields at fault."""
        if not self.key.is_secret:
            return self.refusal.message
        fields = fields_of(self.refusal.causes)
        return f"It is at fault in {', '.join(fields)}." if fields else "Look at its keys and type."


def meaning(asked: Asked) -> Meaning:
    """What a refusal means; the first rule that fits."""
    for rule in _RULES:
        if (found := rule(asked)) is not None:
            return found
    return Meaning(
        Outcome.PROBLEM,
        f"The cluster refuses {asked.key}. {asked.message}",
        PlanProblemCode.INVALID,
        fields_of(asked.refusal.causes),
    )


def _conflict(asked: Asked) -> Meaning | None:
    causes = conflicts(asked.refusal)
    if not causes:
        return None
    told = [
        f"{path_of_field(cause.field or 'a field')} is set by {owner_of_field(cause)}"
        for cause in causes
    ]
    fields = tuple(cause.field for cause in causes if cause.field)
    return Meaning(Outcome.CONFLICT, f"{'; '.join(told)}.", PlanProblemCode.CONFLICT, fields)


def _immutable(asked: Asked) -> Meaning | None:
    fields = immutable_fields(asked.key, asked.refusal) if asked.is_live else None
    if fields is None:
        return None
    what = ", ".join(map(path_of_field, fields)) or "a field"
    return Meaning(
        Outcome.IMMUTABLE,
        f"{what} of {asked.key} can't be changed any more.",
        PlanProblemCode.IMMUTABLE_FIELD,
        fields,
    )


def _missing(asked: Asked) -> Meaning | None:
    if asked.refusal.fault is not ClusterFault.NOT_FOUND:
        return None
    key = asked.key
    if (key.group, key.kind) in asked.kinds:
        return Meaning(
            Outcome.UNVERIFIED,
            f"The kind {key.kind} is installed by this deploy; only then can it be checked.",
        )
    by_words = re.search(r"namespaces? \"[^\"]*\" not found", asked.words)
    if key.namespace is not None and (by_words or is_builtin(key)):
        if key.namespace in asked.namespaces:
            return Meaning(
                Outcome.UNVERIFIED,
                f"The namespace {key.namespace} is made by this deploy; only then can it be "
                "checked.",
            )
        return Meaning(
            Outcome.PROBLEM,
            f"There is no namespace {key.namespace} on the cluster. Create it, or choose another.",
            PlanProblemCode.NAMESPACE_MISSING,
        )
    return Meaning(
        Outcome.PROBLEM,
        f"The cluster does not serve the kind {key.kind} of {key.api_version}. Install what "
        "provides it, or remove the node.",
        PlanProblemCode.KIND_MISSING,
    )


def _no_dry_run(asked: Asked) -> Meaning | None:
    if asked.refusal.status != 400 or "does not support dry run" not in asked.words:
        return None
    return Meaning(
        Outcome.UNVERIFIED,
        "A webhook of the cluster does not take part in dry runs, so the cluster could not check "
        "it beforehand.",
    )


def _claim(asked: Asked) -> Meaning | None:
    if asked.key.kind != "PersistentVolumeClaim":
        return None
    said = f"{asked.words} {' '.join(cause.message for cause in asked.refusal.causes)}"
    if "can not be less than" in said:
        return Meaning(
            Outcome.PROBLEM,
            f"{asked.key} can't become smaller. Give it at least the size that it has.",
            PlanProblemCode.CLAIM_SHRINKS,
            ("spec.resources.requests.storage",),
        )
    if "can be resized" in said:
        return Meaning(
            Outcome.PROBLEM,
            f"{asked.key} can't become larger: its storage class does not allow it. Give it the "
            "size that it has, or make a new claim and copy the data over.",
            PlanProblemCode.CLAIM_NOT_RESIZABLE,
            ("spec.resources.requests.storage",),
        )
    return None


def _forbidden(asked: Asked) -> Meaning | None:
    if asked.refusal.fault is not ClusterFault.FORBIDDEN:
        return None
    key, words = asked.key, asked.words
    if "exceeded quota" in words:
        return Meaning(
            Outcome.PROBLEM,
            f"A quota of the namespace does not admit {key}: {_after(words, 'exceeded quota')}. "
            "Ask for less, remove something, or have the quota raised.",
            PlanProblemCode.QUOTA,
        )
    terminating = any(c.reason == "NamespaceTerminating" for c in asked.refusal.causes)
    if terminating or "because it is being terminated" in words:
        return Meaning(
            Outcome.PROBLEM,
            f"The namespace {key.namespace} is being deleted. Wait until it is gone, create it, "
            "and plan again.",
            PlanProblemCode.NAMESPACE_TERMINATING,
        )
    if "denied the request" in words or "denied request" in words:
        return Meaning(
            Outcome.PROBLEM,
            f"A policy of the cluster refuses {key}. It says: {plain(words)}.",
            PlanProblemCode.INVALID,
        )
    where = f" in the namespace {key.namespace}" if key.namespace else ""
    return Meaning(
        Outcome.PROBLEM,
        f"The cluster's credentials may not create and change {key.kind} objects{where}. Have the "
        "right to get, create and patch them given to this account.",
        PlanProblemCode.PERMISSION_MISSING,
    )


_JUDGED = frozenset({ClusterFault.INVALID, ClusterFault.FORBIDDEN, ClusterFault.NOT_FOUND})
"""Faults by which the cluster has judged the object; by the others it has not come to it."""


def _not_now(asked: Asked) -> Meaning | None:
    if asked.refusal.fault in _JUDGED:
        return None
    return Meaning(
        Outcome.PROBLEM,
        f"{asked.key} could not be checked; plan again. {asked.message}",
        PlanProblemCode.NOT_CHECKED,
    )


def _after(words: str, mark: str) -> str:
    return plain(words[words.index(mark) + len(mark) :].lstrip(": ")) or "it is used up"


_RULES: tuple[Callable[[Asked], Meaning | None], ...] = (
    _conflict,
    _claim,
    _immutable,
    _missing,
    _no_dry_run,
    _forbidden,
    _not_now,
)
