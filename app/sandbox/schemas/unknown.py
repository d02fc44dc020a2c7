"""Fields that a type does not know: where they are, and a value without them."""

from collections.abc import Iterator
from typing import Any

from app.sandbox.schemas.schema import ANY, TypeSchema


def unknown_fields(value: Any, schema: TypeSchema, at: str = "") -> Iterator[str]:
    """Where fields are that would be pruned: `spec.template.spec.containers[0].imagee`."""
    if isinstance(value, dict) and schema.mapping:
        for name, inner in value.items():
            path = f"{at}.{name}" if at else name
            known = schema.fields.get(name, schema.values if schema.keeps else None)
            if known:
                yield from unknown_fields(inner, known, path)
            elif not schema.keeps:
                yield path
    elif isinstance(value, list) and schema.items:
        for index, inner in enumerate(value):
            yield from unknown_fields(inner, schema.items, f"{at}[{index}]")


def prune(value: Any, schema: TypeSchema) -> Any:
    """A copy without the fields that the type does not know."""
    if isinstance(value, dict):
        kept = {}
        for name, inner in value.items():
            known = schema.fields.get(name, schema.values if schema.keeps else None)
            if known or schema.keeps or not schema.mapping:
                kept[name] = prune(inner, known or ANY)
        return kept
    if isinstance(value, list):
        return [prune(inner, schema.items or ANY) for inner in value]
    return value
