"""What changed between two canvases, for people: per node, per field; where things are drawn apart.

List items that have an id are matched by it, so that an inserted Ingress path does not make all
later ones look changed. The order of the answer depends on the canvases alone.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from app.domain.canvas import Canvas, Edge
from app.domain.naming import api_name
from app.domain.node import NodeType, WorkflowNode

Path = tuple[str, ...]


class ChangeKind(enum.StrEnum):
    """What happened to a node or an edge."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: its path in `data` with the API's names, and its value; None where it is unset."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class NodeChange:
    """One node. `fields` are empty unless it was modified."""

    change: ChangeKind
    node_id: str
    type: NodeType
    name: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """One edge, as it was and as it is."""

    change: ChangeKind
    edge_id: str
    before: Edge | None
    after: Edge | None


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """Everything that differs."""

    nodes: tuple[NodeChange, ...]
    edges: tuple[EdgeChange, ...]
    moved: tuple[str, ...]
    """Ids of nodes that are drawn elsewhere."""

    @property
    def layout_only(self) -> bool:
        """Whether nothing differs but where nodes are drawn."""
        return bool(self.moved) and not self.nodes and not self.edges


def compare(before: Canvas, after: Canvas) -> VersionDiff:
    """The difference, ordered by id."""
    nodes = [
        change
        for id_ in sorted(before.nodes.keys() | after.nodes.keys())
        if (change := _node(before.nodes.get(id_), after.nodes.get(id_)))
    ]
    edges = [
        EdgeChange(_kind(old, new), id_, old, new)
        for id_ in sorted(before.edges.keys() | after.edges.keys())
        if (old := before.edges.get(id_)) != (new := after.edges.get(id_))
    ]
    moved = [
        id_
        for id_ in sorted(before.nodes.keys() & after.nodes.keys())
        if before.nodes[id_].position != after.nodes[id_].position
    ]
    return VersionDiff(tuple(nodes), tuple(edges), tuple(moved))


def _kind(before: object | None, after: object | None) -> ChangeKind:
    if before is None:
        return ChangeKind.ADDED
    return ChangeKind.REMOVED if after is None else ChangeKind.MODIFIED


def _node(before: WorkflowNode | None, after: WorkflowNode | None) -> NodeChange | None:
    node = after or before
    if node is None:
        return None
    fields: tuple[FieldChange, ...] = ()
    if before is not None and after is not None:
        old, new = dict(_leaves(before.data)), dict(_leaves(after.data))
        fields = tuple(
            FieldChange(".".join(path), old.get(path), new.get(path))
            for path in sorted(old.keys() | new.keys())
            if old.get(path) != new.get(path)
        )
        if not fields and before.type == after.type:
            return None
    return NodeChange(_kind(before, after), node.id, node.type, node.data.name, fields)


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every scalar below `value`, with its path."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _leaves(getattr(value, name), (*path, api_name(name)))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for i, item in enumerate(value):
            yield from _leaves(item, (*path, str(getattr(item, "id", None) or i)))
    elif value is not None:
        yield path, value.name if isinstance(value, enum.Enum) else value
