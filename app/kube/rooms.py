"""How much of what clusters show is kept: of one kind, of one cluster, of all.

What is counted is what is held, by whomever: an object counts from its arrival until nobody has it
any more, and so no path through the code can forget to give back what it took.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.kube.weighing import weight_of


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most of one cluster, and of all clusters together. Weights are bytes of memory."""

    objects: int = 50_000
    weight: int = 64 * 2**20
    of_all: int = 256 * 2**20


class Room:
    """Counts objects and their weight, and within a larger room if there is one."""

    def __init__(self, *, within: "Room | None" = None) -> None:
        self._within = within
        self.objects = 0
        self.weight = 0

    def count(self, objects: int, weight: int) -> None:
        """So many more, or fewer."""
        self.objects += objects
        self.weight += weight
        if self._within is not None:
            self._within.count(objects, weight)


class Kept(dict[str, Any]):
    """An object that counts for as long as it is there."""

    __slots__ = ("_room", "_weight")

    def __init__(self, one: Mapping[str, Any], room: Room) -> None:
        super().__init__(one)
        self._room, self._weight = room, weight_of(one)
        room.count(1, self._weight)

    def __del__(self) -> None:
        self._room.count(-1, -self._weight)
