"""Whether a value has the types of its kind, before anything asks what it means.

A wrong type is refused always; an unknown field is refused, warned of or dropped as the request
says (`fieldValidation`). Nulls are dropped, as Go's decoder drops them.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from app.sandbox.admission import quantities
from app.sandbox.schemas import ANY, TypeSchema

_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
_RANGES = {"int32": 2**31, "int64": 2**63}


def mistakes(value: Any, schema: TypeSchema, path: str = "") -> Iterator[str]:
    """What Go's decoder would say of each value of a wrong type."""
    if value is None or "any" in (schema.scalar or ""):
        return
    if isinstance(value, dict) and schema.mapping:
        for key, item in value.items():
            of = schema.of(key)
            if of is not None:
                yield from mistakes(item, of, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and schema.items is not None:
        for item in value:
            yield from mistakes(item, schema.items, path)
    elif why := _scalar(value, schema):
        yield (
            why
            if why.startswith("q")
            else f"json: cannot unmarshal {_go(value)} into Go struct field {path} of type {why}"
        )


def _scalar(value: Any, schema: TypeSchema) -> str | None:  # noqa: PLR0911 - a line per type
    kind = schema.scalar
    if kind is None:
        return "[]" if schema.items is not None else "map[string]"
    if isinstance(value, (dict, list)):
        return kind
    if kind == "quantity":
        return None if _quantity(value) else str(quantities.WRONG)
    if kind == "boolean":
        return None if isinstance(value, bool) else "bool"
    if kind in _RANGES:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and -_RANGES[kind] <= value < _RANGES[kind] else kind
    if kind == "number":
        return (
            None if isinstance(value, (int, float)) and not isinstance(value, bool) else "float64"
        )
    if kind == "int-or-string":
        fits = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
        return None if fits else "intstr.IntOrString"
    if kind == "bytes":
        return None if isinstance(value, str) and _base64(value) else "[]uint8 (base64)"
    if kind == "time":
        return None if isinstance(value, str) and _TIME.fullmatch(value) else "v1.Time"
    return None if isinstance(value, str) else "string"


def _quantity(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    try:
        quantities.canonical(value)
    except quantities.QuantityError:
        return False
    return True


def _base64(text: str) -> bool:
    try:
        base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _go(value: Any) -> str:
    """What Go calls a JSON value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return f"number {value}" if isinstance(value, float) else "number"
    names: dict[type, str] = {str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def without_nulls(value: Any, schema: TypeSchema) -> Any:
    """A copy without null fields. A null in a list or a free map is the type's zero value."""
    if isinstance(value, dict):
        made = {}
        for key, item in value.items():
            of = schema.of(key) or ANY
            if item is not None:
                made[key] = without_nulls(item, of)
            elif key not in schema.fields and schema.values is not None and of.scalar == "string":
                made[key] = ""
        return made
    if isinstance(value, list):
        items = schema.items or ANY
        return [_zero(items) if item is None else without_nulls(item, items) for item in value]
    return value


def _zero(schema: TypeSchema) -> Any:
    if schema.mapping:
        return {}
    if schema.items is not None:
        return []
    return {"boolean": False, "int32": 0, "int64": 0, "number": 0}.get(schema.scalar or "", "")
