"""Rules for lists of values: entries have ids of their own, and nothing is said twice."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from app.domain.text import Loc, refuse_at

_Entry = TypeVar("_Entry", bound=BaseModel)


def identified(prefix: str, source: str | None = None) -> Callable[[list[_Entry]], list[_Entry]]:
    """Gives every entry of a list an `id`, and refuses one that is used twice.

    An entry without an id gets the text of its field `source`, or `<prefix>-<n>`.
    """

    def check(entries: list[_Entry]) -> list[_Entry]:
        taken: set[str] = set()
        faults: list[tuple[Loc, str]] = []
        for index, entry in enumerate(entries):
            name = getattr(entry, "id", "")
            if name and name in taken:
                faults.append(((index, "id"), f"The id {name!r} is used twice in this list."))
            taken.add(name)
        refuse_at(faults)
        return [_with_id(entry, taken, prefix, source, i) for i, entry in enumerate(entries, 1)]

    return check


def _with_id(
    entry: _Entry, taken: set[str], prefix: str, source: str | None, number: int
) -> _Entry:
    if getattr(entry, "id", ""):
        return entry
    wanted = str(getattr(entry, source))[:128] if source else f"{prefix}-{number}"
    while wanted in taken:
        wanted, number = f"{prefix}-{number}", number + 1
    taken.add(wanted)
    return entry.model_copy(update={"id": wanted})


def unique(field: str) -> Callable[[list[_Entry]], list[_Entry]]:
    """Refuses a list in which two entries have the same (not null) value in `field`."""

    def check(entries: list[_Entry]) -> list[_Entry]:
        seen: set[Any] = set()
        faults: list[tuple[Loc, str]] = []
        for index, entry in enumerate(entries):
            value = getattr(entry, field)
            if value is not None and value in seen:
                faults.append(((index, field), f"{value!r} is used twice in this list."))
            seen.add(value)
        refuse_at(faults)
        return entries

    return check


def distinct(values: list[Any]) -> list[Any]:
    """Refuses a list that says something twice."""
    seen: set[Any] = set()
    faults: list[tuple[Loc, str]] = []
    for index, value in enumerate(values):
        if value in seen:
            faults.append(((index,), f"{str(value)!r} is in this list twice."))
        seen.add(value)
    refuse_at(faults)
    return values
