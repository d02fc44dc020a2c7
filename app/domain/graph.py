"""The graph: which edges may be drawn, and what they supply to the nodes at their ends.

What an edge means is written in the file of the kind where it starts or ends; here is only what
is true of all of them. Everything takes time linear in nodes and edges.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.domain.canvas import Canvas, Edge
from app.domain.errors import FieldProblem
from app.domain.node import Link, NodeData, NodeType, WorkflowNode
from app.domain.nodes import NODE_KINDS


class EdgeFault(enum.StrEnum):
    """Why an edge is refused."""

    DANGLING = "EDGE_DANGLING"
    SELF = "EDGE_SELF"
    NOT_ALLOWED = "EDGE_NOT_ALLOWED"
    HANDLE = "EDGE_HANDLE"
    DUPLICATE = "EDGE_DUPLICATE"
    OCCUPIED = "EDGE_OCCUPIED"
    CYCLE = "EDGE_CYCLE"


Links = Mapping[str, Sequence[Link]]
"""The sound edges by the node at one of their ends."""

_TARGETS: Mapping[NodeType, tuple[str, ...]] = {
    kind.type: tuple(connection.type for connection in kind.connects_to)
    for kind in NODE_KINDS.values()
}


def check(canvas: Canvas) -> list[FieldProblem]:
    """Every rule that an edge breaks; paths are `("edges", <edge id>, <field>)`.

    An edge has at most one problem of its own, the first that applies. In the order of the edges;
    a cycle comes last.
    """
    problems = [problem for _, _, problem in _examined(canvas) if problem is not None]
    cycle = find_cycle((e.id, e.source, e.target) for e in canvas.edges.values())
    if cycle:
        problems.append(_cycle_problem(canvas, cycle))
    return problems


def _examined(canvas: Canvas) -> Iterator[tuple[Edge, str, FieldProblem | None]]:
    """Every edge with its anchor, and what is wrong with it."""
    drawn: dict[tuple[str, str, str], str] = {}
    occupied: dict[tuple[str, str], str] = {}
    for edge in canvas.edges.values():
        problem = _misplaced(canvas, edge)
        if problem is not None:
            yield edge, "", problem
            continue
        source = canvas.nodes[edge.source]
        try:
            anchor = source.data.anchor(edge.source_handle)
        except ValueError as error:
            yield edge, "", _problem(edge, "sourceHandle", EdgeFault.HANDLE, str(error))
            continue
        other = drawn.setdefault((edge.source, anchor, edge.target), edge.id)
        if other != edge.id:
            message = f"The edge {_quoted(other)} connects the same two nodes already."
            yield edge, anchor, _problem(edge, "target", EdgeFault.DUPLICATE, message)
        elif (
            source.data.one_edge
            and (other := occupied.setdefault((edge.source, anchor), edge.id)) != edge.id
        ):
            yield edge, anchor, _occupied(edge, anchor, source, other)
        else:
            yield edge, anchor, None


def _misplaced(canvas: Canvas, edge: Edge) -> FieldProblem | None:
    """What is wrong with the ends of an edge, whatever the other edges are."""
    for field, id_ in (("source", edge.source), ("target", edge.target)):
        if id_ not in canvas.nodes:
            message = f"There is no node {_quoted(id_)} on the canvas."
            return _problem(edge, field, EdgeFault.DANGLING, message)
    if edge.source == edge.target:
        return _problem(edge, "target", EdgeFault.SELF, "An edge connects two different nodes.")
    source, target = canvas.nodes[edge.source].type, canvas.nodes[edge.target].type
    allowed = _TARGETS[source]
    if target in allowed:
        return None
    message = f"{_kind(source)} can't be connected to {_kind(target)[0].lower()}"
    message += f"{_kind(target)[1:]}."
    if source in _TARGETS[target]:
        message += " Draw the edge the other way round."
    elif allowed:
        message += f" It connects to: {', '.join(_label(kind) for kind in allowed)}."
    else:
        message += " No edge starts there."
    return _problem(edge, "target", EdgeFault.NOT_ALLOWED, message)


def _occupied(edge: Edge, anchor: str, source: WorkflowNode, other: str) -> FieldProblem:
    place = f"The path {anchor!r}" if anchor else _kind(source.type)
    message = f"{place} has one edge only, and {_quoted(other)} is it: remove one of them."
    return _problem(edge, "sourceHandle" if anchor else "source", EdgeFault.OCCUPIED, message)


def find_cycle(edges: Iterable[tuple[str, str, str]]) -> list[str]:
    """The ids of edges that lead around a circle, in order, or nothing; edges are (id, from, to).

    An edge from a node to itself is no cycle here: it has a problem of its own.
    """
    out: dict[str, list[tuple[str, str]]] = {}
    for id_, source, target in edges:
        if source != target:
            out.setdefault(source, []).append((id_, target))
    done: set[str] = set()
    for start, first in out.items():
        if start in done:
            continue
        on_path: dict[str, int] = {start: 0}
        taken: list[str] = []
        stack: list[tuple[str, Iterator[tuple[str, str]]]] = [(start, iter(first))]
        while stack:
            node, following = stack[-1]
            step = next(following, None)
            if step is None:
                stack.pop()
                on_path.pop(node)
                done.add(node)
                if taken:
                    taken.pop()
                continue
            id_, target = step
            if target in on_path:
                return [*taken[on_path[target] :], id_]
            if target not in done:
                on_path[target] = len(stack)
                taken.append(id_)
                stack.append((target, iter(out.get(target, ()))))
    return []


def _cycle_problem(canvas: Canvas, cycle: list[str]) -> FieldProblem:
    edges = [canvas.edges[id_] for id_ in cycle]
    names = [_name(canvas, edge.source) for edge in edges[:10]]
    shown = " → ".join([*names, *(["…"] if len(edges) > 10 else []), names[0]])
    message = f"The edges lead around in a circle: {shown}. Remove one of them."
    return _problem(edges[-1], "target", EdgeFault.CYCLE, message)


def _problem(edge: Edge, field: str, fault: EdgeFault, message: str) -> FieldProblem:
    return FieldProblem(("edges", edge.id, field), message, fault.value)


def _name(canvas: Canvas, id_: str) -> str:
    node = canvas.nodes.get(id_)
    return node.data.name if node is not None else id_[:64]


def _quoted(id_: str) -> str:
    return repr(id_[:64])


def _label(kind: str) -> str:
    return NODE_KINDS[NodeType(kind)].label


def _kind(kind: NodeType) -> str:
    label = _label(kind)
    return f"An {label}" if label[0] in "AEIO" else f"A {label}"


# ------------------------------------------------------------------------------------ reading


def wire(canvas: Canvas) -> Canvas:
    """The canvas as it is read: every node with what its edges supply.

    Edges that `check` would refuse supply nothing. Nodes that nothing changes are the same objects.
    """
    out, into = links(canvas)
    return Canvas.model_construct(nodes=wired(canvas, out, into), edges=canvas.edges)


def wired(canvas: Canvas, out: Links, into: Links) -> dict[str, WorkflowNode]:
    """The nodes as they are read, by their links as `links` tells them."""
    return {
        id_: _having(node, node.data.wired(out.get(id_, ()), into.get(id_, ())))
        for id_, node in canvas.nodes.items()
    }


def unwire(canvas: Canvas, before: Canvas | None = None) -> Canvas:
    """The canvas as it is stored: without the copies of what edges supply.

    A client that reads a node and sends it back sends those copies too. Dropping them keeps a
    later rename or a removed edge from leaving a stale one; `wire` answers the same before and
    after. A value that differs from what the edge supplies is kept, unless it is what an edge
    supplied in `before` that this very change removes, or whose ends it changes.
    """
    nodes = canvas.nodes
    sources = [canvas] if before is None else [canvas, _changing(canvas, before)]
    for out, into in map(links, sources):
        nodes = {
            id_: _having(node, node.data.unwired(out.get(id_, ()), into.get(id_, ())))
            for id_, node in nodes.items()
        }
    return Canvas.model_construct(nodes=nodes, edges=canvas.edges)


def _changing(canvas: Canvas, before: Canvas) -> Canvas:
    """Of `before`, the edges that are gone or drawn anew, or whose target or source has changed."""

    def changed(id_: str) -> bool:
        now, then = canvas.nodes.get(id_), before.nodes.get(id_)
        return now is not then and (now is None or then is None or now.data != then.data)

    edges = {
        id_: edge
        for id_, edge in before.edges.items()
        if canvas.edges.get(id_) != edge or changed(edge.source) or changed(edge.target)
    }
    return Canvas.model_construct(nodes=before.nodes, edges=edges)


def _having(node: WorkflowNode, data: NodeData) -> WorkflowNode:
    return node if data is node.data else node.having(data=data)


def links(canvas: Canvas) -> tuple[Links, Links]:
    """The sound edges by the node where they start, and by the node where they end."""
    out: dict[str, list[Link]] = {}
    into: dict[str, list[Link]] = {}
    for edge, anchor, problem in _examined(canvas):
        if problem is None:
            source, target = canvas.nodes[edge.source], canvas.nodes[edge.target]
            out.setdefault(source.id, []).append(
                Link(edge.id, anchor, target.id, target.type, target.data)
            )
            into.setdefault(target.id, []).append(
                Link(edge.id, anchor, source.id, source.type, source.data)
            )
    return out, into
