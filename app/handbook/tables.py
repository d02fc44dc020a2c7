"""The fields of a model as rows: the API's name, type, default and limits."""

import enum
import re
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.domain.fields import IntOrString
from app.domain.naming import api_name
from app.domain.node import is_derived
from app.handbook.literals import literal
from app.handbook.rules import bounds, name_of, rule_of, unwrapped

_SCALARS: dict[Any, str] = {
    str: "String",
    int: "Int",
    bool: "Boolean",
    float: "Float",
    IntOrString: "IntOrString",
    dict[str, str]: "StringMap",
    dict[str, Any]: "JSON",
}
_RULED = (str, IntOrString, dict[str, str])
"""Types whose rules are sentences; numbers have bounds."""

LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Row:
    """A field. `rules` are the named types in its limits; `shape` is the model that it holds."""

    name: str
    spelling: str
    """Its type in the API, without `!`."""
    required: bool
    derived: bool
    default: str
    limits: str
    description: str
    shape: type[BaseModel] | None
    rules: tuple[tuple[str, Any], ...]


def rows(model: type[BaseModel], names: Sequence[str] | None = None) -> list[Row]:
    """The model's own fields, or those with these names."""
    listed = model.model_fields if names is None else names
    return [_row(name, model.model_fields[name]) for name in listed]


def own_fields(model: type[BaseModel]) -> list[str]:
    """What the class itself declares, in its order."""
    return [name for name in model.model_fields if name in model.__annotations__]


def shapes(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models that a model's fields hold, and theirs; a model may come twice."""
    for row in rows(model):
        if row.shape is not None:
            yield row.shape
            yield from shapes(row.shape)


def _row(name: str, field: FieldInfo) -> Row:
    inner, _ = unwrapped(field.annotation)
    item = unwrapped(typing.get_args(inner)[0])[0] if typing.get_origin(inner) is list else inner
    limits: list[str] = []
    rules: list[tuple[str, Any]] = []
    _limit(field.rebuild_annotation(), limits, rules)
    return Row(
        name=api_name(name),
        spelling=f"[{_type(item)}]" if item is not inner else _type(item),
        required=field.is_required(),
        derived=is_derived(field),
        default=_default(field),
        limits="; ".join(limits),
        description=field.description or "",
        shape=item if isinstance(item, type) and issubclass(item, BaseModel) else None,
        rules=tuple(rules),
    )


def _type(annotation: Any) -> str:
    name: str = _SCALARS.get(annotation) or annotation.__name__
    return name


def _default(field: FieldInfo) -> str:
    if field.is_required() or is_derived(field):
        return ""
    value = field.get_default(call_default_factory=True)
    return "" if value in (None, [], {}, "") else literal(value)


def _limit(annotation: Any, limits: list[str], rules: list[tuple[str, Any]]) -> None:
    """Adds what is allowed of a type, in words, and the named rules among it."""
    ruled = _ruled(annotation)
    if ruled is not None:
        name = name_of(ruled)
        if name is not None:
            limits.append(f"[{name}](#values)")
            rules.append((name, ruled))
        elif says := rule_of(ruled):
            limits.append(says)
        return
    inner, found = unwrapped(annotation)
    if typing.get_origin(inner) is list:
        limits.extend(_length(bounds(found)))
        _limit(typing.get_args(inner)[0], limits, rules)
    elif isinstance(inner, type) and issubclass(inner, enum.Enum):
        limits.append(", ".join(f"`{member.name}`" for member in inner))
    elif inner in (int, float):
        limits.extend(_range(bounds(found)))


def _ruled(annotation: Any) -> Any:
    """The type of texts or maps in a field's type, with its rules; None when it holds another."""
    while typing.get_origin(annotation) in (Union, UnionType) or (
        typing.get_origin(annotation) is Annotated
        and typing.get_origin(typing.get_args(annotation)[0]) in (Union, UnionType)
    ):
        annotation = typing.get_args(annotation)[0]
    plain = typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else None
    return annotation if plain in _RULED else None


def _length(known: typing.Mapping[str, int]) -> Iterator[str]:
    low, high = known.get("min_length"), known.get("max_length")
    if low and high:
        yield f"{low} to {high} entries" if low != high else f"{low} entries"
    elif high:
        yield f"at most {high} entries"


def _range(known: typing.Mapping[str, int]) -> Iterator[str]:
    low, high = known.get("ge"), known.get("le")
    if low is None or high is None:
        return
    yield f"{low} or more" if high == LARGEST else f"{low} to {high}"


_CODE = re.compile("(`[^`]*`)")
_MEANS_SOMETHING = re.compile(r"([*_<\[\]|\\])")


def escaped(text: str) -> str:
    """Text in which nothing means something to Markdown, apart from code between backticks."""
    parts = _CODE.split(text)
    plain = (_MEANS_SOMETHING.sub(r"\\\1", part) for part in parts[::2])
    code = (part.replace("|", r"\|") for part in parts[1::2])
    return "".join(piece for pair in zip(plain, [*code, ""], strict=True) for piece in pair)
