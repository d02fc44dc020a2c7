"""Values read by their types: what they are taken for, and what server-side apply refuses of them.

Follows structured-merge-diff's `typed`, to the words of its errors. `MISSING` is no value at all;
None is JSON's null.
"""

from collections.abc import Iterator
from typing import Any, Final

from app.sandbox.ownership.fieldset import INDEX, KEY, VALUE, Element, element_to_text, scalar
from app.sandbox.schemas import ANY, TypeSchema


class Missing:
    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()
Mistake = tuple[str, str]  # the path as errors print it, and what is wrong there

TEXTS = {"string", "bytes"}
NUMBERS = {"int32", "int64", "number"}


class Unkeyed(Exception):
    """A list's item that has no key: it cannot be told from the others."""


def shape(value: Any, schema: TypeSchema) -> str:
    """What the type takes the value for: map, scalar or list. One that fits none: the first."""
    if isinstance(value, dict) and schema.mapping:
        return "map"
    if isinstance(value, list) and schema.items:
        return "list"
    if isinstance(value, bool | int | float | str) and schema.scalar:
        return "scalar"
    return "map" if schema.mapping else "scalar" if schema.scalar else "list"


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def entries(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def element_of(item: Any, schema: TypeSchema) -> Element:
    """How a list of type set or map tells its item from the others. Unkeyed if it cannot."""
    if schema.listing == "set":
        if isinstance(item, dict):
            raise Unkeyed("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise Unkeyed("not supported: associative list with lists as elements")
        if item is None:
            raise Unkeyed("associative list without keys has an element that's an explicit null")
        return VALUE, scalar(item)
    if not isinstance(item, dict):
        what = "a null element" if item is None else "non-map elements"
        raise Unkeyed(f"associative list with keys may not have {what}")
    defaults = schema.items.defaults if schema.items else {}
    found = []
    for name in sorted(schema.keys):
        value = item.get(name, defaults.get(name, MISSING))
        if isinstance(value, dict | list):
            raise Unkeyed(
                f"associative list with keys has an element whose key {name} is no scalar"
            )
        if value is not MISSING:
            found.append((name, scalar(value)))
    if not found:
        named = " ".join(f'"{name}"' for name in schema.keys)
        raise Unkeyed(
            f"associative list with keys has an element that omits all key fields [{named}] "
            "(and doesn't have default values for any key fields)"
        )
    return KEY, tuple(found)


def grouped(value: list[Any], schema: TypeSchema) -> dict[Element, list[Any]]:
    """Items by their element, in order. More than one under an element: they are duplicates."""
    groups: dict[Element, list[Any]] = {}
    for item in value:
        groups.setdefault(element_of(item, schema), []).append(item)
    return groups


def mistakes(value: Any, schema: TypeSchema, *, duplicates: bool = False) -> Iterator[Mistake]:
    """What server-side apply refuses: unknown fields, wrong types, lists that cannot be keyed.

    `duplicates`: allow several items with one key, as objects that were PUT may have them.
    """
    as_what = shape(value, schema)
    if value is None:
        return
    if as_what == "scalar":
        if wrong := mistaken_scalar(value, schema.scalar or ""):
            yield "", wrong
    elif as_what == "list":
        if not isinstance(value, list):
            yield "", f"expected list, got &{{{plain(value)}}}"
            return
        yield from mistaken_items(value, schema, duplicates)
    else:
        if not isinstance(value, dict):
            yield "", f"expected map, got &{{{plain(value)}}}"
            return
        for name, inner in value.items():
            known = schema.of(name)
            if known is None:
                yield f".{name}", "field not declared in schema"
                return
            for path, wrong in mistakes(inner, known, duplicates=duplicates):
                yield f".{name}{path}", wrong


def mistaken_items(value: list[Any], schema: TypeSchema, duplicates: bool) -> Iterator[Mistake]:
    item_schema = schema.items or ANY
    seen = set()
    for index, item in enumerate(value):
        element: Element = (INDEX, index)
        if schema.listing != "atomic":
            try:
                element = element_of(item, schema)
            except Unkeyed as unkeyed:
                yield "", f"element {index}: {unkeyed}"
                return
            if element in seen and not duplicates:
                yield "", f"duplicate entries for key {element_to_text(element)}"
            seen.add(element)
        for path, wrong in mistakes(item, item_schema, duplicates=duplicates):
            yield element_to_text(element) + path, wrong


def mistaken_scalar(value: Any, wanted: str) -> str | None:
    if wanted in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"expected numeric (int or float), got {go_type(value)}"
    elif wanted in TEXTS:
        if not isinstance(value, str):
            return f"expected string, got &value.valueUnstructured{{Value:{literal(value)}}}"
    elif wanted == "boolean":
        if not isinstance(value, bool):
            return f"expected boolean, got &{{{plain(value)}}}"
    elif isinstance(value, dict | list):
        return f"expected any scalar, got &{{{plain(value)}}}"
    return None


def go_type(value: Any) -> str:
    names = {bool: "bool", int: "int64", float: "float64", str: "string", list: "[]interface {}"}
    return names.get(type(value), "map[string]interface {}")


def plain(value: Any) -> str:
    """As Go's `%v` prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{plain(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(plain, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def literal(value: Any) -> str:
    """As Go's `%#v` prints it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{literal(key)}:{literal(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(literal, value))}}}"
    if value is None:
        return "interface {}(nil)"
    return f'"{value}"' if isinstance(value, str) else plain(value)
