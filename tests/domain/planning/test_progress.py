"""How far a run is: which states follow on which, and when it has ended and how."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.health import Health, HealthState
from app.domain.planning.progress import (
    RUN_TRANSITIONS,
    TRANSITIONS,
    Ended,
    NodeProgress,
    NodeState,
    WrongTransition,
    ended,
    next_status,
)
from app.domain.runstatus import RunStatus

PENDING, APPLYING, WAITING = NodeState.PENDING, NodeState.APPLYING, NodeState.WAITING
READY, FAILED = NodeState.READY, NodeState.FAILED
SKIPPED, UNCHANGED = NodeState.SKIPPED, NodeState.UNCHANGED

FOLLOWS = {
    PENDING: {APPLYING, WAITING, FAILED, SKIPPED, UNCHANGED},
    APPLYING: {WAITING, READY, FAILED, SKIPPED},
    WAITING: {READY, FAILED, SKIPPED},
    READY: {WAITING, FAILED},
    UNCHANGED: {WAITING, FAILED},
    FAILED: set(),
    SKIPPED: set(),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(NodeState, NodeState)))
def test_transitions(before: NodeState, after: NodeState) -> None:
    node = NodeProgress("web", before, "Old", "old")
    if after in FOLLOWS[before] or after is before:
        assert node.to(after, "New", "new") == NodeProgress("web", after, "New", "new")
    else:
        with pytest.raises(WrongTransition, match=f"web: {before} to {after}"):
            node.to(after)


def test_every_state_has_its_line() -> None:
    assert TRANSITIONS == FOLLOWS
    assert {state for state in NodeState if state.is_final} == {FAILED, SKIPPED}
    assert {state for state in NodeState if not state.is_settled} == {PENDING, APPLYING, WAITING}


STATUSES = {
    RunStatus.QUEUED: {RunStatus.RUNNING, RunStatus.FAILED, RunStatus.CANCELLED},
    RunStatus.RUNNING: {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED},
    RunStatus.COMPLETED: set(),
    RunStatus.FAILED: set(),
    RunStatus.CANCELLED: set(),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(RunStatus, RunStatus)))
def test_statuses_of_a_run(before: RunStatus, after: RunStatus) -> None:
    assert RUN_TRANSITIONS == STATUSES
    if after in STATUSES[before] or after is before:
        assert next_status(before, after) is after
    else:
        with pytest.raises(WrongTransition):
            next_status(before, after)


def health(state: HealthState, *, advisory: bool = False) -> Health:
    return Health(state, "Reason", "Words.", advisory=advisory)


SEEN = [
    (APPLYING, health(HealthState.HEALTHY), True, READY),
    (PENDING, health(HealthState.HEALTHY), True, READY),
    (PENDING, health(HealthState.HEALTHY), False, UNCHANGED),
    (WAITING, health(HealthState.HEALTHY), False, READY),
    (UNCHANGED, health(HealthState.HEALTHY), False, UNCHANGED),
    (APPLYING, health(HealthState.SUSPENDED), True, READY),
    (APPLYING, health(HealthState.PENDING), True, WAITING),
    (APPLYING, health(HealthState.PENDING, advisory=True), True, READY),
    (APPLYING, health(HealthState.DEGRADED), True, WAITING),
    (APPLYING, health(HealthState.MISSING), True, WAITING),
    (APPLYING, health(HealthState.TERMINATING), True, WAITING),
    (WAITING, health(HealthState.ERROR), True, FAILED),
    (WAITING, health(HealthState.ERROR, advisory=True), True, READY),
    (PENDING, health(HealthState.PENDING), False, WAITING),
    (READY, health(HealthState.DEGRADED), True, WAITING),
    (UNCHANGED, health(HealthState.DEGRADED), False, WAITING),
]


@pytest.mark.parametrize(("before", "verdict", "written", "after"), SEEN)
def test_what_follows_from_health(
    before: NodeState, verdict: Health, written: bool, after: NodeState
) -> None:
    found = NodeProgress("web", before).seen(verdict, written=written)
    assert found == NodeProgress("web", after, "Reason", "Words.")


@pytest.mark.parametrize("before", [FAILED, SKIPPED])
def test_what_is_over_stays_so(before: NodeState) -> None:
    with pytest.raises(WrongTransition):
        NodeProgress("web", before).seen(health(HealthState.HEALTHY))


def test_what_is_removed_is_ready_when_it_is_gone() -> None:
    node = NodeProgress("web", APPLYING)
    waiting = node.gone(health(HealthState.TERMINATING))
    assert waiting == NodeProgress("web", WAITING, "Reason", "Words.")
    gone = waiting.gone(health(HealthState.MISSING))
    assert gone == NodeProgress("web", READY, "Deleted", "It is not on the cluster any more.")


def test_at_the_deadline_what_waits_has_failed_for_its_own_reason() -> None:
    node = NodeProgress("web", WAITING, "ImagePullBackOff", "The image is not there.")
    assert node.late(600.0) == NodeProgress(
        "web",
        FAILED,
        "ImagePullBackOff",
        "It was not ready within 600 s. The last that was seen: The image is not there.",
    )
    assert NodeProgress("web").late(5).reason == "DeadlineExceeded"
    assert NodeProgress("web", READY).late(5) == NodeProgress("web", READY)


def test_what_is_left_tells_whether_something_of_it_was_applied() -> None:
    why = "The run was cancelled."
    assert NodeProgress("web").left(why) == NodeProgress("web", SKIPPED, "Skipped", why)
    assert NodeProgress("web", APPLYING).left(why).message == (
        "The run was cancelled. What was applied of it is on the cluster."
    )
    assert NodeProgress("web", READY).left(why) == NodeProgress("web", READY)


def nodes(*states: NodeState) -> list[NodeProgress]:
    return [NodeProgress(f"n{i}", state) for i, state in enumerate(states)]


RUNS: dict[str, tuple[list[NodeProgress], bool, Ended | None]] = {
    "nothing to do": ([], False, Ended(RunStatus.COMPLETED)),
    "everything works": (nodes(READY, UNCHANGED), False, Ended(RunStatus.COMPLETED)),
    "something waits": (nodes(READY, WAITING), False, None),
    "something failed and something waits": (nodes(FAILED, WAITING), False, None),
    "something was not begun": (nodes(READY, PENDING), False, None),
    "something failed": (
        [
            *nodes(READY, SKIPPED),
            NodeProgress("web", FAILED, "CrashLoopBackOff", "The container ends with 1."),
        ],
        False,
        Ended(
            RunStatus.FAILED,
            "1 of 3 nodes failed: web (CrashLoopBackOff): The container ends with 1",
        ),
    ),
    "much failed": (
        nodes(*[FAILED] * 5),
        False,
        Ended(RunStatus.FAILED, "5 of 5 nodes failed: n0; n1; n2; and 2 more"),
    ),
    "something was skipped": (
        nodes(READY, SKIPPED),
        False,
        Ended(RunStatus.FAILED, "1 of 2 nodes were not deployed."),
    ),
    "cancelled on its way": (
        nodes(READY, SKIPPED, WAITING),
        True,
        Ended(RunStatus.CANCELLED, "Cancelled: 1 of 3 nodes are deployed, and stay."),
    ),
    "cancelled after a failure": (
        nodes(FAILED, SKIPPED),
        True,
        Ended(RunStatus.CANCELLED, "Cancelled: 0 of 2 nodes are deployed, and stay."),
    ),
    "cancelled too late": (nodes(READY, UNCHANGED), True, Ended(RunStatus.COMPLETED)),
}


@pytest.mark.parametrize("case", RUNS)
def test_how_a_run_ends(case: str) -> None:
    states, cancelled, expected = RUNS[case]
    assert ended(states, cancelled=cancelled) == expected


@given(st.lists(st.sampled_from(NodeState)), st.booleans())
def test_a_run_ends_exactly_when_nothing_is_open(states: list[NodeState], cancelled: bool) -> None:
    found = ended(nodes(*states), cancelled=cancelled)
    is_open = any(not state.is_settled for state in states) and not cancelled
    assert (found is None) is is_open
    if found is not None:
        assert (found.status is RunStatus.COMPLETED) is (set(states) <= {READY, UNCHANGED})
        assert (found.error is None) is (found.status is RunStatus.COMPLETED)
