"""What is written is what is read, for every kind; and nothing that is derived is written."""

from hypothesis import given, settings

from app.documents import trusting
from app.documents.canvases import read_canvas, write_canvas
from app.domain import graph
from app.domain.canvas import Canvas
from app.domain.nodes import read_node
from tests.domain.canvases import canvases
from tests.domain.drawing import canvas, deployment


@given(canvases())
@settings(max_examples=50)
def test_a_canvas_is_read_as_it_was_written(drawn: Canvas) -> None:
    stored = write_canvas(drawn)
    assert read_canvas(stored) == drawn
    assert {id_: read_node(node) for id_, node in stored["nodes"].items()} == drawn.nodes


@given(canvases())
@settings(max_examples=50)
def test_what_edges_supply_is_not_written(drawn: Canvas) -> None:
    for node in graph.wire(drawn).nodes.values():
        written = trusting.write(node)
        assert not [name for name in written["data"] if name.startswith("linked")]
        assert "status" not in written


def test_nulls_are_not_written() -> None:
    (node,) = canvas(deployment("web")).nodes.values()
    assert None not in trusting.write(node)["data"].values()


def test_a_limit_that_is_tightened_later_leaves_old_nodes_readable() -> None:
    (node,) = canvas(deployment("web")).nodes.values()
    stored = trusting.write(node)
    stored["data"]["replicas"] = -7
    assert trusting.read_node(stored).data.replicas == -7
