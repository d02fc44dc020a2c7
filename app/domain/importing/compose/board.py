"""The canvas while it is drawn: nodes, edges, and how a value that does not fit is left out."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from app.domain.canvas import Canvas
from app.domain.editing import EdgeDraft, Limits, NodeDraft, draw
from app.domain.errors import LimitExceeded
from app.domain.importing.compose.part import Part
from app.domain.importing.imported import ImportCode
from app.domain.layout import layered
from app.domain.node import NodeData, NodeType, Position
from app.domain.nodes import NODE_KINDS
from app.domain.workload import WorkloadData


class Fields:
    """The fields of a node's data, each with the part of the source that says it."""

    def __init__(self, kind: str, part: Part) -> None:
        self.kind = NODE_KINDS[NodeType(kind)]
        self.part = part
        self._single: dict[str, tuple[Any, Part]] = {}
        self._lists: dict[str, list[tuple[Any, Part]]] = {}
        self._maps: dict[str, dict[str, tuple[Any, Part]]] = {}

    def put(self, name: str, value: Any, part: Part | None = None) -> None:
        """Sets a field, unless there is nothing to set."""
        if value is not None:
            self._single[name] = (value, part or self.part)

    def add(self, name: str, value: Any, part: Part) -> None:
        """Adds an entry to a list."""
        self._lists.setdefault(name, []).append((value, part))

    def set(self, name: str, key: str, value: Any, part: Part) -> None:
        """Sets an entry of a mapping."""
        self._maps.setdefault(name, {})[key] = (value, part)

    def keep_first(self, names: tuple[str, ...], key: str) -> None:
        """Of the entries of several lists that have the same value there, the first stays."""
        seen: set[str] = set()
        for name in names:
            kept: list[tuple[Any, Part]] = []
            for value, part in self._lists.pop(name, ()):
                if value[key] in seen:
                    part.note_ignored(f"Something else is at {value[key][:128]}: it is left out.")
                else:
                    kept.append((value, part))
                seen.add(value[key])
            if kept:
                self._lists[name] = kept

    def has(self, name: str) -> bool:
        return any(name in fields for fields in (self._single, self._lists, self._maps))

    def build(self) -> NodeData | None:
        """The data without what does not fit; None with a note when nothing is left of it."""
        known = self.kind.data.model_fields
        for fields in (self._single, self._lists, self._maps):
            for name in fields.keys() - known.keys():
                self._refuse(fields.pop(name), f"A {self.kind.label} has no such field")
        while True:
            try:
                return self.kind.data.model_validate(self._values())
            except ValidationError as error:
                faults = error.errors(include_url=False, include_input=False)
            wrong = {fault["loc"][:2]: fault["msg"] for fault in reversed(faults)}
            # From the end of a list on, so that the indexes of what stays are right.
            ordered = sorted(wrong.items(), key=lambda pair: _index(pair[0]), reverse=True)
            dropped = [self._drop(loc, says) for loc, says in ordered]
            if not any(dropped):
                self.part.note(
                    ImportCode.UNSUPPORTED,
                    f"No {self.kind.label} can be made of it: {faults[0]['msg']}",
                )
                return None

    def _values(self) -> dict[str, Any]:
        return {
            **{name: value for name, (value, _) in self._single.items()},
            **{name: [v for v, _ in items] for name, items in self._lists.items()},
            **{
                name: {key: value for key, (value, _) in entries.items()}
                for name, entries in self._maps.items()
            },
        }

    def _drop(self, loc: tuple[int | str, ...], says: str) -> bool:
        """Takes out what is wrong; False when nothing can be taken out."""
        name, rest = str(loc[0]) if loc else "", loc[1:]
        if name in {"name", "image"}:
            return False
        if name in self._lists:
            items = self._lists[name]
            if rest and isinstance(rest[0], int) and rest[0] < len(items):
                self._refuse(items.pop(rest[0]), says)
            else:
                self._shorten(name, [part for _, part in items])
                del items[len(items) // 2 :]
            return True
        if name in self._maps:
            entries = self._maps[name]
            if rest and rest[0] in entries:
                self._refuse(entries.pop(str(rest[0])), says)
            else:
                self._shorten(name, [part for _, part in entries.values()])
                for key in list(entries)[len(entries) // 2 :]:
                    del entries[key]
                if not entries:
                    del self._maps[name]
            return True
        if name in self._single:
            self._refuse(self._single.pop(name), says)
            return True
        return False

    @staticmethod
    def _refuse(said: Any, says: str) -> None:
        entries = said.values() if isinstance(said, dict) else said
        for _, part in [said] if isinstance(said, tuple) else entries:
            part.note_ignored(f"It is left out: {says.rstrip('.')}.")

    def _shorten(self, name: str, parts: list[Part]) -> None:
        for part in parts[len(parts) // 2 :]:
            part.note_ignored(f"It is left out: a node holds no more in {name}.")


def _index(loc: tuple[int | str, ...]) -> int:
    return loc[1] if len(loc) > 1 and isinstance(loc[1], int) else -1


class Board:
    """Nodes and edges by ids that are made before there is a node."""

    def __init__(self, new_id: Callable[[str], str], limits: Limits) -> None:
        self._new_id = new_id
        self._limits = limits
        self._nodes: dict[str, NodeData] = {}
        self._edges: dict[tuple[str, str], None] = {}

    def new_id(self) -> str:
        return self._new_id("node")

    def put(self, id_: str, fields: Fields) -> bool:
        """Draws a node and the edges from what it mounts; False when nothing can be made of it.

        Raises LimitExceeded.
        """
        data = fields.build()
        if data is None:
            return False
        if len(self._nodes) >= self._limits.nodes:
            says = f"A workflow holds at most {self._limits.nodes} nodes, and this one has more."
            raise LimitExceeded(says, limit=self._limits.nodes)
        self._nodes[id_] = data
        for mount in data.volume_mounts if isinstance(data, WorkloadData) else ():
            if mount.node_id is not None:
                self.link(mount.node_id, id_)
        return True

    def link(self, source: str, target: str) -> None:
        """Draws an edge; two nodes have one at most."""
        self._edges[source, target] = None

    def canvas(self) -> Canvas:
        """The canvas, laid out from left to right. Raises Invalid, LimitExceeded."""
        edges = [pair for pair in self._edges if set(pair) <= self._nodes.keys()]
        places = layered(list(self._nodes), edges)
        nodes = [
            NodeDraft(data, id_, Position(x=places[id_][0], y=places[id_][1]))
            for id_, data in self._nodes.items()
        ]
        drafts = [EdgeDraft(source, target, self._new_id("edge")) for source, target in edges]
        return draw(nodes, drafts, limits=self._limits, new_id=self._new_id)
