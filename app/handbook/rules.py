"""What values may be: the named types of the domain, and the sentence that each answers with.

A rule is not told twice: the sentence is the one that a client reads who breaks it.
"""

import sys
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Union

from pydantic import TypeAdapter, ValidationError

from app.domain import fields, maps, pod, storage
from app.domain.nodes import NODE_KINDS

_UNFIT = "\x00"
"""A text that no rule allows."""
_NOTHING = "0"
"""A text that some rules allow, and those about sizes and times do not."""


@cache
def _named() -> tuple[tuple[str, Any], ...]:
    """Every constrained type of the domain that has a name."""
    classes = (base for kind in NODE_KINDS.values() for base in kind.data.__mro__)
    # The kinds import the types of these four, and some call them by another name.
    first = [module.__name__ for module in (fields, maps, pod, storage)]
    modules = [*first, *sorted({cls.__module__ for cls in classes})]
    return tuple(
        (name, value)
        for module in modules
        for name, value in vars(sys.modules[module]).items()
        if typing.get_origin(value) is Annotated and not name.startswith("_")
    )


def name_of(annotation: Any) -> str | None:
    """What the domain calls a type of texts or maps; None for one that has no name."""
    return next((name for name, known in _named() if known == annotation), None)


def rule_of(annotation: Any) -> str:
    """What is allowed, in the API's own words; empty when everything of the type is."""
    inner = typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else None
    adapter = TypeAdapter[Any](annotation)
    if typing.get_origin(inner) is not dict:
        return " ".join(dict.fromkeys(_answers(adapter, [_UNFIT, _NOTHING])))
    keys, values = (" ".join(_answers(adapter, [given])) for given in ({_UNFIT: ""}, {"a": _UNFIT}))
    entries = adapter.json_schema().get("maxProperties")
    most = f" At most {entries} entries." if entries else ""
    return f"Keys: {keys} Values: {values}{most}"


def _answers(adapter: TypeAdapter[Any], given: Iterable[Any]) -> Iterator[str]:
    for value in given:
        try:
            adapter.validate_python(value)
        except ValidationError as error:
            yield error.errors()[0]["msg"]


def unwrapped(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without its None and its rules; and the rules, flat."""
    rules: tuple[Any, ...] = ()
    while True:
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is Annotated:
            annotation, rules = arguments[0], (*rules, *_flat(arguments[1:]))
        elif (
            origin in (Union, types.UnionType)
            and types.NoneType in arguments
            and len(arguments) == 2
        ):
            annotation = next(a for a in arguments if a is not types.NoneType)
        else:
            return annotation, rules


def _flat(rules: tuple[Any, ...]) -> Iterator[Any]:
    for rule in rules:
        yield from getattr(rule, "metadata", None) or [rule]


def bounds(rules: Iterable[Any]) -> Mapping[str, int]:
    """The numbers among rules: `ge`, `le`, `min_length`, `max_length`."""
    return {
        name: getattr(rule, name)
        for rule in rules
        for name in ("ge", "le", "min_length", "max_length")
        if isinstance(getattr(rule, name, None), int)
    }
