"""The canvas: nodes and edges as values, and the difference between two canvases.

One difference serves three readers: storage patches only what changed, subscribers receive only
what changed, and a version comparison explains what changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import Field

from app.domain.node import Value, WorkflowNode
from app.domain.nodes import Node


class Edge(Value):
    """A connection from one node to another; what it means follows from the two kinds."""

    id: str = Field(description="Unique in the workflow; made by the server when left out.")
    source: str = Field(description="Id of the node where the edge starts.")
    target: str = Field(description="Id of the node where the edge ends.")
    source_handle: str | None = Field(
        default=None,
        max_length=128,
        description="Which port of the source: an Ingress path's id, a NetworkPolicy rule's id.",
    )
    target_handle: str | None = Field(
        default=None, max_length=128, description="Which port of the target."
    )
    type: str | None = Field(default=None, max_length=64, description="How the edge is drawn.")


class Canvas(Value):
    """Nodes and edges by id, in the order they were added."""

    nodes: dict[str, Node] = Field(default_factory=dict)
    edges: dict[str, Edge] = Field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Iterable[WorkflowNode] = (), edges: Iterable[Edge] = ()) -> "Canvas":
        """A canvas of parts that are already valid; a later id replaces an earlier one."""
        return cls.model_construct(
            nodes={node.id: node for node in nodes}, edges={edge.id: edge for edge in edges}
        )


@dataclass(frozen=True, slots=True)
class CanvasChange:
    """What turns one canvas into another: put these, remove those."""

    nodes: Mapping[str, WorkflowNode] = field(default_factory=dict)
    nodes_removed: tuple[str, ...] = ()
    edges: Mapping[str, Edge] = field(default_factory=dict)
    edges_removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.nodes or self.nodes_removed or self.edges or self.edges_removed)

    @classmethod
    def between(cls, before: Canvas, after: Canvas) -> "CanvasChange":
        """The change that leads from `before` to `after`."""
        return cls(
            nodes={k: v for k, v in after.nodes.items() if before.nodes.get(k) != v},
            nodes_removed=tuple(k for k in before.nodes if k not in after.nodes),
            edges={k: v for k, v in after.edges.items() if before.edges.get(k) != v},
            edges_removed=tuple(k for k in before.edges if k not in after.edges),
        )

    def apply(self, canvas: Canvas) -> Canvas:
        """`canvas` with this change made to it."""
        nodes = {k: v for k, v in canvas.nodes.items() if k not in self.nodes_removed}
        edges = {k: v for k, v in canvas.edges.items() if k not in self.edges_removed}
        return Canvas.model_construct(nodes={**nodes, **self.nodes}, edges={**edges, **self.edges})
