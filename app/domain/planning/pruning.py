"""What earlier deploys made and the canvas does not have any more: what goes, and what stays.

Deleted is only what the inventory has, what still carries this workflow's labels, and no data: for
claims it takes an explicit word, and namespaces and definitions of kinds are never deleted, because
others may live in them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from app.domain.manifest import Manifest
from app.domain.planning import claims, risks
from app.domain.planning.binding import state_of
from app.domain.planning.findings import PlanProblemCode, problem
from app.domain.planning.objects import (
    PRUNE,
    InventoryEntry,
    Object,
    ObjectKey,
    Owner,
    is_kept,
    is_terminating,
    name_of,
    ownership,
    uid_of,
    version_of,
)
from app.domain.planning.observed import Leftover, Question
from app.domain.planning.plan import PlanAction, PlannedObject
from app.domain.planning.waves import order
from app.domain.problems import Problem, Severity

_NEVER = frozenset({("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")})
_CLAIM = ("", "PersistentVolumeClaim")
_MOST_NAMED = 5


def leftovers(
    inventory: Iterable[InventoryEntry], manifests: Iterable[Manifest]
) -> list[InventoryEntry]:
    """The entries that the manifests do not have: those to look at on the cluster.

    Compared without the API version, so that an object that moves to a new one is not deleted.
    """
    made = {manifest.identity for manifest in manifests}
    return [entry for entry in inventory if entry.key.identity not in made]


@dataclass(slots=True)
class Pruned:
    """What comes of the leftovers; `objects` in the order of removal."""

    objects: list[PlannedObject] = field(default_factory=list)
    kept: list[InventoryEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def tell(self, entry: InventoryEntry, why: str) -> None:
        """Say that something stays."""
        self.problems.append(
            problem(
                PlanProblemCode.KEPT,
                why,
                entry.key,
                node_id=entry.node_id,
                severity=Severity.INFO,
            )
        )


def prune(left: Sequence[Leftover], question: Question) -> Pruned:
    """Decide what is deleted. What is gone already is not mentioned, and what is somebody else's
    by now is forgotten."""
    pruned = Pruned()
    for one in left:
        if one.live is None:
            continue
        entry = one.entry
        whose = ownership(one.live, question.workflow_id, made=entry.uid)
        if whose.owner is not Owner.OURS:
            by = whose.by or "somebody else"
            pruned.tell(
                entry, f"{entry.key} is not on the canvas any more, and stays: it belongs to {by}."
            )
        elif is_terminating(one.live):
            pruned.kept.append(entry)
        elif why := _reason_to_keep(entry.key, one.live, question):
            pruned.kept.append(replace(entry, kept=True))
            pruned.tell(entry, f"{entry.key} is not on the canvas any more, and stays{why}")
        else:
            pruned.objects.append(_deletion(entry, one.live))
            _claims(one, one.live, question, pruned)
    unique = {one.key.identity: one for one in pruned.objects}
    pruned.objects = sorted(unique.values(), key=lambda one: order(one.key), reverse=True)
    return pruned


def _reason_to_keep(key: ObjectKey, live: Object, question: Question) -> str:
    """The rest of the sentence that says why it stays; empty when it goes."""
    kind = (key.group, key.kind)
    if kind in _NEVER:
        return ": others may use what is in it."
    if is_kept(live):
        return f": its annotation {PRUNE} says so."
    if kind == _CLAIM and not question.consents.delete_data:
        return " with its data. Deploy with deleteData to delete it."
    return ""


def _deletion(entry: InventoryEntry, live: Object) -> PlannedObject:
    return PlannedObject(
        node_id=entry.node_id,
        key=entry.key,
        action=PlanAction.DELETE,
        risks=risks.of_deletion(entry.key, live),
        uid=uid_of(live),
        version=version_of(live),
        state=state_of(live, {}),
    )


def _claims(one: Leftover, live: Object, question: Question, pruned: Pruned) -> None:
    """The claims of a StatefulSet that goes: deleted with it, or taken into the inventory."""
    key = one.entry.key
    if (key.group, key.kind) != ("apps", "StatefulSet"):
        return
    stays, others = False, []
    for claim in claims.claims_of(live, one.claims):
        if by := claims.stranger(live, claim, question.workflow_id):
            others.append(f"{name_of(claim)} belongs to {by}")
            continue
        named = ObjectKey("v1", "PersistentVolumeClaim", key.namespace, name_of(claim))
        entry = InventoryEntry(named, uid_of(claim), one.entry.node_id)
        if is_terminating(claim):
            continue
        if question.consents.delete_data and not is_kept(claim):
            pruned.objects.append(_deletion(entry, claim))
        else:
            pruned.kept.append(replace(entry, kept=True))
            stays = True
    if stays:
        pruned.tell(
            one.entry,
            f"The claims of {key} stay with their data. Deploy with deleteData to delete them.",
        )
    if others:
        more = f", and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        pruned.tell(
            one.entry,
            f"Claims that are only called like those of {key} stay: "
            f"{'; '.join(others[:_MOST_NAMED])}{more}.",
        )
