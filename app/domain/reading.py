"""A canvas read from JSON as GraphQL answers it: camelCase names, enum values by their names.

What a client cannot write is passed over: `__typename`, a node's `status`, and the fields that
edges supply. Everything else that is not known is refused, at its place.
"""

import enum
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from app.domain.canvas import Canvas, Edge
from app.domain.editing import EdgeDraft, Limits, NodeDraft, draw
from app.domain.errors import FieldProblem, Invalid
from app.domain.naming import api_name
from app.domain.node import NodeType, Position, is_derived
from app.domain.nodes import NODE_KINDS

LIMITS = Limits(nodes=10_000, edges=50_000)
"""A file may be larger than what people draw."""

_IGNORED = {"__typename", "status"}


def read_canvas(value: object) -> Canvas:
    """The canvas of `{"nodes": [...], "edges": [...]}`. Raises Invalid with every problem.

    Enum values may also be written as Kubernetes has them (`ClusterIP` for `CLUSTER_IP`), and names
    as Python has them. Ids that are left out are `node-1`, `edge-1` and so on.
    """
    if not isinstance(value, Mapping):
        raise Invalid.field((), "Write an object with nodes and edges.")
    faults: list[FieldProblem] = []
    nodes = list(_read(value.get("nodes"), "nodes", _node, faults))
    edges = list(_read(value.get("edges"), "edges", _edge, faults))
    if faults:
        raise Invalid(faults)
    taken = {*(node.id for node in nodes), *(edge.id for edge in edges)}
    count = 0

    def new_id(prefix: str) -> str:
        nonlocal count
        count += 1
        id_ = f"{prefix}-{count}"
        return id_ if id_ not in taken else new_id(prefix)

    return draw(nodes, edges, limits=LIMITS, new_id=new_id)


_Part = typing.TypeVar("_Part", NodeDraft, EdgeDraft)


def _read(
    value: object,
    name: str,
    reader: typing.Callable[[Mapping[str, Any]], _Part],
    faults: list[FieldProblem],
) -> Iterator[_Part]:
    """The parts of a list; what is wrong with the others goes to `faults`."""
    if value is None:
        return
    if not isinstance(value, list):
        faults.append(FieldProblem((name,), "Write a list."))
        return
    for i, item in enumerate(value):
        if not isinstance(item, Mapping):
            faults.append(FieldProblem((name, str(i)), "Write an object."))
            continue
        try:
            yield reader(item)
        except Invalid as error:
            faults.extend(_below((name, str(i)), error))


def _below(path: tuple[str, ...], error: Invalid) -> list[FieldProblem]:
    return [FieldProblem((*path, *problem.path), problem.message) for problem in error.problems]


def _node(item: Mapping[str, Any]) -> NodeDraft:
    word = item.get("type")
    if not isinstance(word, str) or word.lower() not in set(NodeType):
        listed = ", ".join(kind.name for kind in NodeType)
        raise Invalid.field(("type",), f"Write one of {listed}.")
    for key in item.keys() - {"id", "type", "position", "data"} - _IGNORED:
        raise Invalid.field((str(key),), "A node has no such field.")
    data = _value(NODE_KINDS[NodeType(word.lower())].data, item.get("data", {}), "data")
    position = item.get("position")
    place = None if position is None else _value(Position, position, "position")
    return NodeDraft(data=data, id=_id(item), position=place)


def _edge(item: Mapping[str, Any]) -> EdgeDraft:
    given = {"id": "new", **{k: v for k, v in item.items() if v is not None}}
    return EdgeDraft(**{**dict(_value(Edge, given)), "id": _id(item)})


def _id(item: Mapping[str, Any]) -> str | None:
    id_ = item.get("id")
    if id_ is not None and not isinstance(id_, str):
        raise Invalid.field(("id",), "An id is a text.")
    return id_


_Model = typing.TypeVar("_Model", bound=BaseModel)


def _value(model: type[_Model], value: object, *path: str) -> _Model:
    """A value of a model. Raises Invalid, whose paths begin with `path`."""
    try:
        return model.model_validate(_spelled(model, value))
    except ValidationError as error:
        raise Invalid(
            [
                FieldProblem((*path, *map(_step, fault["loc"])), fault["msg"])
                for fault in error.errors(include_url=False, include_input=False)
            ]
        ) from error


def _step(step: int | str) -> str:
    """A step of a path in the API's spelling; a key of a map stays as it is."""
    field = isinstance(step, str) and re.fullmatch("[a-z]+(?:_[a-z]+)+_?|except_", step)
    return api_name(str(step)) if field else str(step)


def _spelled(annotation: Any, value: Any) -> Any:
    """A value with the domain's spelling, as far as its type is known; the rest as it is."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _spelled_model(annotation, value)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        members: Mapping[str, Any] = annotation.__members__
        return members.get(value, value) if isinstance(value, str) else value
    inner = typing.get_args(annotation)
    if isinstance(value, list):
        items = next((a for a in _unwrapped(annotation) if typing.get_origin(a) is list), None)
        element = typing.get_args(items)[0] if items is not None else None
        return [_spelled(element, item) for item in value] if element is not None else value
    for option in inner:
        spelled = _spelled(option, value)
        if spelled is not value:
            return spelled
    return value


def _unwrapped(annotation: Any) -> Iterator[Any]:
    """An annotation and everything that it is made of, down to its lists."""
    yield annotation
    if typing.get_origin(annotation) is not list:
        for argument in typing.get_args(annotation):
            yield from _unwrapped(argument)


def _spelled_model(model: type[BaseModel], value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    names = {api_name(name): name for name in model.model_fields}
    made: dict[Any, Any] = {}
    for key, item in value.items():
        name = names.get(str(key), str(key))
        field = model.model_fields.get(name)
        if key == "__typename" or (field is not None and is_derived(field)):
            continue
        made[name] = item if field is None else _spelled(field.annotation, item)
    return made
