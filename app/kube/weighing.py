"""What JSON takes in memory once it is read, and how much of it one piece of work may take.

A byte on the wire can become thirty in memory, so bytes are the wrong measure of what a cluster may
make this process hold.
"""

import orjson

from app.domain.errors import ClusterError, ClusterFault

_MAPPING, _EMPTY, _LIST, _VALUE = 232, 64, 64, 40
_MOST_TIMES = 16
"""Lists of pods with their managedFields come to 8 at the most."""
_LIGHT = 2**18
MIB = 2**20


def weight(raw: bytes) -> int:
    """About how many bytes the values of a JSON text take as Python objects.

    What is in strings is counted as if it was not: the answer is too high then.
    """
    empty = raw.count(b"{}")
    return (
        len(raw)
        + _MAPPING * (raw.count(b"{") - empty)
        + _EMPTY * empty
        + _LIST * raw.count(b"[")
        + _VALUE * raw.count(b",")
    )


def weight_of(value: object) -> int:
    """The same of something that was read from JSON."""
    return weight(orjson.dumps(value))


def swells(raw: bytes, heavy: int) -> bool:
    """Whether it would grow as nothing does that a cluster says; `heavy` is its weight."""
    return heavy > _LIGHT and heavy > _MOST_TIMES * len(raw)


class TooMuch(ClusterError):
    """The cluster said more than a piece of work may take."""

    def __init__(self, most: int) -> None:
        super().__init__(
            ClusterFault.UNAVAILABLE,
            f"The cluster answers more than the {most // MIB} MiB that are read for this.",
        )


class Budget:
    """What the answers to one piece of work may weigh together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most

    def spend(self, heavy: int) -> None:
        """Raises TooMuch when it is used up."""
        self._left -= heavy
        if self._left < 0:
            raise TooMuch(self._most)
