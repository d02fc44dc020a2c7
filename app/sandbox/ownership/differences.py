"""What a value sets, how two values differ, and a value without some of its fields.

Follows structured-merge-diff's `typed`.
"""

from dataclasses import dataclass, field
from typing import Any

from app.sandbox.objects import same
from app.sandbox.ownership.fieldset import FIELD, FieldSet, Path
from app.sandbox.ownership.typed import MISSING, element_of, entries, grouped, items, shape
from app.sandbox.schemas import ANY, TypeSchema


def field_set(value: Any, schema: TypeSchema) -> FieldSet:
    """The paths that a value sets: what its sender owns from now on."""
    found = FieldSet()
    collect(value, schema, (), found)
    return found


def collect(value: Any, schema: TypeSchema, at: Path, found: FieldSet) -> None:
    as_what = shape(value, schema)
    if as_what == "scalar" or (as_what == "list" and schema.listing == "atomic"):
        found.add(at)
    elif as_what == "list":
        for element, twins in grouped(items(value), schema).items():
            if len(twins) == 1 and schema.items:
                collect(twins[0], schema.items, (*at, element), found)
            found.add((*at, element))
    elif schema.atomic:
        found.add(at)
    else:
        for name, inner in entries(value).items():
            path = (*at, (FIELD, name))
            if known := schema.of(name):
                collect(inner, known, path, found)
            if inner is None or inner == {} or name not in schema.fields:
                found.add(path)


def remove(value: Any, gone: FieldSet, schema: TypeSchema) -> Any:
    """The value without the paths; None where nothing is left. Atomic values lose all."""
    as_what = shape(value, schema)
    if as_what == "scalar":
        return value
    if as_what == "list":
        if not items(value) or schema.listing == "atomic" or not schema.items:
            return None
        kept: list[Any] = []
        for item in value:
            element = element_of(item, schema)
            if not gone.has(element):
                below = gone.below(element)
                kept.append(remove(item, below, schema.items) if below else item)
        return kept or None
    if not entries(value) or schema.atomic:
        return None
    left: dict[str, Any] = {}
    for name, inner in value.items():
        element = (FIELD, name)
        if not gone.has(element):
            below, known = gone.below(element), schema.of(name)
            left[name] = remove(inner, below, known) if below and known else inner
    return left or None


@dataclass(slots=True)
class Difference:
    """Paths of what is in one value only, or in both with different values."""

    removed: FieldSet = field(default_factory=FieldSet)
    modified: FieldSet = field(default_factory=FieldSet)
    added: FieldSet = field(default_factory=FieldSet)


def compare(old: Any, new: Any, schema: TypeSchema) -> Difference:
    found = Difference()
    differ(old, new, schema, (), found)
    return found


def differ(old: Any, new: Any, schema: TypeSchema, at: Path, found: Difference) -> None:
    if old is new:
        return  # mostly: writes share with the live object what they leave alone
    shapes = [shape(value, schema) for value in (old, new) if value is not MISSING]
    for as_what in dict.fromkeys(shapes):
        read = entries if as_what == "map" else items
        hollow = not (read(old) or read(new))  # keeps null, [] and {} apart
        atomic = schema.listing == "atomic" if as_what == "list" else schema.atomic
        if as_what == "scalar" or atomic or hollow:
            if old is not MISSING and new is not MISSING and not same(old, new):
                found.modified.add(at)
        elif as_what == "list":
            differ_items(items(old), items(new), schema, at, found)
        else:
            differ_entries(entries(old), entries(new), schema, at, found)
    if old is MISSING:
        found.added.add(at)
    elif new is MISSING:
        found.removed.add(at)


def differ_entries(
    old: dict[str, Any], new: dict[str, Any], schema: TypeSchema, at: Path, found: Difference
) -> None:
    for name in dict.fromkeys((*old, *new)):
        if known := schema.of(name):
            one, other = old.get(name, MISSING), new.get(name, MISSING)
            differ(one, other, known, (*at, (FIELD, name)), found)


def differ_items(
    old: list[Any], new: list[Any], schema: TypeSchema, at: Path, found: Difference
) -> None:
    item_schema = schema.items or ANY
    before, after = grouped(old, schema), grouped(new, schema)
    for element in dict.fromkeys((*before, *after)):
        ones, others = before.get(element, []), after.get(element, [])
        path = (*at, element)
        if len(ones) < 2 and len(others) < 2:
            one = ones[0] if ones else MISSING
            other = others[0] if others else MISSING
            differ(one, other, item_schema, path, found)
        elif len(ones) > 1 and len(others) > 1:
            if not same(ones, others):
                found.modified.add(path)
        elif len(ones) > 1:  # duplicates gave way to one item or none
            if others:
                differ(MISSING, others[0], item_schema, path, found)
            found.removed.add(path)
        else:
            if ones:
                differ(ones[0], MISSING, item_schema, path, found)
            found.added.add(path)
