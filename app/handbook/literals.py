"""Values as GraphQL writes them in a document: enum values by name, keys without quotes."""

import enum
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from app.domain.naming import api_name

_WIDTH = 88


def literal(value: Any, indent: str = "") -> str:
    """A value on one line, or on several when it is long; `indent` is that of its first line."""
    short = _short(value)
    if len(indent) + len(short) <= _WIDTH:
        return short
    inner = f"{indent}  "
    if isinstance(value, Mapping):
        lines = [f"{inner}{key}: {literal(item, inner)}" for key, item in value.items()]
        return "\n".join(["{", *lines, f"{indent}}}"])
    if isinstance(value, list):
        return "\n".join(["[", *(f"{inner}{literal(v, inner)}" for v in value), f"{indent}]"])
    return short


def _short(value: Any) -> str:
    match value:
        case enum.Enum():
            return value.name
        case BaseModel():
            return _short(spelled(value))
        case Mapping() if value:
            return f"{{ {', '.join(f'{key}: {_short(item)}' for key, item in value.items())} }}"
        case Mapping():
            return "{}"
        case list():
            return f"[{', '.join(map(_short, value))}]"
    return json.dumps(value, ensure_ascii=False)


def spelled(value: Any) -> Any:
    """A value of the domain with the API's names, down to its leaves; only what was said."""
    if isinstance(value, BaseModel):
        said = (name for name in type(value).model_fields if name in value.model_fields_set)
        return {api_name(name): spelled(getattr(value, name)) for name in said}
    if isinstance(value, list):
        return [spelled(item) for item in value]
    return value
