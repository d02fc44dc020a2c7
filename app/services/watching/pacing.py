"""How often it is told that a node is otherwise, lest one that flaps fill the database.

What changes for the first time in a while is told at once. The more often a node has changed, the
longer its next change waits; what comes meanwhile is not told, and in the end the newest is.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.ids import Id
from app.domain.livestatus import says_the_same
from app.domain.node import NodeStatus

LONGEST = 30.0
"""Seconds between two changes of a node that does not come to rest."""
_COOLING = 30.0
"""Seconds of quiet in which one change is forgotten."""
_HOTTEST = 5.0
"""Changes beyond those told at once that make a node wait for the longest."""
_STATES, _WORDS = 4, 2
"""Changes that are told at once: of the state, and of what is said of it."""
_BURST, _RATE = 3000, 10.0
"""Events of a cluster that are told at once, and how many come back every second."""
_LONGEST_ROUND = 120.0
"""Seconds between two rounds of a cluster that does not come to rest."""


@dataclass(slots=True)
class _Heat:
    """Of one node. Times are in seconds of any clock that only goes forward."""

    free: int
    next: float = -math.inf
    """When the next change may be told."""
    _degrees: float = 0.0
    _at: float = -math.inf

    def told(self, now: float) -> None:
        cooled = max(0.0, self._degrees - (now - self._at) / _COOLING)
        self._degrees = min(cooled + 1, self.free + _HOTTEST)
        self._at = now
        over = self._degrees - self.free
        self.next = now + (min(2**over, LONGEST) if over > 0 else 0)


@dataclass(slots=True)
class _Node:
    state: _Heat = field(default_factory=lambda: _Heat(_STATES))
    words: _Heat = field(default_factory=lambda: _Heat(_WORDS))


class Pacing:
    """Of the nodes of one cluster."""

    def __init__(self) -> None:
        self._nodes: dict[Id, dict[str, _Node]] = {}
        self._left = float(_BURST)
        self._at = -math.inf

    def next_round(self) -> float:
        """When anything at all may be told of the cluster."""
        return self._at + min(_LONGEST_ROUND, max(0.0, -self._left / _RATE))

    def ripe(
        self,
        workflow_id: Id,
        seen: Mapping[str, NodeStatus | None],
        known: Mapping[str, NodeStatus],
        *,
        now: float,
    ) -> tuple[dict[str, NodeStatus | None], float | None]:
        """What was seen, with None for nodes of which it is too soon to tell; and when the first
        of these may be told."""
        nodes = self._nodes.get(workflow_id, {})
        told: dict[str, NodeStatus | None] = {}
        waits: list[float] = []
        for node_id, status in seen.items():
            told[node_id] = status
            before = known.get(node_id)
            if status is None or node_id not in nodes or says_the_same(before, status):
                continue
            due = _of(nodes[node_id], before, status).next
            if due > now:
                told[node_id] = None
                waits.append(due)
        return told, min(waits, default=None)

    def told(
        self,
        workflow_id: Id,
        after: Mapping[str, NodeStatus],
        before: Mapping[str, NodeStatus],
        *,
        now: float,
    ) -> None:
        """This was told in place of what was before."""
        nodes = self._nodes.setdefault(workflow_id, {})
        for node_id in nodes.keys() - after.keys():
            del nodes[node_id]
        count = len(before.keys() - after.keys())
        for node_id, status in after.items():
            if not says_the_same(before.get(node_id), status):
                count += 1
                node = nodes.setdefault(node_id, _Node())
                _of(node, before.get(node_id), status).told(now)
        self._left = min(_BURST, self._left + (now - self._at) * _RATE) - count
        self._at = now

    def forget(self, workflow_id: Id) -> None:
        """The nodes begin anew: somebody has deployed, and wants to see what comes of it."""
        self._nodes.pop(workflow_id, None)


def _of(node: _Node, before: NodeStatus | None, after: NodeStatus) -> _Heat:
    same = before is not None and before.state is after.state
    return node.words if same else node.state
