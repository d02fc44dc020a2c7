"""Quantities as an API server stores them: `1000m` is `1`, `1024Mi` is `1Gi`, `1.5` is `1500m`.

Follows apimachinery's `resource.Quantity`, with its habit to keep some texts as they were sent
(`0800`, `+5`, `1e3`).
"""

import re
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple

from app.sandbox.schemas import ANY, TypeSchema

FORMAT = re.compile(r"([+-]?)0*(\d*)(?:\.(\d*))?([a-zA-Z]*)([+-]?\d*)", re.ASCII)
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
SUFFIXES = {exponent: suffix for suffix, exponent in DECIMAL.items()}
MAX_BINARY = 2**63 - 1
MAX_LENGTH = 256  # our own: digits beyond that are no amount of anything
MAX_EXPONENT = 64


class QuantityError(ValueError):
    """Not a quantity. str() is what an API server says of it."""


WRONG = QuantityError(
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)


class Written(NamedTuple):
    """A quantity's parts: `-1.50Ki` is negative, "1", "50", counts by 1024, exponent 10."""

    negative: bool
    whole: str
    decimals: str
    binary: bool
    exponent: int
    power: bool

    @property
    def size(self) -> Fraction:
        number = Fraction(int(self.whole + self.decimals), 10 ** len(self.decimals))
        return number * Fraction(2 if self.binary else 10) ** self.exponent


def parsed(text: str | int | float) -> Written:
    written = str(text)
    match = FORMAT.fullmatch(written)
    if isinstance(text, bool) or not match or len(written) > MAX_LENGTH:
        raise QuantityError(*WRONG.args)
    sign, whole, decimals, suffix, power = match.groups()
    if not re.match(r"[+-]?\.?\d", written, re.ASCII):
        raise QuantityError(*WRONG.args)
    by_power = suffix in ("e", "E") and bool(power)
    return Written(sign == "-", whole or "0", decimals or "", *scale(suffix, power), by_power)


def amount(text: str | int | float) -> Fraction:
    """The number that a quantity is. QuantityError if it is none."""
    read = parsed(text)
    return -read.size if read.negative else read.size


def canonical(text: str | int | float) -> str:
    """The text under which a quantity is stored. QuantityError if it is none."""
    read = parsed(text)
    _, whole, decimals, binary, exponent, power = read
    if not binary and kept_as_sent(whole + decimals, exponent - len(decimals)):
        return str(text)
    if binary and not decimals and int(whole) & 7 and len(whole) <= 14 - exponent * 3 // 10:
        return str(text)
    size = Fraction(ceil(read.size * 10**9), 10**9)  # beyond nano: rounded away from zero
    made = in_binary(min(size, Fraction(MAX_BINARY))) if binary else in_decimal(size, power=power)
    return f"-{made}" if read.negative and made != "0" else made


def scale(suffix: str, power: str) -> tuple[bool, int]:
    """Whether the suffix counts by 1024, and its exponent (of 2 or 10)."""
    if suffix in ("e", "E") and power:
        exponent = int(power) if power not in ("+", "-") else MAX_EXPONENT + 1
        if abs(exponent) <= MAX_EXPONENT:
            return False, exponent
    elif not power:
        if suffix in BINARY:
            return True, BINARY[suffix]
        if suffix in DECIMAL:
            return False, DECIMAL[suffix]
    raise QuantityError("unable to parse quantity's suffix")


def kept_as_sent(digits: str, exponent: int) -> bool:
    """Whether a decimal number looks canonical enough to be stored as it came."""
    small = len(digits) <= 18 and exponent >= -9
    return small and exponent % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def in_decimal(amount: Fraction, *, power: bool = False) -> str:
    number, exponent = int(amount * 10**9), -9
    if not number:
        return "0"
    while number % 1000 == 0 and (power or exponent < max(SUFFIXES)):
        number, exponent = number // 1000, exponent + 3
    if power:
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{SUFFIXES[exponent]}"


def in_binary(amount: Fraction) -> str:
    if amount < 1024 or amount.denominator != 1:
        return in_decimal(amount)
    number, step = int(amount), 0
    while number % 1024 == 0 and step < len(BINARY):
        number, step = number // 1024, step + 1
    return f"{number}{['', *BINARY][step]}"


def canonicalize(obj: Any, schema: TypeSchema) -> Any:
    """A copy of `obj` with every quantity (by the schema) in canonical form. QuantityError."""
    if schema.scalar == "quantity" and isinstance(obj, str | int | float):
        return canonical(obj)
    if isinstance(obj, dict):
        return {name: canonicalize(its, schema.of(name) or ANY) for name, its in obj.items()}
    if isinstance(obj, list):
        return [canonicalize(item, schema.items or ANY) for item in obj]
    return obj
