"""A value laid over another by their type: the right one wins, what only the left one has stays.

Follows structured-merge-diff's `typed.Merge`, the order of list items included.
"""

from typing import Any

from app.sandbox.ownership.fieldset import Element
from app.sandbox.ownership.typed import MISSING, element_of, entries, items, shape
from app.sandbox.schemas import ANY, TypeSchema


def merge(left: Any, right: Any, schema: TypeSchema) -> Any:
    """Neither is changed, but the result shares parts with them. MISSING if both are."""
    last = left if right is MISSING else right
    if last is MISSING or shape(last, schema) == "scalar":
        return last
    if shape(last, schema) == "map":
        if schema.atomic or not (entries(left) or entries(right)):
            return last
        return merge_maps(entries(left), entries(right), schema)
    if schema.listing == "atomic" or not (items(left) or items(right)):
        return last
    return merge_lists(items(left), items(right), schema)


def merge_maps(left: dict[str, Any], right: dict[str, Any], schema: TypeSchema) -> Any:
    merged = {}
    for name in dict.fromkeys((*left, *right)):
        if known := schema.of(name):
            value = merge(left.get(name, MISSING), right.get(name, MISSING), known)
            if value is not MISSING:
                merged[name] = value
    return merged or MISSING


def merge_lists(left: list[Any], right: list[Any], schema: TypeSchema) -> Any:
    """Items that both have follow the right order; others stay behind their neighbours."""
    lefts = [element_of(item, schema) for item in left]
    rights = [element_of(item, schema) for item in right]
    by_right = dict(zip(rights, right, strict=True))
    by_left: dict[Element, Any] = {}
    for element, item in zip(lefts, left, strict=True):
        by_left[element] = None if element in by_left else item  # duplicates do not merge

    shared = iter([element for element in rights if element in by_left])
    awaited = next(shared, None)
    taken: set[Element] = set()
    merged: list[Any] = []
    item_schema = schema.items or ANY
    l_at = r_at = 0

    def take(l_item: Any, r_item: Any) -> None:
        value = merge(l_item, r_item, item_schema)
        if value is not MISSING:
            merged.append(value)

    while l_at < len(lefts) or r_at < len(rights):
        if l_at < len(lefts):
            element = lefts[l_at]
            if r_at < len(rights):
                if element == rights[r_at]:
                    taken.add(element)
                    take(by_left[element], by_right[element])
                    l_at, r_at, awaited = l_at + 1, r_at + 1, next(shared, None)
                    continue
                if element in by_right and awaited not in (None, element):
                    l_at += 1
                    continue
            if element not in by_right:
                take(left[l_at], MISSING)
                l_at += 1
                continue
            if element in taken:
                l_at += 1
        if r_at < len(rights):
            element = rights[r_at]
            taken.add(element)
            take(by_left.get(element, MISSING), by_right[element])
            r_at += 1
            if awaited == element:
                awaited = next(shared, None)
    return merged or MISSING
