"""Pacing: what flaps is told ever less often, and its newest state in the end."""

from datetime import UTC, datetime
from itertools import pairwise

from app.domain.health import HealthState
from app.domain.ids import Id
from app.domain.node import NodeStatus
from app.services.watching.pacing import LONGEST, Pacing

WORKFLOW = Id("a" * 24)
BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
HEALTHY, PENDING = HealthState.HEALTHY, HealthState.PENDING


def status(state: HealthState = HEALTHY, message: str = "", node_id: str = "web") -> NodeStatus:
    return NodeStatus(node_id=node_id, state=state, message=message, updated_at=BEGAN)


class Told:
    """A workflow of one cluster, its nodes told of whenever they may be."""

    def __init__(self) -> None:
        self.pacing = Pacing()
        self.known: dict[str, NodeStatus] = {}
        self.at: list[float] = []

    def see(self, *seen: NodeStatus, now: float) -> float | None:
        """Tells what may be told; when the rest may."""
        nodes = {one.node_id: one for one in seen}
        ripe, due = self.pacing.ripe(WORKFLOW, nodes, self.known, now=now)
        after = self.known | {id_: one for id_, one in ripe.items() if one is not None}
        if after != self.known:
            self.at.append(now)
            self.pacing.told(WORKFLOW, after, self.known, now=now)
            self.known = after
        return due


def flapping(told: Told, *, until: int, words: bool = False) -> list[float]:
    """When a node was told of that changes every second."""
    for second in range(until):
        one = status(message=str(second)) if words else status((HEALTHY, PENDING)[second % 2])
        told.see(one, now=float(second))
    return told.at


def test_the_first_changes_are_told_at_once_and_the_others_ever_later() -> None:
    told = flapping(Told(), until=600)
    assert told[:4] == [0, 1, 2, 3]
    pauses = [after - before for before, after in pairwise(told)]
    assert pauses[4:7] == sorted(pauses[4:7])
    assert all(LONGEST - 1 <= pause <= LONGEST + 2 for pause in pauses[-10:])
    assert len(told) == 28


def test_words_are_less_urgent_than_states() -> None:
    told = Told()
    assert flapping(told, until=4, words=True) == [0, 1, 2, 3]
    due = told.see(status(message="more"), now=4)
    assert due is not None
    assert 4.5 < due < 5
    assert told.see(status(PENDING, message="more"), now=4) is None
    assert told.known["web"] == status(PENDING, message="more")


def test_the_newest_comes_when_it_is_due() -> None:
    told = Told()
    flapping(told, until=20)
    newest = status(message="the newest")
    if told.known["web"].state is HEALTHY:
        newest = status(PENDING, message="the newest")
    due = told.see(newest, now=20)
    assert due is not None
    assert told.see(newest, now=due - 0.01) == due
    assert told.see(newest, now=due) is None
    assert told.known == {"web": newest}
    # What has come back to what was told last needs no telling.
    assert told.see(newest, now=due) is None


def test_it_recovers_when_it_is_quiet() -> None:
    told = Told()
    flapping(told, until=600)
    count = len(told.at)
    for second in range(900, 904):
        assert told.see(status((HEALTHY, PENDING)[second % 2]), now=float(second)) is None
    assert len(told.at) >= count + 3
    told.pacing.forget(WORKFLOW)
    assert told.see(status(HealthState.ERROR), now=904) is None


def test_a_node_that_flaps_holds_no_other_up() -> None:
    told = Told()
    flapping(told, until=60)
    assert told.see(told.known["web"], status(node_id="front"), now=60) is None
    assert told.known["front"] == status(node_id="front")


def test_a_cluster_that_changes_too_much_is_told_of_in_rounds() -> None:
    pacing = Pacing()
    nodes = {f"n{i}": status(node_id=f"n{i}") for i in range(3000)}
    pacing.told(WORKFLOW, nodes, {}, now=0)
    assert pacing.next_round() == 0
    more = nodes | {id_: status(PENDING, node_id=id_) for id_ in list(nodes)[:200]}
    pacing.told(WORKFLOW, more, nodes, now=5)
    assert pacing.next_round() == 5 + (200 - 50) / 10
    pacing.told(WORKFLOW, nodes, {}, now=20)
    assert pacing.next_round() == 20 + 120
    pacing.told(WORKFLOW, nodes | {"n0": status(PENDING, node_id="n0")}, nodes, now=1_000_000)
    assert pacing.next_round() == 1_000_000
