"""Whole canvases as they are read and as they are stored: nothing stale, nothing claimed."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.canvas import Canvas, Edge
from app.domain.graph import unwire, wire
from app.domain.node import WorkflowNode
from app.domain.nodes import NODE_KINDS
from tests.domain.canvases import canvases
from tests.domain.sketch import box, line, read, sketch


def application(web: str = "web", front: str = "front", settings: str = "settings") -> Canvas:
    """One of every connection; the names of three nodes can be chosen."""
    return sketch(
        box("ingress", "i"),
        box("service", "s", name=front),
        box("deployment", "d", name=web, port=8080),
        box("configmap", "c", name=settings),
        box("hpa", "h"),
        box("networkpolicy", "p", ingress_rules=[{"id": "r"}]),
        line("i", "s"),
        line("s", "d"),
        line("c", "d"),
        line("h", "d"),
        line("p", "d"),
        line("p", "d", "r", "peer"),
    )


def test_a_rename_is_followed_everywhere() -> None:
    canvas = application("shop", "shop-front", "shop-settings")
    assert read(canvas, "i", "paths")[0]["service_name"] == "shop-front"
    assert read(canvas, "s", "target_app") == "shop"
    assert read(canvas, "d", "volume_mounts")[0]["name"] == "shop-settings"
    assert read(canvas, "h", "scale_target_name") == "shop"
    assert read(canvas, "p", "pod_selector") == {"app": "shop"}
    assert read(canvas, "p", "ingress_rules")[0]["peers"][0]["pod_selector"] == {"app": "shop"}


def test_a_rename_is_followed_when_what_was_read_is_sent_back() -> None:
    before = application()
    shown = wire(before)
    renamed = application("shop", "shop-front", "shop-settings").nodes
    sent = Canvas.of(
        [
            _with(shown.nodes["d"], name="shop"),
            _with(shown.nodes["s"], name="shop-front"),
            _with(shown.nodes["c"], name="shop-settings"),
            shown.nodes["i"],
            shown.nodes["h"],
            shown.nodes["p"],
        ],
        before.edges.values(),
    )
    stored = unwire(sent, before)
    assert stored.nodes == renamed


def _with(node: WorkflowNode, **data: Any) -> WorkflowNode:
    return node.model_copy(update={"data": node.data.model_copy(update=data)})


def test_a_removed_edge_leaves_nothing_behind() -> None:
    before = application()
    stored = unwire(wire(before), before)
    bare = Canvas.of(stored.nodes.values())
    assert wire(bare).nodes == before.nodes


def test_a_mount_whose_edge_is_gone_is_not_shown() -> None:
    left = [{"type": "configMap", "name": "c", "node_id": "c", "mount_path": "/own"}]
    canvas = sketch(box("configmap", "c"), box("deployment", "d", volume_mounts=left))
    assert read(canvas, "d", "volume_mounts") == []
    assert canvas.nodes["d"].data.model_dump()["volume_mounts"] != []


def test_links_are_never_trusted() -> None:
    claimed: dict[str, dict[str, Any]] = {
        "service": {"linked_deployment": "x"},
        "hpa": {"linked_target": "x"},
        "deployment": {"linked_config_maps": ["x"], "linked_pvcs": ["x"]},
        "ingress": {"paths": [{"id": "a", "linked_service": "x"}]},
        "networkpolicy": {
            "linked_workloads": ["x"],
            "ingress_rules": [
                {
                    "id": "r",
                    "peers": [
                        {
                            "id": "y",
                            "type": "podSelector",
                            "pod_selector": {},
                            "linked_workload": "x",
                        }
                    ],
                }
            ],
        },
    }
    for kind, fields in claimed.items():
        canvas = sketch(box(kind, "n", **fields))
        for seen in (wire(canvas), unwire(canvas)):
            assert "'x'" not in str(seen.nodes["n"].data.model_dump()), kind


@pytest.mark.parametrize("kind", list(NODE_KINDS))
def test_a_node_without_edges_is_the_same_object(kind: str) -> None:
    canvas = sketch(box(kind, "n"))
    assert wire(canvas).nodes["n"] is canvas.nodes["n"]
    assert unwire(canvas).nodes["n"] is canvas.nodes["n"]


def test_only_nodes_that_an_edge_supplies_are_new() -> None:
    canvas = sketch(box("service", "s"), box("deployment", "d"), box("job", "j"), line("s", "d"))
    wired = wire(canvas)
    assert wired.nodes["s"] is not canvas.nodes["s"]
    assert wired.nodes["d"] is canvas.nodes["d"]
    assert wired.nodes["j"] is canvas.nodes["j"]
    assert wired.edges is canvas.edges


@pytest.mark.parametrize(
    "edge",
    [line("s", "gone"), line("gone", "d"), line("d", "s"), line("s", "s"), line("s", "c")],
)
def test_an_unsound_edge_supplies_nothing(edge: Edge) -> None:
    canvas = sketch(box("service", "s"), box("deployment", "d"), box("configmap", "c"), edge)
    assert wire(canvas).nodes == canvas.nodes


def test_of_two_targets_the_first_counts() -> None:
    canvas = sketch(
        box("hpa", "h"), box("deployment", "a"), box("deployment", "b"),
        line("h", "b"), line("h", "a"),
    )  # fmt: skip
    assert read(canvas, "h", "scale_target_name") == "b"


@settings(max_examples=200)
@given(canvases())
def test_reading_and_storing_agree(canvas: Canvas) -> None:
    """What is stored reads the same, however often it was read and sent back."""
    shown = wire(canvas)
    stored = unwire(canvas)
    assert wire(stored).nodes == shown.nodes
    assert wire(shown).nodes == shown.nodes
    assert unwire(stored).nodes == stored.nodes
    assert wire(unwire(shown)).nodes == shown.nodes


@settings(max_examples=100)
@given(canvases(), st.randoms())
def test_the_order_of_nodes_does_not_matter(canvas: Canvas, random: Any) -> None:
    nodes = list(canvas.nodes.values())
    random.shuffle(nodes)
    shuffled = Canvas.of(nodes, canvas.edges.values())
    assert dict(wire(shuffled).nodes) == dict(wire(canvas).nodes)
