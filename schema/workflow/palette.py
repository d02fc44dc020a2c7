"""The palette: every kind with its form, so that a front end can be drawn from the API alone.

The JSON Schema speaks the API's language: camelCase names, enum values by their GraphQL names, and
no fields that edges supply. So what a form makes is the kind's input as it is.
"""

import enum
from collections.abc import Mapping
from functools import cache
from typing import Any

import strawberry
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from app.domain.naming import api_name
from app.domain.node import NodeKind, NodeType
from app.domain.nodes import NODE_KINDS


@strawberry.type(name="NodeConnection", description="An edge that a kind may start.")
class NodeConnectionType:
    type: NodeType = strawberry.field(description="The target's kind.")
    meaning: str = strawberry.field(description="What such an edge does.")


@strawberry.type(name="NodeTypeInfo", description="A node kind, as a palette shows it.")
class NodeTypeInfo:
    type: NodeType
    label: str
    description: str
    category: str
    data_schema: dict[str, Any] = strawberry.field(description="JSON Schema of the kind's input.")
    defaults: dict[str, Any] = strawberry.field(description="What a new node's data begins with.")
    connects_to: list[NodeConnectionType]


class _ApiJsonSchema(GenerateJsonSchema):
    """Enum values by their GraphQL names, in lists of values and in defaults."""

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        drawn = super().enum_schema(schema)
        drawn.pop("const", None)
        return drawn | {"type": "string", "enum": [member.name for member in schema["members"]]}

    def encode_default(self, dft: Any) -> Any:
        return _api_value(dft)


def _api_value(value: Any) -> Any:
    """A domain value as the API takes it."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, BaseModel):
        return {api_name(k): _api_value(getattr(value, k)) for k in value.model_fields_set}
    if isinstance(value, Mapping):
        return {k: _api_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_api_value(item) for item in value]
    return value


def _api_schema(schema: Any) -> Any:
    """A schema with the API's names and without what clients cannot set."""
    if isinstance(schema, list):
        return [_api_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    drawn = {key: _api_schema(value) for key, value in schema.items() if key != "properties"}
    if "properties" in schema:
        drawn["properties"] = {
            api_name(name): _api_schema(value)
            for name, value in schema["properties"].items()
            if not value.get("readOnly")
        }
        if "required" in schema:
            drawn["required"] = [api_name(name) for name in schema["required"]]
    return drawn


def _info(kind: NodeKind) -> NodeTypeInfo:
    return NodeTypeInfo(
        type=kind.type,
        label=kind.label,
        description=kind.description,
        category=kind.category,
        data_schema=_api_schema(kind.data.model_json_schema(schema_generator=_ApiJsonSchema)),
        defaults={
            api_name(name): _api_value(
                TypeAdapter[Any](kind.data.model_fields[name].rebuild_annotation()).validate_python(
                    value
                )
            )
            for name, value in kind.defaults.items()
        },
        connects_to=[
            NodeConnectionType(type=NodeType(connection.type), meaning=connection.meaning)
            for connection in kind.connects_to
        ],
    )


@cache
def _palette() -> list[NodeTypeInfo]:
    kinds = sorted(NODE_KINDS.values(), key=lambda kind: (kind.category, kind.label))
    return [_info(kind) for kind in kinds]


@strawberry.field(description="Every node kind: its form, its defaults, what it connects to.")
def node_types() -> list[NodeTypeInfo]:
    return _palette()


QUERIES = [node_types]
