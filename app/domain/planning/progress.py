"""How far a run is: the state of each of its nodes, and when the run as a whole has ended.

A run is completed when everything that it applied works, not when the cluster accepted it. Which
object waits and which has failed is what `app.domain.health` says; here is what follows from it.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.health import Health, HealthState
from app.domain.runstatus import RunStatus


class NodeState(enum.StrEnum):
    """Where a node is in a run."""

    PENDING = "pending"
    """Its turn has not come."""
    APPLYING = "applying"
    """Its objects are being written, or removed."""
    WAITING = "waiting"
    """Written, and not working yet."""
    READY = "ready"
    """Working, or gone where it had to go."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not applied, because something before it failed or the run was cancelled."""
    UNCHANGED = "unchanged"
    """Nothing was to be written, and it works."""

    @property
    def is_settled(self) -> bool:
        """Whether a run need not wait for it."""
        return self in _SETTLED

    @property
    def is_final(self) -> bool:
        """Whether it stays so for the rest of the run."""
        return not TRANSITIONS[self]


TRANSITIONS: dict[NodeState, frozenset[NodeState]] = {
    NodeState.PENDING: frozenset(
        {
            NodeState.APPLYING,
            NodeState.WAITING,
            NodeState.FAILED,
            NodeState.SKIPPED,
            NodeState.UNCHANGED,
        }
    ),
    NodeState.APPLYING: frozenset(
        {NodeState.WAITING, NodeState.READY, NodeState.FAILED, NodeState.SKIPPED}
    ),
    NodeState.WAITING: frozenset({NodeState.READY, NodeState.FAILED, NodeState.SKIPPED}),
    # What worked can break while the run waits for others.
    NodeState.READY: frozenset({NodeState.WAITING, NodeState.FAILED}),
    NodeState.UNCHANGED: frozenset({NodeState.WAITING, NodeState.FAILED}),
    NodeState.FAILED: frozenset(),
    NodeState.SKIPPED: frozenset(),
}
"""What may follow on what. PENDING to WAITING is a node of which nothing is to be written and that
does not work yet; APPLYING or WAITING to SKIPPED is one that a cancelled run leaves half way."""

_SETTLED = frozenset({NodeState.READY, NodeState.FAILED, NodeState.SKIPPED, NodeState.UNCHANGED})
_GOOD = frozenset({NodeState.READY, NodeState.UNCHANGED})

RUN_TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.RUNNING: frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}),
    RunStatus.COMPLETED: frozenset(),
    RunStatus.FAILED: frozenset(),
    RunStatus.CANCELLED: frozenset(),
}


class WrongTransition(ValueError):
    """A state does not follow on the one before it: an error of the engine, never of a client."""


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """A node in a run. `reason` is one word for machines, `message` a sentence; both may be empty.
    They change within a state too."""

    node_id: str
    state: NodeState = NodeState.PENDING
    reason: str = ""
    message: str = ""

    def to(self, state: NodeState, reason: str = "", message: str = "") -> "NodeProgress":
        """The next of it. Raises WrongTransition."""
        if state is not self.state and state not in TRANSITIONS[self.state]:
            raise WrongTransition(f"{self.node_id}: {self.state} to {state}")
        return NodeProgress(self.node_id, state, reason, message)

    def seen(self, health: Health, *, written: bool = True) -> "NodeProgress":
        """The next of it, when all of its objects are applied and this is their health together.

        `written` says whether anything was written: without it, what works is UNCHANGED. Raises
        WrongTransition for a node that has failed or was skipped.
        """
        if health.fails_run:
            state = NodeState.FAILED
        elif health.holds_run:
            state = NodeState.WAITING
        elif written or self.state in {NodeState.WAITING, NodeState.READY}:
            state = NodeState.READY
        else:
            state = NodeState.UNCHANGED
        through = self
        if state is NodeState.READY and self.state is NodeState.PENDING:
            through = self.to(NodeState.APPLYING)
        return through.to(state, health.reason, health.message)

    def gone(self, health: Health) -> "NodeProgress":
        """The next of a node whose objects are removed: ready when they are not there."""
        if health.state is HealthState.MISSING:
            return self.to(NodeState.READY, "Deleted", "It is not on the cluster any more.")
        return self.to(NodeState.WAITING, health.reason, health.message)

    def late(self, seconds: float) -> "NodeProgress":
        """The next of a node when the deadline of the run, in seconds, is over."""
        if self.state.is_settled:
            return self
        last = f" The last that was seen: {self.message}" if self.message else ""
        reason = self.reason or "DeadlineExceeded"
        return self.to(
            NodeState.FAILED, reason, f"It was not ready within {round(seconds)} s.{last}"
        )

    def left(self, why: str) -> "NodeProgress":
        """The next of a node that the run does not come to, or leaves half way."""
        if self.state.is_settled:
            return self
        half = self.state is not NodeState.PENDING
        message = f"{why} What was applied of it is on the cluster." if half else why
        return self.to(NodeState.SKIPPED, "Skipped", message)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; `error` says why in a sentence, None when it completed."""

    status: RunStatus
    error: str | None = None


_MOST_NAMED = 3


def ended(nodes: Iterable[NodeProgress], *, cancelled: bool = False) -> Ended | None:
    """How a run has ended, by its nodes; None while it goes on.

    A cancellation that came too late, when everything worked, changes nothing. One that did stop
    the run counts more than what failed before it.
    """
    states = list(nodes)
    open_ = [node for node in states if not node.state.is_settled]
    if open_ and not cancelled:
        return None
    bad = [node for node in states if node.state not in _GOOD]
    if not bad:
        return Ended(RunStatus.COMPLETED)
    done = len(states) - len(bad)
    if cancelled:
        message = f"Cancelled: {done} of {len(states)} nodes are deployed, and stay."
        return Ended(RunStatus.CANCELLED, message)
    failed = [node for node in bad if node.state is NodeState.FAILED]
    named = "; ".join(map(_told, failed[:_MOST_NAMED]))
    more = f"; and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
    if not failed:
        return Ended(RunStatus.FAILED, f"{len(bad)} of {len(states)} nodes were not deployed.")
    return Ended(RunStatus.FAILED, f"{len(failed)} of {len(states)} nodes failed: {named}{more}")


def _told(node: NodeProgress) -> str:
    why = f" ({node.reason})" if node.reason else ""
    said = f": {node.message.rstrip('.')}" if node.message else ""
    return f"{node.node_id}{why}{said}"


def next_status(before: RunStatus, after: RunStatus) -> RunStatus:
    """`after`, if it may follow on `before`. Raises WrongTransition."""
    if after is not before and after not in RUN_TRANSITIONS[before]:
        raise WrongTransition(f"a run: {before} to {after}")
    return after
