"""The canvas in GraphQL, derived from the domain: a field is written once, in its kind's file.

Output types are the domain's own classes. An input type is a subclass of one, without the fields
that edges supply, and with its nested values replaced by their inputs.
"""

import copy
import enum
import typing
from collections.abc import Iterator
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union

import strawberry
from pydantic import BaseModel, create_model
from strawberry.types.maybe import Some

from app.domain.canvas import Edge
from app.domain.editing import EdgeDraft, NodeDraft
from app.domain.node import (
    NodeData,
    NodeStatus,
    NodeType,
    Position,
    Value,
    WorkflowNode,
    is_derived,
)
from app.domain.nodes import NODE_KINDS


def _models_and_enums(annotation: Any) -> Iterator[type]:
    """The models and enums that a type mentions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | enum.Enum):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models_and_enums(argument)


_published: set[type] = set()


def _publish(cls: type) -> None:
    """Makes a model and all that it mentions GraphQL types."""
    if cls in _published:
        return
    _published.add(cls)
    if issubclass(cls, enum.Enum):
        strawberry.enum(cls, description=_summary(cls))
    elif issubclass(cls, BaseModel):
        for field in cls.model_fields.values():
            for mentioned in _models_and_enums(field.annotation):
                _publish(mentioned)
        strawberry.pydantic.type(cls, description=_summary(cls))


def _summary(cls: type) -> str | None:
    return " ".join(cls.__doc__.split()) if cls.__doc__ else None


_inputs: dict[type[BaseModel], type[BaseModel]] = {}


def input_of(model: type[BaseModel]) -> type[BaseModel]:
    """The input type of a value: `Position` is given as `PositionInput`."""
    if model not in _inputs:
        overrides: dict[str, Any] = {}
        for name, field in model.model_fields.items():
            if is_derived(field):
                private: Any = strawberry.Private
                overrides[name] = (private[field.annotation], field)
            elif (annotation := _input_annotation(field.annotation)) is not field.annotation:
                given = copy.copy(field)
                given.annotation = annotation
                overrides[name] = (annotation, given)
        derived = create_model(
            f"{model.__name__}Input", __base__=model, __module__=__name__, **overrides
        )
        _inputs[model] = strawberry.pydantic.input(derived, description=_summary(model))
    return _inputs[model]


def _input_annotation(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return input_of(annotation)
    arguments = typing.get_args(annotation)
    replaced = tuple(_input_annotation(argument) for argument in arguments)
    if replaced == arguments:
        return annotation
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return Annotated[(replaced[0], *annotation.__metadata__)]
    return Union[replaced] if origin in (Union, UnionType) else origin[replaced]  # noqa: UP007


_publish(Position)
_publish(NodeStatus)
_publish(Edge)
_publish(NodeType)
strawberry.pydantic.interface(WorkflowNode, description=_summary(WorkflowNode))
for _kind in NODE_KINDS.values():
    _publish(_kind.data)
    strawberry.pydantic.type(_kind.node, description=_kind.description)

if TYPE_CHECKING:
    Node = WorkflowNode
    NodeDataInput = BaseModel
    PositionInput = Position
else:
    Node = Annotated[
        Union[tuple(kind.node for kind in NODE_KINDS.values())],  # noqa: UP007
        strawberry.union("Node", description="A node of any kind."),
    ]
    PositionInput = input_of(Position)
    NodeDataInput = strawberry.pydantic.input(
        create_model(
            "NodeDataInput",
            __base__=BaseModel,
            __module__=__name__,
            **{
                kind.type.value: (strawberry.Maybe[input_of(kind.data)], None)
                for kind in NODE_KINDS.values()
            },
        ),
        one_of=True,
        description="The data of a node: exactly one of the kinds.",
    )


def given_data(data: BaseModel) -> NodeData:
    """The data that a `NodeDataInput` holds, as the domain's own class."""
    for kind in NODE_KINDS.values():
        given = getattr(data, kind.type.value)
        if isinstance(given, Some) and given.value is not None:
            return kind.data.model_validate(_plain(given.value))
    raise AssertionError("GraphQL has checked that exactly one kind is given")


def _plain(value: Any) -> Any:
    """Input objects as mappings, without what they left out."""
    if isinstance(value, Value):
        return {name: _plain(getattr(value, name)) for name in value.model_fields_set}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


@strawberry.pydantic.input(description="A node to draw. The server makes an id when none is given.")
class NodeInput(BaseModel):
    id: str | None = None
    position: PositionInput | None = None
    data: NodeDataInput

    def draft(self) -> NodeDraft:
        return NodeDraft(
            id=self.id, position=given_position(self.position), data=given_data(self.data)
        )


@strawberry.pydantic.input(
    description="An edge to draw. The server makes an id when none is given."
)
class EdgeInput(Edge):
    id: str | None = None  # type: ignore[assignment]

    def draft(self) -> EdgeDraft:
        return EdgeDraft(**dict(self))


def given_position(position: Position | None) -> Position | None:
    return Position(x=position.x, y=position.y) if position is not None else None
