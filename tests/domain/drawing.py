"""Short ways to write down canvases in tests."""

from typing import Any

from app.domain.canvas import Canvas, Edge
from app.domain.editing import EdgeDraft, Limits, NodeDraft, draw
from app.domain.node import NodeType, Position
from app.domain.nodes import NODE_KINDS

LIMITS = Limits()


def numbered() -> Any:
    """An id maker that counts: node-1, edge-2 …"""
    count = 0

    def new_id(prefix: str) -> str:
        nonlocal count
        count += 1
        return f"{prefix}-{count}"

    return new_id


def node(
    kind: str, id_: str | None = None, *, x: float = 0, y: float = 0, **data: Any
) -> NodeDraft:
    """A node draft; `data` needs at least what the kind requires."""
    cls = NODE_KINDS[NodeType(kind)].data
    return NodeDraft(id=id_, position=Position(x=x, y=y), data=cls.model_validate(data))


def deployment(name: str, **data: Any) -> NodeDraft:
    return node("deployment", name, **{"name": name, "image": "nginx:1.29", "port": 80} | data)


def service(id_: str, **data: Any) -> NodeDraft:
    return node("service", id_, **{"name": id_, "port": 80} | data)


def canvas(*parts: NodeDraft | EdgeDraft) -> Canvas:
    """A canvas of drafts."""
    return draw(
        [part for part in parts if isinstance(part, NodeDraft)],
        [part for part in parts if isinstance(part, EdgeDraft)],
        limits=LIMITS,
        new_id=numbered(),
    )


def only_edge(drawn: Canvas) -> Edge:
    (found,) = drawn.edges.values()
    return found
