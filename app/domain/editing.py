"""Editing a canvas: operations in, a new valid canvas out, or every reason why not.

All or nothing: the operations run on a copy, and the result is checked as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from app.domain import graph
from app.domain.canvas import Canvas, Edge
from app.domain.errors import FieldProblem, Invalid, LimitExceeded
from app.domain.node import NodeData, Position, WorkflowNode
from app.domain.nodes import kind_of

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_PROBLEMS = 100
"""Problems that are told at once: nobody reads more."""
_ID_RULE = "An id has 1 to 64 letters, digits, '-' or '_'."

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a canvas may be."""

    nodes: int = 1_000
    edges: int = 5_000


@dataclass(frozen=True, slots=True)
class NodeDraft:
    """A node as a client draws it; the kind follows from the class of `data`."""

    data: NodeData
    id: str | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class EdgeDraft:
    """An edge as a client draws it."""

    source: str
    target: str
    id: str | None = None
    source_handle: str | None = None
    target_handle: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class AddNode:
    node: NodeDraft


@dataclass(frozen=True, slots=True)
class UpdateNode:
    """Replaces the data, and the position when given. The kind stays what it is."""

    id: str
    data: NodeData | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class MoveNode:
    id: str
    position: Position


@dataclass(frozen=True, slots=True)
class RemoveNode:
    """Removes the node and the edges that end at it."""

    id: str


@dataclass(frozen=True, slots=True)
class AddEdge:
    edge: EdgeDraft


@dataclass(frozen=True, slots=True)
class UpdateEdge:
    """Replaces the edge that has this id."""

    edge: EdgeDraft


@dataclass(frozen=True, slots=True)
class RemoveEdge:
    id: str


Operation = AddNode | UpdateNode | MoveNode | RemoveNode | AddEdge | UpdateEdge | RemoveEdge


def draw(
    nodes: Sequence[NodeDraft],
    edges: Sequence[EdgeDraft],
    *,
    limits: Limits,
    new_id: Callable[[str], str],
    before: Canvas | None = None,
) -> Canvas:
    """A canvas from scratch. `new_id` makes an id from a prefix. Raises Invalid, LimitExceeded.

    `before` is the canvas that it replaces: what its edges supplied, and the client sent back, is
    no wish of the client's.
    """
    pen = _Pen(Canvas(), new_id, before)
    for i, node in enumerate(nodes):
        pen.add_node(node, ("nodes", str(i)))
    for i, edge in enumerate(edges):
        pen.add_edge(edge, ("edges", str(i)))
    return pen.result(limits)


def edit(
    canvas: Canvas,
    operations: Iterable[Operation],
    *,
    limits: Limits,
    new_id: Callable[[str], str],
) -> Canvas:
    """`canvas` after `operations`, in order. Raises Invalid, LimitExceeded."""
    pen = _Pen(canvas, new_id, canvas)
    for i, operation in enumerate(operations):
        pen.perform(operation, ("operations", str(i)))
    return pen.result(limits)


@dataclass
class _Pen:
    """A canvas being drawn: what it holds so far, what was wrong, and which input drew what."""

    canvas: Canvas
    new_id: Callable[[str], str]
    before: Canvas | None
    nodes: dict[str, WorkflowNode] = field(init=False)
    edges: dict[str, Edge] = field(init=False)
    problems: list[FieldProblem] = field(default_factory=list)
    drawn_by: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes = dict(self.canvas.nodes)
        self.edges = dict(self.canvas.edges)

    def perform(self, operation: Operation, path: Path) -> None:
        match operation:
            case AddNode(node):
                self.add_node(node, (*path, "addNode"))
            case UpdateNode():
                self._update_node(operation, (*path, "updateNode"))
            case MoveNode():
                self._move_node(operation, (*path, "moveNode"))
            case RemoveNode(id_):
                self._remove_node(id_, (*path, "removeNode"))
            case AddEdge(edge):
                self.add_edge(edge, (*path, "addEdge"))
            case UpdateEdge(edge):
                self._update_edge(edge, (*path, "updateEdge"))
            case RemoveEdge(id_):
                if self.edges.pop(id_, None) is None:
                    self._missing((*path, "removeEdge", "id"), "edge", id_)

    def add_node(self, draft: NodeDraft, path: Path) -> None:
        id_ = self._take_id(draft.id, self.nodes, "node", path)
        if id_ is not None:
            self.nodes[id_] = kind_of(draft.data).node.model_validate(
                {"id": id_, "position": draft.position or Position(), "data": draft.data}
            )
            self.drawn_by[f"nodes.{id_}"] = path

    def add_edge(self, draft: EdgeDraft, path: Path) -> None:
        id_ = self._take_id(draft.id, self.edges, "edge", path)
        if id_ is not None:
            self._put_edge(id_, draft, path)

    def result(self, limits: Limits) -> Canvas:
        if len(self.nodes) > limits.nodes:
            raise LimitExceeded(
                f"A workflow holds at most {limits.nodes} nodes; this one would have "
                f"{len(self.nodes)}.",
                limit=limits.nodes,
            )
        if len(self.edges) > limits.edges:
            raise LimitExceeded(
                f"A workflow holds at most {limits.edges} edges; this one would have "
                f"{len(self.edges)}.",
                limit=limits.edges,
            )
        canvas = Canvas.model_construct(nodes=self.nodes, edges=self.edges)
        if not self.problems:
            found = graph.check(canvas)[:_MOST_PROBLEMS]
            self.problems += [self._located(problem) for problem in found]
        if self.problems:
            raise Invalid(self.problems)
        return graph.unwire(canvas, self.before)

    def _update_node(self, operation: UpdateNode, path: Path) -> None:
        node = self.nodes.get(operation.id)
        if node is None:
            return self._missing((*path, "id"), "node", operation.id)
        update: dict[str, object] = {}
        if operation.position is not None:
            update["position"] = operation.position
        if operation.data is not None:
            kind = kind_of(operation.data)
            if kind.type != node.type:
                return self._problem(
                    (*path, "data"),
                    f"The node is a {node.type.value}; its data cannot become a "
                    f"{kind.type.value}. Remove it and add a new node.",
                    "KIND_FIXED",
                )
            update["data"] = operation.data
        self.nodes[operation.id] = node.model_copy(update=update)
        self.drawn_by[f"nodes.{operation.id}"] = path
        return None

    def _move_node(self, operation: MoveNode, path: Path) -> None:
        node = self.nodes.get(operation.id)
        if node is None:
            return self._missing((*path, "id"), "node", operation.id)
        self.nodes[operation.id] = node.model_copy(update={"position": operation.position})
        return None

    def _remove_node(self, id_: str, path: Path) -> None:
        if self.nodes.pop(id_, None) is None:
            return self._missing((*path, "id"), "node", id_)
        self.edges = {k: e for k, e in self.edges.items() if id_ not in (e.source, e.target)}
        return None

    def _update_edge(self, draft: EdgeDraft, path: Path) -> None:
        if draft.id is None:
            return self._problem((*path, "id"), "Name the edge that is replaced.", "ID_MISSING")
        if draft.id not in self.edges:
            return self._missing((*path, "id"), "edge", draft.id)
        return self._put_edge(draft.id, draft, path)

    def _put_edge(self, id_: str, draft: EdgeDraft, path: Path) -> None:
        self.edges[id_] = Edge(
            id=id_,
            source=draft.source,
            target=draft.target,
            source_handle=draft.source_handle,
            target_handle=draft.target_handle,
            type=draft.type,
        )
        self.drawn_by[f"edges.{id_}"] = path

    def _take_id(
        self,
        id_: str | None,
        taken: dict[str, WorkflowNode] | dict[str, Edge],
        kind: str,
        path: Path,
    ) -> str | None:
        if id_ is None:
            return self.new_id(kind)
        if not _ID.fullmatch(id_):
            self._problem((*path, "id"), _ID_RULE, "ID_MALFORMED")
            return None
        if id_ in taken:
            message = f"There is already a {kind} with the id '{id_}'."
            self._problem((*path, "id"), message, "ID_TAKEN")
            return None
        return id_

    def _missing(self, path: Path, kind: str, id_: str) -> None:
        self._problem(path, f"There is no {kind} with the id '{id_[:64]}'.", "NOT_FOUND")

    def _problem(self, path: Path, message: str, code: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(FieldProblem(path, message, code))

    def _located(self, problem: FieldProblem) -> FieldProblem:
        """The problem where the client caused it: at its own input, else at the stored part."""
        part, rest = problem.path[:2], problem.path[2:]
        drawn = self.drawn_by.get(".".join(part))
        return FieldProblem((*drawn, *rest), problem.message, problem.code) if drawn else problem
