"""What can be wrong with a field, in the words of Kubernetes' own field errors."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.sandbox.errors import Cause
from app.sandbox.formats import Check


def shown(value: Any) -> str:
    """A value as a message quotes it: text in quotes, anything else as JSON.

    Of large objects nothing is shown: a pod template may hold what nobody should read in a log.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    if isinstance(value, (dict, list)) and len(text) > 200:
        return "{…}" if isinstance(value, dict) else "[…]"
    return text if len(text) <= 1_000 else text[:1_000] + "…"


def invalid(path: str, value: Any, why: str) -> Cause:
    """`Invalid value: "x": why`."""
    return Cause("FieldValueInvalid", path, f"Invalid value: {shown(value)}: {why}")


def malformed(check: Check, value: str, path: str) -> Iterator[Cause]:
    """A text that has another format than it should have."""
    for why in check(value):
        yield invalid(path, value, why)


def required(path: str, why: str = "") -> Cause:
    """`Required value`."""
    return Cause("FieldValueRequired", path, f"Required value: {why}" if why else "Required value")


def forbidden(path: str, why: str) -> Cause:
    """`Forbidden: why`."""
    return Cause("FieldValueForbidden", path, f"Forbidden: {why}")


def duplicate(path: str, value: Any) -> Cause:
    """`Duplicate value: "x"`."""
    return Cause("FieldValueDuplicate", path, f"Duplicate value: {shown(value)}")


def unsupported(path: str, value: Any, supported: Iterable[str]) -> Cause:
    """`Unsupported value: "x": supported values: "A", "B"`."""
    listed = ", ".join(f'"{each}"' for each in sorted(supported))
    why = f"Unsupported value: {shown(value)}: supported values: {listed}"
    return Cause("FieldValueNotSupported", path, why)


def choice(value: Any, supported: Iterable[str], path: str) -> Iterator[Cause]:
    """A value that is none of the supported ones."""
    if value not in supported:
        yield unsupported(path, value, supported)


def missing(path: str, value: Any) -> Cause:
    """`Not found: "x"`: a reference within the object that leads nowhere."""
    return Cause("FieldValueNotFound", path, f"Not found: {shown(value)}")


def too_long(path: str, most: int) -> Cause:
    """`Too long: may not be more than n bytes`."""
    return Cause("FieldValueTooLong", path, f"Too long: may not be more than {most} bytes")


def one_of(value: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Which of some fields are set."""
    return [name for name in names if value.get(name) is not None]
