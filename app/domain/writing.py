"""A canvas written as JSON as GraphQL answers it: the inverse of `app.domain.reading`.

Only what somebody said is written: no defaults, and nothing that edges supply.
"""

import enum
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from app.domain.canvas import Canvas
from app.domain.naming import api_name
from app.domain.node import is_derived


def write_canvas(canvas: Canvas) -> dict[str, list[Any]]:
    """`{"nodes": [...], "edges": [...]}`, which `read_canvas` reads as the same canvas."""
    return {
        "nodes": [
            {
                "id": node.id,
                "type": node.type.name,
                "position": {"x": node.position.x, "y": node.position.y},
                "data": _written(node.data),
            }
            for node in canvas.nodes.values()
        ],
        "edges": [_written(edge) for edge in canvas.edges.values()],
    }


def _written(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        said = {
            name: getattr(value, name)
            for name, field in fields.items()
            if name in value.model_fields_set and not is_derived(field)
        }
        return {api_name(name): _written(item) for name, item in said.items() if item is not None}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list):
        return [_written(item) for item in value]
    return value
