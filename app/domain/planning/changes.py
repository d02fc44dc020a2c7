"""What differs between an object as it is and as it would be, field by field, for people.

Both sides are a server's answers (the live object, and what a dry run of an apply answers), so the
server's defaults are in both and need no list of exceptions. Compared is everything but `status`
and, of `metadata`, what is not labels or annotations. A field that is missing, null, `{}` or `[]`
says the same; within a list that is compared as a whole it does not, because there it may mean
everything: a NetworkPolicy's peer `{"podSelector": {}}` is every pod, and `{}` is none.

Lists whose items have a mountPath, a name, or a port and protocol are matched by these, mounts
first, because they have a name too. That items changed their order is a change: the server restarts
pods for it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.comparing import FieldChange
from app.domain.planning.objects import Object
from app.domain.planning.veiling import veiled

MOST_CHANGES = 100
"""How many changes of one object are shown; the rest are counted."""
LONGEST = 500
"""Characters of a text, or of a list or mapping as JSON, that are shown."""
_METADATA = ("labels", "annotations")
_NOT_COMPARED = ("apiVersion", "kind", "metadata", "status")
_ORDER = "[order]"

Path = tuple[str, ...]
"""Steps from the object down, each as it is written: `spec`, `[web]`."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of one object, by path; `more` counts those that are not shown."""

    shown: tuple[FieldChange, ...] = ()
    more: int = 0

    def __bool__(self) -> bool:
        return bool(self.shown)

    def without(self, *paths: str) -> "Changes":
        """The same but for these paths."""
        return Changes(tuple(c for c in self.shown if c.path not in paths), self.more)

    def below(self, prefix: str) -> bool:
        """Whether anything at or below a path changes."""
        return any(
            c.path == prefix or c.path.startswith((f"{prefix}.", f"{prefix}[")) for c in self.shown
        )


def comparable(obj: Object) -> dict[str, Any]:
    """What is compared of an object."""
    kept = {name: value for name, value in obj.items() if name not in _NOT_COMPARED}
    metadata = obj.get("metadata")
    if isinstance(metadata, Mapping):
        kept["metadata"] = {name: metadata[name] for name in _METADATA if name in metadata}
    return kept


def changes(live: Object, answer: Object) -> Changes:
    """What a dry run would change of the live object; empty when nothing.

    Values of Secrets are never part of it, only that they change.
    """
    before, after = veiled(live, answer)
    return _bounded(_differences(comparable(before or {}), comparable(after or {}), ()))


def stated_changes(live: Object, manifest: Object) -> Changes:
    """What a manifest says differently from the live object, when no dry run could tell.

    Only what the manifest mentions is looked at, so that a server's defaults do not show; what it
    does not mention any more, and would be removed, does not show either.
    """
    before, after = veiled(live, manifest)
    return _bounded(_stated(comparable(before or {}), comparable(after or {}), ()))


def _bounded(found: Iterator[tuple[Path, Any, Any]]) -> Changes:
    shown: list[FieldChange] = []
    more = 0
    for path, before, after in found:
        if len(shown) < MOST_CHANGES:
            shown.append(FieldChange(written(path), brief(before), brief(after)))
        else:
            more += 1
    return Changes(tuple(shown), more)


def written(path: Sequence[str]) -> str:
    """A path for people: `spec.template.spec.containers[web].image`."""
    text = ""
    for step in path:
        text += step if step.startswith("[") or not text else f".{step}"
    return text


def brief(value: Any) -> Any:
    """A value that is not too long: texts are cut, large lists and mappings become cut JSON."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
    if isinstance(value, Mapping | list):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return value if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return value


def is_empty(value: Any) -> bool:
    """Whether a field with this value says nothing; in its parts neither."""
    if isinstance(value, Mapping):
        return all(is_empty(one) for one in value.values())
    return value is None or value == []


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same as a whole; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def step(key: str) -> str:
    """A key of a mapping as a step of a path; in brackets when it could be read as several."""
    plain = key and all(letter.isalnum() or letter in "_-$" for letter in key)
    return key if plain else f"[{key}]"


_Walk = Callable[[Any, Any, Path], Iterator[tuple[Path, Any, Any]]]


def _differences(before: Any, after: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """Every field that differs, by its path; None stands for one that says nothing."""
    if is_empty(before) and is_empty(after):
        return
    old, new = _mapping(before), _mapping(after)
    if old is not None and new is not None:
        for key in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(key), new.get(key), (*path, step(key)))
        return
    if isinstance(before, list) and isinstance(after, list):
        items = _matched(before, after)
        if items is not None:
            yield from _items(*items, path, _differences)
            return
    if not same(before, after):
        yield path, _said(before), _said(after)


def _stated(before: Any, after: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """The same for what `after` mentions."""
    if is_empty(after):
        return
    old, new = _mapping(before), _mapping(after)
    if old is not None and new is not None:
        for key in sorted(new):
            yield from _stated(old.get(key), new[key], (*path, step(key)))
        return
    if isinstance(before, list) and isinstance(after, list):
        items = _matched(before, after)
        if items is not None:
            yield from _items(*items, path, _stated)
            return
        if len(before) == len(after):
            for i, (one, other) in enumerate(zip(before, after, strict=True)):
                yield from _stated(one, other, (*path, f"[{i}]"))
            return
    if not same(before, after):
        yield path, _said(before), _said(after)


def _said(value: Any) -> Any:
    return None if is_empty(value) else value


def _mapping(value: Any) -> Mapping[str, Any] | None:
    """The value as a mapping, if it is one or could be an empty one."""
    if isinstance(value, Mapping):
        return value
    return {} if value is None else None


_Items = dict[str, Any]


def _items(old: _Items, new: _Items, path: Path, walk: _Walk) -> Iterator[tuple[Path, Any, Any]]:
    kept = [key for key in new if key in old]
    for key in sorted(old.keys() | new.keys()):
        where = (*path, f"[{key}]")
        if key in old and key in new:
            yield from walk(old[key], new[key], where)
        elif key in new or walk is _differences:
            yield where, old.get(key), new.get(key)
    order = [key for key in old if key in new]
    if order != kept:
        yield (*path, _ORDER), order, kept


def _matched(before: list[Any], after: list[Any]) -> tuple[_Items, _Items] | None:
    """Both lists by the key of their items, if one kind of key tells all of them apart."""
    for key_of in _KEYS:
        old, new = _keyed(before, key_of), _keyed(after, key_of)
        if old is not None and new is not None:
            return old, new
    return None


def _keyed(items: list[Any], key_of: Callable[[Mapping[str, Any]], str | None]) -> _Items | None:
    found: _Items = {}
    for item in items:
        key = key_of(item) if isinstance(item, Mapping) else None
        if key is None or key in found:
            return None
        found[key] = item
    return found


def _mount(item: Mapping[str, Any]) -> str | None:
    return _text(item.get("mountPath"))


def _name(item: Mapping[str, Any]) -> str | None:
    return _text(item.get("name"))


def _port(item: Mapping[str, Any]) -> str | None:
    port = item.get("containerPort", item.get("port"))
    if isinstance(port, bool) or not isinstance(port, int | str) or port == "":
        return None
    return f"{port}/{item.get('protocol') or 'TCP'}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


_KEYS = (_mount, _name, _port)
