"""The canvas inside a document: nodes and edges as maps by id."""

from collections.abc import Mapping
from typing import Any

import bson

from app.documents import trusting
from app.domain.canvas import Canvas, Edge

WITHOUT_CANVAS = {"nodes": False, "edges": False}
"""Projection that leaves the canvas out."""


def write_canvas(canvas: Canvas) -> dict[str, Any]:
    """The fields of a document that hold `canvas`."""
    return {
        "nodes": {id_: trusting.write(node) for id_, node in canvas.nodes.items()},
        "edges": {id_: trusting.write(edge) for id_, edge in canvas.edges.items()},
    }


def stored_size(canvas: Canvas) -> int:
    """Bytes that the canvas takes in a document."""
    return len(bson.encode(write_canvas(canvas)))


def read_canvas(document: Mapping[str, Any]) -> Canvas:
    """The canvas that a document holds."""
    return Canvas.model_construct(
        nodes={id_: trusting.read_node(node) for id_, node in document["nodes"].items()},
        edges={id_: trusting.read(Edge, edge) for id_, edge in document["edges"].items()},
    )
