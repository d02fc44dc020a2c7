"""Numbers: ranges, ports, and percentages of pods."""

import re
from collections.abc import Iterator
from math import ceil
from typing import Any

from app.sandbox.admission.causes import invalid
from app.sandbox.errors import Cause


def at_least(value: Any, least: int, path: str) -> Iterator[Cause]:
    """A number that may not be smaller."""
    if value is not None and value < least:
        yield invalid(path, value, f"must be greater than or equal to {least}")


def port(value: Any, path: str) -> Iterator[Cause]:
    """A port's number."""
    if not 1 <= value <= 65535:
        yield invalid(path, value, "must be between 1 and 65535, inclusive")


def share(value: Any, path: str) -> Iterator[Cause]:
    """A number of pods, or a percentage of them."""
    if isinstance(value, int):
        yield from at_least(value, 0, path)
    elif not re.fullmatch(r"[0-9]+%", value, re.ASCII):
        why = (
            "a valid percent string must be a numeric string followed by an ending '%' "
            "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
        )
        yield invalid(path, value, why)


def nothing(value: Any) -> bool:
    """Whether a share is none at all."""
    return value in (0, "0%")


def part_of(value: object, whole: int, *, up: bool) -> int:
    """`25%` of a number, rounded up or down, or the number that was given."""
    if isinstance(value, str) and value.endswith("%"):
        exact = whole * int(value[:-1]) / 100
        return ceil(exact) if up else int(exact)
    return int(value) if isinstance(value, int | str) else 0
