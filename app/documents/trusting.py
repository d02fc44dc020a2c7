"""Reading and writing stored values without validating them again.

What is stored was valid when it was written, and stays readable when a limit is tightened later.
For a canvas this is also several times faster than validating it: a plan is made once per class,
from its annotations, of what has to become an object and what is right as it is.
"""

import enum
import typing
from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar

from pydantic import BaseModel

from app.domain.node import WorkflowNode, is_derived
from app.domain.nodes import NODE_KINDS

Convert = Callable[[Any], Any]
M = TypeVar("M", bound=BaseModel)


def read(cls: type[M], stored: Mapping[str, Any]) -> M:
    """The value of `cls` that was stored; fields that are missing have their defaults."""
    value: M = _reader(cls)(stored)
    return value


def read_node(stored: Mapping[str, Any]) -> WorkflowNode:
    """The node that was stored, of its own kind's class."""
    return read(_NODES[stored["type"]], stored)


def write(value: BaseModel, *, derived: bool = False) -> dict[str, Any]:
    """The value as it is stored, without nulls; what edges supply only when `derived`."""
    stored: dict[str, Any] = _writer(type(value), derived)(value)
    return stored


_NODES = {kind.type.value: kind.node for kind in NODE_KINDS.values()}


@cache
def _reader(cls: type[BaseModel]) -> Convert:
    converts = {
        name: reader
        for name, field in cls.model_fields.items()
        if (reader := _from_stored(field.annotation)) is not None
    }
    plain = {
        name: field.default
        for name, field in cls.model_fields.items()
        if field.default_factory is None and not field.is_required()
    }
    made = {
        name: typing.cast(Callable[[], Any], field.default_factory)
        for name, field in cls.model_fields.items()
        if field.default_factory is not None
    }

    def convert(stored: Mapping[str, Any]) -> BaseModel:
        fields = {**plain, **stored}
        for name, make in made.items():
            if name not in stored:
                fields[name] = make()
        for name, from_stored in converts.items():
            if name in stored:
                fields[name] = from_stored(stored[name])
        value = cls.__new__(cls)
        # What pydantic's own model_construct sets, without walking through every field again.
        object.__setattr__(value, "__dict__", fields)
        object.__setattr__(value, "__pydantic_fields_set__", set(stored))
        object.__setattr__(value, "__pydantic_extra__", None)
        object.__setattr__(value, "__pydantic_private__", None)
        return value

    return convert


def _from_stored(annotation: Any) -> Convert | None:
    """What turns stored values of a type into its own; None when they are right as they are."""
    annotation, arguments = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _reader(annotation)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {member.value: member for member in annotation}.__getitem__
    if annotation is list and (item := _from_stored(arguments[0])) is not None:
        read_item = item
        return lambda stored: [read_item(value) for value in stored]
    return None


@cache
def _writer(cls: type[BaseModel], derived: bool) -> Convert:
    fields = [
        (name, _to_stored(field.annotation, derived))
        for name, field in cls.model_fields.items()
        if derived or not is_derived(field)
    ]

    def convert(value: BaseModel) -> dict[str, Any]:
        values = value.__dict__
        return {
            name: to_stored(values[name]) if to_stored is not None else values[name]
            for name, to_stored in fields
            if values[name] is not None
        }

    return convert


def _to_stored(annotation: Any, derived: bool) -> Convert | None:
    annotation, arguments = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _writer(annotation, derived)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return lambda member: member.value
    if annotation is list and (item := _to_stored(arguments[0], derived)) is not None:
        write_item = item
        return lambda value: [write_item(item) for item in value]
    return None


def _bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without `Annotated` and `None`: what it is, and what it is of."""
    while True:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is typing.Annotated:
            annotation = arguments[0]
        elif origin in (typing.Union, UnionType):
            real = [argument for argument in arguments if argument is not NoneType]
            if len(real) > 1:
                if any(isinstance(r, type) and issubclass(r, BaseModel | enum.Enum) for r in real):
                    raise TypeError(f"cannot tell which of {real} was stored")
                return None, ()
            annotation = real[0]
        else:
            return origin or annotation, arguments
