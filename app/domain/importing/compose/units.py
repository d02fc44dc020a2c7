"""How compose writes durations, amounts of memory, truths and commands."""

import math
import re
import shlex
from decimal import Decimal

_DURATION = re.compile(r"([0-9]{1,18}(?:\.[0-9]{0,18})?)(ns|us|µs|ms|s|m|h|d|w)")
_SECONDS = {
    "ns": Decimal("1e-9"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ms": Decimal("1e-3"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86_400),
    "w": Decimal(604_800),
}
_SIZE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{0,9})?) ?([kmgtp]?)i?b?", re.IGNORECASE)
_TRUTHS = {
    **dict.fromkeys(("true", "y", "yes", "on"), True),
    **dict.fromkeys(("false", "n", "no", "off"), False),
}
_MOST = 2**31 - 1


def seconds(text: str) -> Decimal | None:
    """A duration such as `1m30s` or `500ms`; None for anything else."""
    if text.strip() == "0":
        return Decimal(0)
    total, at = Decimal(0), 0
    while match := _DURATION.match(text, at):
        total += Decimal(match[1]) * _SECONDS[match[2]]
        at = match.end()
    return total if at == len(text) and text else None


def whole_seconds(duration: Decimal, *, least: int = 0) -> int:
    """As Kubernetes counts them: rounded up."""
    return max(least, min(_MOST, math.ceil(duration)))


def size(text: str) -> str | None:
    """An amount of bytes such as `512m` as a quantity; None for anything else.

    A thousand is 1024 here, whatever letters are used: that is how the container engine reads them.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    number, unit = Decimal(match[1]), match[2].upper()
    if number != int(number):
        for smaller in ("KMGTP"[:i] for i in range("KMGTP".find(unit), -1, -1)) if unit else ():
            number, unit = number * 1024, smaller[-1:]
            if number == int(number):
                break
    whole = math.ceil(number)
    return f"{whole}{unit}i" if unit else str(whole)


def truth(text: str) -> bool | None:
    return _TRUTHS.get(text.strip().lower())


def words(text: str) -> list[str] | None:
    """The words of a command, split as a shell does; None when a quote is open."""
    try:
        return shlex.split(text)
    except ValueError:
        return None


def number(value: float) -> str:
    """A number as compose writes it: whole without a point, never with an exponent if short."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)
