"""Numbers: ranges, ports, percentages, and amounts that are written as quantities."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from app.sandbox.admission.causes import invalid
from app.sandbox.errors import Cause

_UNITS = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]{1,3})?)([a-zA-Z]{0,2})")


def amount(text: Any) -> Decimal:
    """The number that a well-formed quantity is."""
    found = _QUANTITY.fullmatch(str(text))
    if found is None or found[2] not in _UNITS:
        return Decimal(0)
    return Decimal(found[1]) * _UNITS[found[2]]


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
