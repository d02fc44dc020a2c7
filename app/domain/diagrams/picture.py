"""What a diagram shows, before a format writes it down: boxes, arrows, and their colours."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain import graph
from app.domain.canvas import Canvas
from app.domain.nodes import NODE_KINDS

_LABEL_WIDTH = 24
_TITLE_WIDTH = 40


@dataclass(frozen=True, slots=True)
class Colours:
    """Of a category of kinds, as `#rrggbb`: the inside of a box, and its edge."""

    fill: str
    line: str


CATEGORIES: Mapping[str, Colours] = {
    "network": Colours("#eef2ff", "#4f46e5"),
    "workload": Colours("#ecfdf5", "#059669"),
    "configuration": Colours("#fffbeb", "#d97706"),
    "storage": Colours("#f0f9ff", "#0284c7"),
    "scaling": Colours("#fdf2f8", "#db2777"),
    "plugin": Colours("#f5f3ff", "#7c3aed"),
}
OTHER = Colours("#f8fafc", "#475569")


@dataclass(frozen=True, slots=True)
class Box:
    """A node: its name, its kind, its place in pixels."""

    id: str
    title: str
    kind: str
    category: str
    x: float
    y: float

    @property
    def colours(self) -> Colours:
        return CATEGORIES.get(self.category, OTHER)


@dataclass(frozen=True, slots=True)
class Arrow:
    """All edges from one box to another, with a few words or none. The ends are ids."""

    source: str
    target: str
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes and arrows by their ids. All texts are printable and short."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    @classmethod
    def of(cls, canvas: Canvas) -> "Picture":
        ordered = Canvas.model_construct(
            nodes=dict(sorted(canvas.nodes.items())), edges=dict(sorted(canvas.edges.items()))
        )
        out, into = graph.links(ordered)
        nodes = graph.wired(ordered, out, into)
        boxes = []
        for node in nodes.values():
            kind = NODE_KINDS[node.type]
            title = plain(node.data.name, _TITLE_WIDTH)
            where = node.position
            boxes.append(Box(node.id, title, kind.label, kind.category, where.x, where.y))
        ends = {link.edge: link for links in into.values() for link in links}
        said: dict[tuple[str, str], list[str]] = {}
        for source, links in out.items():
            for link in links:
                label = nodes[source].data.out_label(link)
                label = label or nodes[link.node_id].data.in_label(ends[link.edge])
                words = said.setdefault((source, link.node_id), [])
                if label and label not in words:
                    words.append(label)
        arrows = [Arrow(*pair, plain(", ".join(ws), _LABEL_WIDTH)) for pair, ws in said.items()]
        return cls(tuple(boxes), tuple(arrows))


def plain(text: str, width: int) -> str:
    """A text without control or formatting characters, cut to a width in columns."""
    room = width
    kept: list[str] = []
    for given in text:
        char = given if given.isprintable() else "�"
        room -= 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1
        if room < 0:
            return "".join(kept[:-1]) + "…"
        kept.append(char)
    return "".join(kept)
