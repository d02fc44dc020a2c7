"""Kubernetes quantities: `500m`, `1Gi`, `1e3`, `.5`.

The grammar is that of the API server's own parser: a decimal number and one of a binary suffix, a
decimal suffix, or a decimal exponent. `1E` is an exa and `1E3` a thousand; `1K` and `1 Gi` are not
quantities.
"""

import math
import re
from decimal import Decimal

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_SUFFIX = r"(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,3})?"
PATTERN = rf"\+?{_NUMBER}{_SUFFIX}"
LIMIT = 40

_QUANTITY = re.compile(rf"\+?({_NUMBER})({_SUFFIX})")
_FACTORS = {
    "": Decimal(1),
    **{
        s: Decimal(10) ** e
        for s, e in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
    },
    **{f"{s}i": Decimal(1024) ** (i + 1) for i, s in enumerate("KMGTPE")},
}
MAXIMUM = Decimal(2**63 - 1)
"""What the API server caps quantities at."""


def amount(text: str) -> Decimal:
    """The number that the quantity stands for. Raises ValueError for anything else."""
    match = _QUANTITY.fullmatch(text)
    if match is None or len(text) > LIMIT:
        raise ValueError("not a quantity")
    number, suffix = match.groups()
    factor = _FACTORS.get(suffix)
    value = Decimal(f"{number}{suffix}") if factor is None else Decimal(number) * factor
    if value > MAXIMUM:
        raise ValueError("the quantity is too large")
    return value


def is_quantity(text: str) -> bool:
    try:
        amount(text)
    except ValueError:
        return False
    return True


def canonical(text: str) -> str:
    """The same amount as the API server writes it: `1024Mi` is `1Gi`, `1.5` is `1500m`.

    Raises ValueError when it is no quantity.
    """
    value = amount(text)
    suffix = _suffix(text)
    if suffix.endswith("i") and value >= 1024 and value == int(value):
        return _by_powers(int(value), 1024, ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))
    nanos = math.ceil(value.scaleb(9))  # the server rounds up
    exponents = suffix[:1] in {"e", "E"} and len(suffix) > 1 and not suffix.endswith("i")
    return _by_powers(nanos, 1000, _EXPONENTS if exponents else _DECIMALS)


_DECIMALS = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")
_EXPONENTS = ("e-9", "e-6", "e-3", "", "e3", "e6", "e9", "e12", "e15", "e18")


def _suffix(text: str) -> str:
    match = _QUANTITY.fullmatch(text)
    return match[2] if match else ""


def _by_powers(number: int, base: int, suffixes: tuple[str, ...]) -> str:
    """A whole number with the largest suffix that leaves it whole."""
    if number == 0:
        return "0"
    index = 0
    while number % base == 0 and index < len(suffixes) - 1:
        number, index = number // base, index + 1
    return f"{number}{suffixes[index]}"
