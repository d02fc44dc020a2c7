"""Editing a canvas: every operation, all or nothing, and where a problem is reported."""

from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.canvas import Canvas, CanvasChange
from app.domain.editing import (
    AddEdge,
    AddNode,
    EdgeDraft,
    Limits,
    MoveNode,
    NodeDraft,
    Operation,
    RemoveEdge,
    RemoveNode,
    UpdateEdge,
    UpdateNode,
    draw,
    edit,
)
from app.domain.errors import Invalid, LimitExceeded
from app.domain.graph import check, unwire, wire
from app.domain.node import Position
from tests.domain.canvases import canvases
from tests.domain.drawing import LIMITS, canvas, deployment, node, numbered, only_edge, service

SHOP = canvas(deployment("web"), service("front"), EdgeDraft("front", "web", id="front-web"))


def perform(*operations: Operation, on: Canvas = SHOP, limits: Limits = LIMITS) -> Canvas:
    return edit(on, operations, limits=limits, new_id=numbered())


def refused(*operations: Operation) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as failure:
        perform(*operations)
    return [(".".join(problem.path), problem.code) for problem in failure.value.problems]


def test_add_node_makes_an_id_when_none_is_given() -> None:
    after = perform(AddNode(node("job", name="once", image="busybox:1")))
    assert list(after.nodes) == ["web", "front", "node-1"]
    assert after.nodes["node-1"].data.name == "once"
    assert after.nodes["node-1"].position == Position(x=0, y=0)


def test_update_node_replaces_the_data_and_keeps_the_place() -> None:
    before = perform(MoveNode("web", Position(x=5, y=6)))
    after = perform(UpdateNode("web", deployment("web", image="nginx:1.30").data), on=before)
    assert after.nodes["web"].data.image == "nginx:1.30"
    assert after.nodes["web"].position == Position(x=5, y=6)


def test_update_node_can_move_without_new_data() -> None:
    after = perform(UpdateNode("web", position=Position(x=1, y=2)))
    assert after.nodes["web"].position == Position(x=1, y=2)
    assert after.nodes["web"].data == SHOP.nodes["web"].data


def test_a_nodes_kind_is_for_life() -> None:
    assert refused(UpdateNode("web", service("web").data)) == [
        ("operations.0.updateNode.data", "KIND_FIXED")
    ]


def test_remove_node_takes_its_edges_along() -> None:
    after = perform(RemoveNode("web"))
    assert list(after.nodes) == ["front"]
    assert after.edges == {}


def test_edges_can_be_added_replaced_and_removed() -> None:
    apart = perform(RemoveEdge("front-web"))
    assert apart.edges == {}
    joined = perform(AddEdge(EdgeDraft("front", "web")), on=apart)
    assert only_edge(joined).id == "edge-1"
    moved = perform(
        AddNode(deployment("other")),
        UpdateEdge(EdgeDraft("front", "other", id="front-web")),
    )
    assert only_edge(moved).target == "other"


def test_later_operations_see_earlier_ones() -> None:
    after = perform(
        AddNode(deployment("api")),
        AddNode(service("api-front")),
        AddEdge(EdgeDraft("api-front", "api", id="new")),
        RemoveNode("web"),
    )
    assert set(after.nodes) == {"front", "api", "api-front"}
    assert list(after.edges) == ["new"]


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        (UpdateNode("ghost"), ("operations.0.updateNode.id", "NOT_FOUND")),
        (MoveNode("ghost", Position()), ("operations.0.moveNode.id", "NOT_FOUND")),
        (RemoveNode("ghost"), ("operations.0.removeNode.id", "NOT_FOUND")),
        (RemoveEdge("ghost"), ("operations.0.removeEdge.id", "NOT_FOUND")),
        (
            UpdateEdge(EdgeDraft("front", "web", id="ghost")),
            ("operations.0.updateEdge.id", "NOT_FOUND"),
        ),
        (UpdateEdge(EdgeDraft("front", "web")), ("operations.0.updateEdge.id", "ID_MISSING")),
        (AddNode(deployment("web")), ("operations.0.addNode.id", "ID_TAKEN")),
        (
            AddNode(node("job", "a.b", name="a", image="b:1")),
            ("operations.0.addNode.id", "ID_MALFORMED"),
        ),
        (
            AddNode(node("job", "x" * 65, name="a", image="b:1")),
            ("operations.0.addNode.id", "ID_MALFORMED"),
        ),
        (
            AddEdge(EdgeDraft("front", "web", id="front-web")),
            ("operations.0.addEdge.id", "ID_TAKEN"),
        ),
        (AddEdge(EdgeDraft("front", "ghost")), ("operations.0.addEdge.target", "EDGE_DANGLING")),
        (AddEdge(EdgeDraft("web", "front")), ("operations.0.addEdge.target", "EDGE_NOT_ALLOWED")),
    ],
)
def test_a_problem_is_reported_where_the_client_caused_it(
    operation: Operation, problem: tuple[str, str]
) -> None:
    assert problem in refused(operation)


def test_all_or_nothing_reports_every_problem_of_its_kind() -> None:
    assert refused(RemoveNode("a"), MoveNode("web", Position(x=9)), RemoveEdge("b")) == [
        ("operations.0.removeNode.id", "NOT_FOUND"),
        ("operations.2.removeEdge.id", "NOT_FOUND"),
    ]
    assert SHOP.nodes["web"].position == Position()


def test_the_limits_hold_at_their_edge() -> None:
    limits = Limits(nodes=3, edges=1)
    perform(AddNode(deployment("third")), limits=limits)
    with pytest.raises(LimitExceeded) as nodes:
        perform(AddNode(deployment("a")), AddNode(deployment("b")), limits=limits)
    assert nodes.value.limit == 3
    with pytest.raises(LimitExceeded) as edges:
        perform(AddNode(service("second")), AddEdge(EdgeDraft("second", "web")), limits=limits)
    assert edges.value.limit == 1


@st.composite
def _canvases(draw: st.DrawFn) -> Canvas:
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True))
    nodes = [
        deployment(name, replicas=draw(st.integers(0, 3)), x=draw(st.integers(0, 2)))
        for name in names
    ]
    edges = (
        [
            EdgeDraft(f"s{name}", name, id=f"e{name}")
            for name in draw(st.lists(st.sampled_from(names), unique=True))
        ]
        if names
        else []
    )
    return canvas(*nodes, *(service(edge.source) for edge in edges), *edges)


@given(_canvases(), _canvases())
def test_a_change_leads_from_the_one_canvas_to_the_other(before: Canvas, after: Canvas) -> None:
    change = CanvasChange.between(before, after)
    assert change.apply(before) == after
    assert bool(change) == (before != after)


@given(canvases(), st.randoms(use_true_random=False))
def test_saving_what_was_read_without_some_edges_is_removing_those_edges(
    before: Canvas, random: Random
) -> None:
    """What an edge supplied does not outlive it, whichever way it is removed."""
    assume(not check(before))
    before = unwire(wire(before))  # nothing is said that an edge contradicts
    gone = [id_ for id_ in before.edges if random.random() < 0.5]
    read = wire(before)
    saved = draw(
        [NodeDraft(id=n.id, position=n.position, data=n.data) for n in read.nodes.values()],
        [EdgeDraft(**dict(e)) for id_, e in read.edges.items() if id_ not in gone],
        limits=LIMITS,
        new_id=numbered(),
        before=before,
    )
    removed = edit(before, map(RemoveEdge, gone), limits=LIMITS, new_id=numbered())
    assert wire(saved).nodes == wire(removed).nodes
