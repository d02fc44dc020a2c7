"""A canvas as a picture in text: Mermaid for documents, DOT for Graphviz, SVG to look at.

A format is a file with `draw(picture)`. Whatever a name holds, it stays a text in the picture.
"""

import enum

from app.domain.canvas import Canvas
from app.domain.diagrams import dot, mermaid, svg
from app.domain.diagrams.picture import Picture


class DiagramFormat(enum.StrEnum):
    """How a diagram is written."""

    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"


_DRAW = {
    DiagramFormat.MERMAID: mermaid.draw,
    DiagramFormat.DOT: dot.draw,
    DiagramFormat.SVG: svg.draw,
}


def diagram(canvas: Canvas, format_: DiagramFormat) -> str:
    """The picture of a canvas; the same for the same canvas in any order."""
    return _DRAW[format_](Picture.of(canvas))
