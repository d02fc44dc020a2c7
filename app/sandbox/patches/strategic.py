"""The rules of strategic merge patches: how maps and lists merge, and what the directives do.

Follows apimachinery's `strategicpatch`. In a patch,

    $patch: replace | delete          stands in a map: that map, or that item of a list
    $retainKeys: [..]                 stands in a map: other keys go
    $deleteFromPrimitiveList/x: [..]  stands beside x: these values of x go
    $setElementOrder/x: [..]          stands beside x: the order of x's items afterwards

Everything here changes its arguments.
"""

import json
from collections import deque
from typing import Any

from app.sandbox.schemas import ANY, TypeSchema

DIRECTIVE = "$patch"
RETAIN = "$retainKeys"
DELETE_PREFIX = "$deleteFromPrimitiveList"
ORDER_PREFIX = "$setElementOrder"

BESIDE = (RETAIN, DELETE_PREFIX, ORDER_PREFIX)

Map = dict[str, Any]


class Malformed(Exception):
    """A patch that means nothing. str() never holds its values."""

    code, reason = 400, "BadRequest"


class Unprocessable(Malformed):
    code, reason = 422, "Invalid"


BAD_ORDER = "invalid patch format of setElementOrder list"
BAD_RETAIN = "invalid patch format of retainKeys"
BAD_PRIMITIVES = "invalid patch format of primitive list"


def merge_map(original: Map, patch: Map, schema: TypeSchema) -> Map:
    if DIRECTIVE in patch:
        match patch.pop(DIRECTIVE):
            case "replace":
                return patch
            case "delete":
                return {}
        raise Malformed("unknown patch type: $patch is either replace or delete")
    retain_keys(original, patch)
    for key in [key for key in patch if key.startswith(ORDER_PREFIX)]:
        merge_in_order(original, patch, named_after(key, ORDER_PREFIX, BAD_ORDER), schema)
    for key, value in patch.items():
        if key.startswith(DELETE_PREFIX):
            delete_from(original, named_after(key, DELETE_PREFIX, BAD_PRIMITIVES), value)
        elif value is None:
            original.pop(key, None)
        else:
            merge_field(original, key, value, schema)
    return original


def merge_field(original: Map, key: str, value: Any, schema: TypeSchema) -> None:
    known, (strategies, merge_key) = schema.of(key) or ANY, schema.patch.get(key, ((), ""))
    old = original.get(key)
    if isinstance(old, dict) and isinstance(value, dict):
        original[key] = value if "replace" in strategies else merge_map(old, value, known)
    elif isinstance(old, list) and isinstance(value, list):
        merges = "merge" in strategies
        original[key] = merge_list(old, value, merge_key, known.items or ANY) if merges else value
    elif (kept := without_directives(without_nulls(value))) is DROPPED:
        original.pop(key, None)
    else:
        original[key] = kept


def named_after(key: str, prefix: str, wrong: str) -> str:
    before, slash, name = key.partition("/")
    if before != prefix or not slash:
        raise Malformed(wrong)
    return name


def retain_keys(original: Map, patch: Map) -> None:
    if RETAIN not in patch:
        return
    keys = patch.pop(RETAIN)
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Malformed(BAD_RETAIN)
    for key, value in patch.items():
        directive = key.startswith((DELETE_PREFIX, ORDER_PREFIX))
        if value is not None and not directive and key not in keys:
            raise Malformed(BAD_RETAIN)
    for key in [key for key in original if key not in keys]:
        del original[key]


def delete_from(original: Map, key: str, values: Any) -> None:
    old = original.get(key)
    if isinstance(old, list) and isinstance(values, list):
        gone = places(values, "")
        original[key] = [item for item in old if token(item, "") not in gone]


def merge_in_order(original: Map, patch: Map, key: str, schema: TypeSchema) -> None:
    """Merges the list `key` now, and puts it into the order that the patch tells."""
    order = patch.pop(f"{ORDER_PREFIX}/{key}")
    known, (strategies, merge_key) = schema.of(key) or ANY, schema.patch.get(key, ((), ""))
    old, new = original.get(key), patch.get(key)
    if not isinstance(order, list) or not all(v is None or isinstance(v, list) for v in (old, new)):
        raise Malformed(BAD_ORDER)
    check_order(new or [], order, merge_key)
    if old is None and new is None:
        return
    if new is None:
        merged = old or []
    elif old is None:
        merged = without_directives(new)
    elif "merge" in strategies:
        merged = merge_list(old, new, merge_key, known.items or ANY)
    else:
        merged = new
    original[key] = arranged(
        merged, order, stood(old or [], new or [], merged, merge_key), merge_key
    )
    patch.pop(key, None)


def stood(old: list[Any], new: list[Any], merged: list[Any], key: str) -> list[Any]:
    """The old order as an API server sees it: what is new has taken the places of what went."""
    kept, before = places(merged, key), places(old, key)
    left = [item for item in old if token(item, key) in kept]
    added = [item for item in new if token(item, key) in kept and token(item, key) not in before]
    return [*left, *added][: len(old)]


def check_order(new: list[Any], order: list[Any], merge_key: str) -> None:
    """The items of a patch stand in the order that it tells, and all of them are named there."""
    told = places(order, merge_key)
    last = -1
    for item in new if order else []:
        if not (isinstance(item, dict) and DIRECTIVE in item):
            here = told.get(required_token(item, merge_key), -1)
            if here <= last:
                raise Malformed(f"The order in patch list doesn't match {ORDER_PREFIX} list")
            last = here


def merge_list(old: list[Any], new: list[Any], merge_key: str, item: TypeSchema) -> list[Any]:
    if any(isinstance(value, list) for value in (*old, *new)):
        raise Unprocessable("lists of lists are not supported")
    maps = [isinstance(value, dict) for value in (*old, *new)]
    if not any(maps):
        merged = list({token(value, ""): value for value in (*old, *new)}.values())
        return arranged(merged, new, old, "")
    if not all(maps):
        raise Malformed("list element types are not identical")
    if not merge_key:
        raise Malformed("cannot merge lists without merge key")
    old, new = with_special_items(old, new, merge_key)
    before, found = list(old), places(old, merge_key)
    for value in new:
        at = found.setdefault(required_token(value, merge_key), len(old))
        if at == len(old):
            old.append(value)
        else:
            old[at] = merge_map(old[at], value, item)
    return arranged(old, new, before, merge_key)


def with_special_items(old: list[Any], new: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """Both lists once the items with a directive have had their effect."""
    plain, gone, replace = [], set(), False
    for item in new:
        match item.get(DIRECTIVE):
            case None:
                plain.append(item)
            case "delete":
                gone.add(required_token(item, key))
            case "replace":
                replace = True
            case _:
                raise Malformed("unknown patch type: $patch is either replace or delete")
    if replace:
        return plain, []
    return [item for item in old if token(item, key) not in gone], plain


def arranged(items: list[Any], order: list[Any], old: list[Any], key: str) -> list[Any]:
    """Items named by `order` in that order; the others where they stood before among them."""
    told, stood = places(order, key), places(old, key)
    named = [item for item in items if token(item, key) in told]
    named.sort(key=lambda item: told[token(item, key)])
    others = [item for item in items if token(item, key) not in told]
    others.sort(key=lambda item: stood.get(token(item, key), -1))
    made: list[Any] = []
    rest = deque(others)
    for item in named:
        there = stood.get(token(item, key), -1)
        while rest and 0 <= stood.get(token(rest[0], key), -1) < there:
            made.append(rest.popleft())
        made.append(item)
    return [*made, *rest]


def token(item: Any, key: str) -> str | None:
    """What tells an item of a list from the others; None: stored without its key."""
    if key:
        if not isinstance(item, dict) or key not in item:
            return None
        item = item[key]
    return json.dumps(item, sort_keys=True)


def required_token(item: Any, key: str) -> str:
    found = token(item, key)
    if found is None:
        raise Malformed(f"map does not contain declared merge key: {key}")
    return found


def places(items: list[Any], key: str) -> dict[str | None, int]:
    """Where an item stands first."""
    found: dict[str | None, int] = {}
    for at, item in enumerate(items):
        found.setdefault(token(item, key), at)
    return found


DROPPED = object()


def without_directives(value: Any) -> Any:
    """What a patch puts where nothing was. DROPPED: a map with a directive."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return DROPPED
        fields = {key: its for key, its in value.items() if not key.startswith(BESIDE)}
        kept = {key: without_directives(inner) for key, inner in fields.items()}
        return {key: inner for key, inner in kept.items() if inner is not DROPPED}
    if isinstance(value, list):
        kept_items = [without_directives(inner) for inner in value]
        return [inner for inner in kept_items if inner is not DROPPED]
    return value


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value
