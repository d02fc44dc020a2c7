"""A plan that people can read and a database can keep: its hash is the same, however much is shown.

A change's values are cut already (`changes.LONGEST`), and so are the changes of one object; here it
is what a thousand objects come to.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.domain.comparing import FieldChange
from app.domain.planning.findings import Risk, RiskCode
from app.domain.planning.plan import Plan, PlannedObject

MOST_CHARACTERS = 1_000_000
"""Characters of changes that a plan shows; they take up to six times as many bytes as JSON."""


def shortened(plan: Plan, *, most: int = MOST_CHARACTERS) -> Plan:
    """The plan with the first changes, and of the others how many there are."""
    left = most
    objects: list[PlannedObject] = []
    for one in plan.objects:
        shown, left = _fitting(one.changes, left)
        hidden = len(one.changes) - shown
        objects.append(_without(one, hidden) if hidden else one)
    return replace(plan, objects=tuple(objects))


def _fitting(changes: Sequence[FieldChange], left: int) -> tuple[int, int]:
    """How many of the changes fit into so many characters, and how many are left then."""
    for number, change in enumerate(changes):
        left -= len(change.path) + _length(change.before) + _length(change.after)
        if left < 0:
            return number, 0
    return len(changes), left


def _without(one: PlannedObject, hidden: int) -> PlannedObject:
    what = "1 change" if hidden == 1 else f"{hidden} changes"
    told = Risk(RiskCode.CHANGES_NOT_SHOWN, f"Not shown of {one.key}: {what}.")
    changes = one.changes[: len(one.changes) - hidden]
    return replace(one, changes=changes, risks=(*one.risks, told))


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return len(json.dumps(value, ensure_ascii=False))
