"""What objects have in common, whatever their kind: JSON, and the same metadata."""

from collections.abc import Mapping
from typing import Any, TypeVar

Object = dict[str, Any]
_Json = TypeVar("_Json")


def copied(value: _Json) -> _Json:
    """A deep copy of JSON data, several times faster than `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}  # type: ignore[return-value]
    if isinstance(value, list):
        return [copied(item) for item in value]  # type: ignore[return-value]
    return value


def deeper(value: Any, limit: int) -> bool:
    """Whether lists and maps are nested in more levels than that. Does not recurse."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        inner = [held.values() if isinstance(held, dict) else held for held in level]
        level = [each for held in inner for each in held if isinstance(each, dict | list)]
    return bool(level)


def at(obj: Any, path: str, otherwise: Any = None) -> Any:
    """What stands at `status.phase`; `otherwise` where there is nothing, or null."""
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, Mapping) else None
    return otherwise if obj is None else obj


def with_at(obj: Object, path: str, value: Any) -> Object:
    """A copy that has a value at `spec.replicas`, where there may be nothing yet."""
    made = place = copied(obj)
    *way, last = path.split(".")
    for name in way:
        if not isinstance(place.get(name), dict):
            place[name] = {}
        place = place[name]
    place[last] = value
    return made


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: `1` is `1.0`, but not `true`."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def uid_of(obj: Object) -> str:
    return str(obj["metadata"]["uid"])


def labels_of(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    return obj["metadata"].get("annotations") or {}


def is_leaving(obj: Object) -> bool:
    """Whether somebody has deleted it, and something still holds it."""
    return "deletionTimestamp" in obj["metadata"]
