"""Custom resources against their definition's OpenAPI schema.

`x-kubernetes-validations` (rules in CEL) are not run.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.sandbox.admission.causes import duplicate, invalid, required, too_long, unsupported
from app.sandbox.errors import Cause
from app.sandbox.objects import Object, copied

Schema = Mapping[str, Any]


def default(value: Any, schema: Schema) -> None:
    """Fill what the schema has defaults for, in place."""
    if isinstance(value, dict):
        for name, inner in (schema.get("properties") or {}).items():
            if value.get(name) is None and "default" in inner:
                value[name] = copied(inner["default"])
            if value.get(name) is not None:
                default(value[name], inner)
        other = schema.get("additionalProperties")
        if isinstance(other, Mapping):
            for item in value.values():
                default(item, other)
    elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for item in value:
            default(item, schema["items"])


def conforms(value: Any, schema: Schema, path: str = "") -> Iterator[Cause]:
    """What of a value its schema does not allow."""
    if value is None and schema.get("nullable"):
        return
    if why := _type(value, schema, path):
        yield why
        return
    if "enum" in schema and value not in schema["enum"]:
        yield unsupported(path, value, map(str, schema["enum"]))
    if isinstance(value, str):
        yield from _text(value, schema, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _number(value, schema, path)
    elif isinstance(value, list):
        yield from _items(value, schema, path)
    elif isinstance(value, dict):
        yield from _fields(value, schema, path)
    yield from _combined(value, schema, path)


def _type(value: Any, schema: Schema, path: str) -> Cause | None:
    kind = schema.get("type")
    whole = isinstance(value, int) and not isinstance(value, bool)
    whole = whole or (isinstance(value, float) and value.is_integer())
    fits = {
        "object": isinstance(value, dict),
        "array": isinstance(value, list),
        "string": isinstance(value, str),
        "integer": whole,
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        None: True,
    }
    if schema.get("x-kubernetes-int-or-string"):
        right, kind = whole or isinstance(value, str), "integer,string"
    else:
        right = fits.get(kind, True)
    if right:
        return None
    names_ = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    found = "null" if value is None else names_.get(type(value), "number")
    why = f'{path} in body must be of type {kind}: "{found}"'
    return Cause("FieldValueTypeInvalid", path, f'Invalid value: "{found}": {why}')


def _text(value: str, schema: Schema, path: str) -> Iterator[Cause]:
    if len(value) > schema.get("maxLength", len(value)):
        yield too_long(path, schema["maxLength"])
    if len(value) < schema.get("minLength", 0):
        least = schema["minLength"]
        yield invalid(path, value, f"{path} in body should be at least {least} chars long")
    pattern = schema.get("pattern")
    if pattern and not _searched(pattern, value):
        yield invalid(path, value, f"{path} in body should match '{pattern}'")


def _searched(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value[:10_000]) is not None
    except re.error:
        # A pattern that only Go understands.
        return True


def _number(value: float, schema: Schema, path: str) -> Iterator[Cause]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and (value < least or (schema.get("exclusiveMinimum") and value == least)):
        yield invalid(path, value, f"{path} in body should be greater than or equal to {least}")
    if most is not None and (value > most or (schema.get("exclusiveMaximum") and value == most)):
        yield invalid(path, value, f"{path} in body should be less than or equal to {most}")
    if schema.get("multipleOf") and value % schema["multipleOf"]:
        yield invalid(path, value, f"{path} in body should be a multiple of {schema['multipleOf']}")


def _items(value: list[Any], schema: Schema, path: str) -> Iterator[Cause]:
    if len(value) < schema.get("minItems", 0):
        least = schema["minItems"]
        yield invalid(path, len(value), f"{path} in body should have at least {least} items")
    if len(value) > schema.get("maxItems", len(value)):
        most = schema["maxItems"]
        yield invalid(path, len(value), f"must have at most {most} items")
    keys, listing = schema.get("x-kubernetes-list-map-keys"), schema.get("x-kubernetes-list-type")
    seen: list[Any] = []
    for i, item in enumerate(value):
        if isinstance(schema.get("items"), Mapping):
            yield from conforms(item, schema["items"], f"{path}[{i}]")
        mark = {key: item.get(key) for key in keys} if keys and isinstance(item, dict) else item
        if listing in ("map", "set") and mark in seen:
            yield duplicate(f"{path}[{i}]", mark)
        seen.append(mark)


def _fields(value: Object, schema: Schema, path: str) -> Iterator[Cause]:
    for name in schema.get("required") or ():
        if value.get(name) is None:
            yield required(f"{path}.{name}" if path else name)
    if len(value) > schema.get("maxProperties", len(value)):
        most = schema["maxProperties"]
        yield invalid(path, len(value), f"must have at most {most} properties")
    declared, other = schema.get("properties") or {}, schema.get("additionalProperties")
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        if not path and name in ("metadata", "apiVersion", "kind"):
            continue
        inner = declared.get(name, other)
        if isinstance(inner, Mapping):
            yield from conforms(item, inner, here)


def _combined(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    for each in schema.get("allOf") or ():
        yield from conforms(value, each, path)
    for field in ("anyOf", "oneOf"):
        choices = schema.get(field)
        if not choices or schema.get("x-kubernetes-int-or-string"):
            continue
        right = sum(not any(True for _ in conforms(value, each, path)) for each in choices)
        if right == 0 or (field == "oneOf" and right > 1):
            yield invalid(path, value, f"{path} in body must validate {field} the schemas")
    if schema.get("not") and not any(True for _ in conforms(value, schema["not"], path)):
        yield invalid(path, value, f"{path} in body must not validate the schema (not)")
