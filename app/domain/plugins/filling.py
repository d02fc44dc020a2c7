"""A plugin's form filled in: values by field id become an object's body, each at its path.

A value whose key is no field is taken when it says where it goes: `spec` with an object, or a path
such as `spec.http[0].match`. So every field of a resource can be set, whatever its form shows.
"""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain import labels
from app.domain.plugins.catalogue import FieldType, PluginField, PluginType

_STEP = re.compile(r'(?:^|\.)([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,3})\]|\["([^"\]]{1,317})"\]')
_LABEL_SAYS = (
    f"{labels.LIMIT} letters, digits, '-', '_' and '.', starting and ending with a letter or digit."
)
_TRUTHS = {"true": True, "false": False}

Step = str | int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one value. A fatal one keeps the object from being made."""

    field: str
    says: str
    fatal: bool


def body_of(kind: PluginType, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The object without type and metadata, and what is wrong with the values.

    Defaults come first, then what names its own place, then the fields of the form. Paths may lead
    into `metadata.labels` and `metadata.annotations`, and so may the body.
    """
    body: dict[str, Any] = copy.deepcopy(kind.base)
    faults: list[Fault] = []
    fields = {field.id: field for field in kind.fields}
    for field in kind.fields:
        if field.default is not None and _is_empty(given.get(field.id)):
            _fill(body, field, field.default, faults)
    for key, value in given.items():
        if key not in fields and value is not None:
            _place(body, key, value, faults)
    for field in kind.fields:
        value = given.get(field.id)
        if not _is_empty(value):
            _fill(body, field, value, faults)
        elif field.required and field.default is None:
            faults.append(Fault(field.id, f"{field.label} is needed: write it.", fatal=True))
        if not _is_labelled(body):
            _put(body, ["metadata", "labels"], {})
            faults.append(Fault(field.id, f"{field.label} is at most {_LABEL_SAYS}", fatal=True))
    return _without_nulls(body), faults


def _without_nulls(value: Any) -> Any:
    """A field that is null says nothing, and would be owned all the same."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def _is_labelled(body: Mapping[str, Any]) -> bool:
    """Whether every label has a value that labels can have."""
    found = body.get("metadata", {}).get("labels", {})
    return all(labels.is_value(value) for value in found.values())


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _place(body: dict[str, Any], key: str, value: Any, faults: list[Fault]) -> None:
    """A value that is no field of the form, at the place that its key names."""
    if key == "spec" and isinstance(value, dict):
        spec = body.setdefault("spec", {})
        if isinstance(spec, dict):
            _merge(spec, copy.deepcopy(value))
        else:
            faults.append(Fault(key, "Another value is in the way of this path.", fatal=True))
        return
    steps = parse_path(key)
    if steps is None or steps[0] != "spec" or len(steps) == 1:
        says = "The plugin has no such field: remove it, or write its path, such as spec.replicas."
        faults.append(Fault(key, says, fatal=False))
    elif not _put(body, steps, copy.deepcopy(value)):
        faults.append(Fault(key, "Another value is in the way of this path.", fatal=True))


def _merge(into: Any, value: dict[str, Any]) -> None:
    for key, item in value.items():
        if isinstance(item, dict) and isinstance(into.get(key), dict):
            _merge(into[key], item)
        else:
            into[key] = item


def _fill(body: dict[str, Any], field: PluginField, value: Any, faults: list[Fault]) -> None:
    converted = _READ[field.type][0](field, value)
    steps = parse_path(field.path)
    if converted is None or steps is None:
        faults.append(Fault(field.id, _wanted(field), fatal=True))
    elif not _put(body, steps, converted):
        faults.append(Fault(field.id, "Another value is in the way of this field.", fatal=True))


def parse_path(path: str) -> list[Step] | None:
    """The steps of `spec.rules[0].host` or `metadata.labels["example.com/a"]`; None if unclear."""
    steps: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return None
        name, index, quoted = match.groups()
        steps.append(name if name is not None else int(index) if index is not None else quoted)
        at = match.end()
    return steps if steps and isinstance(steps[0], str) else None


def _put(body: dict[str, Any], steps: list[Step], value: Any) -> bool:
    """Puts a value at its place; false when something else stands there on the way."""
    here: Any = body
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        wanted: Any = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not isinstance(here, list) or step > len(here):
                return False
            if step == len(here):
                here.append(wanted)
        else:
            if not isinstance(here, dict):
                return False
            here.setdefault(step, wanted)
        if following is None:
            here[step] = value
        here = here[step]
    return True


def _text(field: PluginField, value: Any) -> Any:
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return (field.format or "{}").replace("{}", str(value), 1) if plain else None


def _choice(field: PluginField, value: Any) -> Any:
    return _text(field, value) if str(value) in field.options else None


def _integer(_: PluginField, value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch("-?[0-9]{1,18}", value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _boolean(_: PluginField, value: Any) -> Any:
    if isinstance(value, str):
        return _TRUTHS.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def _list(_: PluginField, value: Any) -> Any:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return list(value) if texts else None


def _map(_: PluginField, value: Any) -> Any:
    texts = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    return dict(value) if texts else None


def _json(_: PluginField, value: Any) -> Any:
    return copy.deepcopy(value) if isinstance(value, dict | list) else None


_READ: Mapping[FieldType, tuple[Callable[[PluginField, Any], Any], str]] = {
    FieldType.TEXT: (_text, "a text"),
    FieldType.CHOICE: (_choice, "one of"),
    FieldType.INTEGER: (_integer, "a whole number"),
    FieldType.BOOLEAN: (_boolean, "true or false"),
    FieldType.LIST: (_list, "a list of texts, or one text with commas"),
    FieldType.MAP: (_map, "an object whose values are texts"),
    FieldType.JSON: (_json, "an object or a list"),
}
"""How each type reads a value, and what to write there. None when the value is another one."""


def _wanted(field: PluginField) -> str:
    what = " ".join([_READ[field.type][1], ", ".join(field.options)]).strip()
    return f"{field.label} is {what}."
