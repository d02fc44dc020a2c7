"""Which edges may be drawn, and what is said about those that may not."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.canvas import Canvas
from app.domain.graph import check, find_cycle
from app.domain.node import NodeType
from app.domain.nodes import NODE_KINDS
from tests.domain.sketch import box, line, sketch

WEB = box("deployment", "web", port=8080)
API = box("deployment", "api")
FRONT = box("service", "front")
BACK = box("service", "back")
ROUTES = box("ingress", "routes", paths=[{"id": "a", "path": "/a"}, {"id": "b", "path": "/b"}])
GATE = box("ingress", "gate")
POLICY = box("networkpolicy", "policy", ingress_rules=[{"id": "r1"}], egress_rules=[{"id": "r2"}])
SCALER = box("hpa", "scaler")
CONFIG = box("configmap", "config")


def found(canvas: Canvas) -> list[tuple[str, str]]:
    return [(problem.code, ".".join(problem.path)) for problem in check(canvas)]


ALLOWED = {
    (kind.value, connection.type)
    for kind in NODE_KINDS
    for connection in NODE_KINDS[kind].connects_to
}


@pytest.mark.parametrize(("source", "target"), list(itertools.product(NODE_KINDS, repeat=2)))
def test_every_pair_of_kinds(source: NodeType, target: NodeType) -> None:
    canvas = sketch(box(source, "a"), box(target, "b"), line("a", "b"))
    if (source.value, target.value) in ALLOWED:
        assert check(canvas) == []
    else:
        assert found(canvas) == [("EDGE_NOT_ALLOWED", "edges.a-b.target")]


def test_a_whole_application_is_sound() -> None:
    canvas = sketch(
        WEB, API, FRONT, BACK, ROUTES, GATE, POLICY, SCALER, CONFIG,
        line("routes", "front", "a"), line("routes", "back", "b"), line("gate", "front"),
        line("front", "web"), line("back", "api"), line("scaler", "web"),
        line("config", "web"), line("config", "api"),
        line("policy", "web"), line("policy", "api", "r1"), line("policy", "web", "r2", "p3"),
    )  # fmt: skip
    assert check(canvas) == []


@pytest.mark.parametrize(
    ("parts", "problems"),
    [
        ((WEB, line("gone", "web")), [("EDGE_DANGLING", "edges.gone-web.source")]),
        ((FRONT, line("front", "gone")), [("EDGE_DANGLING", "edges.front-gone.target")]),
        ((WEB, line("web", "web")), [("EDGE_SELF", "edges.web-web.target")]),
        (
            (WEB, FRONT, line("front", "web"), line("front", "web", id_="again")),
            [("EDGE_DUPLICATE", "edges.again.target")],
        ),
        (
            (WEB, CONFIG, line("config", "web", "right"), line("config", "web", "left", "again")),
            [("EDGE_DUPLICATE", "edges.again.target")],
        ),
        (
            (WEB, POLICY, line("policy", "web"), line("policy", "web", "output", "again")),
            [("EDGE_DUPLICATE", "edges.again.target")],
        ),
        (
            (WEB, API, FRONT, line("front", "web"), line("front", "api")),
            [("EDGE_OCCUPIED", "edges.front-api.source")],
        ),
        (
            (WEB, API, SCALER, line("scaler", "web"), line("scaler", "api")),
            [("EDGE_OCCUPIED", "edges.scaler-api.source")],
        ),
        (
            (ROUTES, FRONT, BACK, line("routes", "front", "a"), line("routes", "back", "a")),
            [("EDGE_OCCUPIED", "edges.routes-back.sourceHandle")],
        ),
        (
            (GATE, FRONT, BACK, line("gate", "front"), line("gate", "back", "path-1")),
            [("EDGE_OCCUPIED", "edges.gate-back.sourceHandle")],
        ),
        (
            (ROUTES, FRONT, line("routes", "front")),
            [("EDGE_HANDLE", "edges.routes-front.sourceHandle")],
        ),
        (
            (ROUTES, FRONT, line("routes", "front", "c")),
            [("EDGE_HANDLE", "edges.routes-front.sourceHandle")],
        ),
        (
            (GATE, FRONT, line("gate", "front", "other")),
            [("EDGE_HANDLE", "edges.gate-front.sourceHandle")],
        ),
        (
            (WEB, POLICY, line("policy", "web", "r9")),
            [("EDGE_HANDLE", "edges.policy-web.sourceHandle")],
        ),
        (
            (WEB, FRONT, line("web", "front")),
            [("EDGE_NOT_ALLOWED", "edges.web-front.target")],
        ),
        (
            (WEB, FRONT, line("front", "web"), line("web", "front")),
            [
                ("EDGE_NOT_ALLOWED", "edges.web-front.target"),
                ("EDGE_CYCLE", "edges.web-front.target"),
            ],
        ),
    ],
)
def test_refused(parts: tuple[object, ...], problems: list[tuple[str, str]]) -> None:
    assert found(sketch(*parts)) == problems  # type: ignore[arg-type]


def test_one_service_answers_several_paths() -> None:
    canvas = sketch(
        ROUTES, FRONT, line("routes", "front", "a"), line("routes", "front", "b", "second")
    )
    assert check(canvas) == []


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((WEB, line("gone", "web")), "There is no node 'gone' on the canvas."),
        (
            (FRONT, CONFIG, line("front", "config")),
            "A Service can't be connected to a ConfigMap. It connects to: Deployment, StatefulSet, "
            "DaemonSet.",
        ),
        (
            (WEB, FRONT, line("web", "front")),
            "A Deployment can't be connected to a Service. Draw the edge the other way round.",
        ),
        (
            (GATE, WEB, line("gate", "web")),
            "An Ingress can't be connected to a Deployment. It connects to: Service.",
        ),
        (
            (WEB, API, line("web", "api")),
            "A Deployment can't be connected to a Deployment. No edge starts there.",
        ),
        (
            (ROUTES, FRONT, line("routes", "front")),
            "An edge of an Ingress starts at the id of one of its paths: 'a', 'b'.",
        ),
        (
            (POLICY, WEB, line("policy", "web", "x")),
            "An edge of a NetworkPolicy starts at 'output' (the pods it is about) or at the id of "
            "a rule: 'r1', 'r2'.",
        ),
        (
            (WEB, FRONT, line("front", "web"), line("front", "web", id_="again")),
            "The edge 'front-web' connects the same two nodes already.",
        ),
        (
            (WEB, API, FRONT, line("front", "web"), line("front", "api")),
            "A Service has one edge only, and 'front-web' is it: remove one of them.",
        ),
        (
            (ROUTES, FRONT, BACK, line("routes", "front", "a"), line("routes", "back", "a")),
            "The path 'a' has one edge only, and 'routes-front' is it: remove one of them.",
        ),
    ],
)
def test_messages_say_what_to_do(parts: tuple[object, ...], message: str) -> None:
    assert [problem.message for problem in check(sketch(*parts))] == [message]  # type: ignore[arg-type]


def test_a_cycle_is_named() -> None:
    canvas = sketch(WEB, FRONT, API, line("front", "web"), line("web", "api"), line("api", "front"))
    *_, cycle = check(canvas)
    assert cycle.code == "EDGE_CYCLE"
    assert cycle.message == (
        "The edges lead around in a circle: front → web → api → front. Remove one of them."
    )


@pytest.mark.parametrize(
    ("edges", "cycle"),
    [
        ([], []),
        (["ab", "bc", "ac"], []),
        (["ab", "bd", "ac", "cd", "de"], []),
        (["ab", "ba"], ["ab", "ba"]),
        (["xa", "ab", "bc", "cb"], ["bc", "cb"]),
        (["xa", "ay", "ab", "bc", "ca"], ["ab", "bc", "ca"]),
        (["aa"], []),
    ],
)
def test_find_cycle(edges: list[str], cycle: list[str]) -> None:
    assert find_cycle((edge, edge[0], edge[1]) for edge in edges) == cycle


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
def test_what_is_found_is_a_cycle_and_none_is_missed(pairs: list[tuple[int, int]]) -> None:
    edges = {f"e{i}": pair for i, pair in enumerate(pairs)}
    cycle = find_cycle((id_, f"{a}", f"{b}") for id_, (a, b) in edges.items())
    if cycle:
        steps = [edges[id_] for id_ in cycle]
        assert len(steps) > 1
        assert all(a[1] == b[0] for a, b in zip(steps, [*steps[1:], steps[0]], strict=True))
    else:
        left = {(a, b) for a, b in pairs if a != b}
        while left:
            ends = {(a, b) for a, b in left if b not in {x for x, _ in left}}
            assert ends, "a cycle was missed"
            left -= ends


def test_a_long_chain_needs_no_stack() -> None:
    chain = [(f"e{i}", str(i), str(i + 1)) for i in range(50_000)]
    assert find_cycle(chain) == []
    assert len(find_cycle([*chain, ("back", "50000", "0")])) == 50_001


def test_the_time_grows_with_the_size() -> None:
    """A thousand nodes and five thousand edges are looked at in well under a frame's patience."""
    nodes = [box("configmap", f"c{i}") for i in range(500)]
    nodes += [box("deployment", f"d{i}") for i in range(500)]
    edges = [line(f"c{i}", f"d{(i + k) % 500}") for i in range(500) for k in range(10)]
    canvas = sketch(*nodes, *edges)
    best = min(_seconds(canvas) for _ in range(3))
    assert best < 0.25


def _seconds(canvas: Canvas) -> float:
    begin = time.perf_counter()
    assert check(canvas) == []
    return time.perf_counter() - begin
