"""SVG: the canvas as it is drawn, in one file without scripts, styles from elsewhere or links."""

from html import escape

from app.domain.diagrams.picture import CATEGORIES, OTHER, Arrow, Box, Colours, Picture, plain
from app.domain.layout import Cell, Point, layered, spread

_WIDTH, _HEIGHT = 210, 58
_GAP = 130
_CELL = Cell(_WIDTH + _GAP, _HEIGHT + 38)
_MARGIN = 32
_LEGEND = 36
_TITLE_WIDTH = 24
_STYLE = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    ".t{font-size:13px;font-weight:600;fill:#0f172a}"
    ".k{font-size:11px;fill:#475569}"
    ".l{font-size:10px;fill:#475569;text-anchor:middle;paint-order:stroke;stroke:#fff;"
    "stroke-width:4px;stroke-linejoin:round}"
    ".a{fill:none;stroke:#94a3b8;stroke-width:1.5}"
)


def draw(picture: Picture) -> str:
    """Boxes where the canvas has them, stretched until none overlap; else in layers."""
    places = _places(picture)
    width = max((x for x, _ in places.values()), default=0) + _WIDTH + 2 * _MARGIN
    height = max((y for _, y in places.values()), default=0) + _HEIGHT + 2 * _MARGIN
    legend = _legend(picture, height - _MARGIN / 2)
    width, height = max(width, 120 * len(legend) + 2 * _MARGIN), height + _LEGEND
    size = f"{_number(width)} {_number(height)}"
    corners = {box.id: places[box.id] for box in picture.boxes}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{_number(width)}" '
        f'height="{_number(height)}" role="img" aria-label="Diagram of a workflow">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" '
        'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#94a3b8"/></marker></defs>',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<g transform="translate({_MARGIN} {_MARGIN})">',
    ]
    lines = [_line(arrow, corners[arrow.source], corners[arrow.target]) for arrow in picture.arrows]
    parts.extend(path for path, _ in lines)
    parts.extend(_card(box, corners[box.id]) for box in picture.boxes)
    parts.extend(label for _, label in lines if label)
    parts.extend(["</g>", *legend, "</svg>"])
    return "\n".join(parts) + "\n"


def _places(picture: Picture) -> dict[str, Point]:
    given = spread({box.id: (box.x, box.y) for box in picture.boxes}, _CELL_APART)
    if given is not None:
        return given
    arrows = [(arrow.source, arrow.target) for arrow in picture.arrows]
    return layered([box.id for box in picture.boxes], arrows, _CELL)


_CELL_APART = Cell(_WIDTH + 40, _HEIGHT + 22)
"""Boxes that people placed may stand closer than those that are laid out."""


def _card(box: Box, corner: Point) -> str:
    x, y = map(_number, corner)
    colours = box.colours
    short = escape(plain(box.title, _TITLE_WIDTH))
    return (
        f'<g transform="translate({x} {y})"><title>{escape(box.kind)} {escape(box.title)}</title>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="10" fill="{colours.fill}" '
        f'stroke="{colours.line}" stroke-width="1.2"/>'
        f'<rect x="10" y="13" width="4" height="{_HEIGHT - 26}" rx="2" fill="{colours.line}"/>'
        f'<text class="t" x="24" y="26">{short}</text>'
        f'<text class="k" x="24" y="43">{escape(box.kind)}</text></g>'
    )


def _line(arrow: Arrow, source: Point, target: Point) -> tuple[str, str]:
    """The curve from one box to the other, and its label in the middle."""
    (x1, y1), (x2, y2) = source, target
    if abs(x2 - x1) >= _WIDTH:
        right = x2 > x1
        start = (x1 + (_WIDTH if right else 0), y1 + _HEIGHT / 2)
        end = (x2 + (0 if right else _WIDTH), y2 + _HEIGHT / 2)
        bend = max(40.0, abs(end[0] - start[0]) / 2) * (1 if right else -1)
        first, second = (start[0] + bend, start[1]), (end[0] - bend, end[1])
    else:
        down = y2 > y1
        start = (x1 + _WIDTH / 2, y1 + (_HEIGHT if down else 0))
        end = (x2 + _WIDTH / 2, y2 + (0 if down else _HEIGHT))
        bend = max(20.0, abs(end[1] - start[1]) / 2) * (1 if down else -1)
        first, second = (start[0], start[1] + bend), (end[0], end[1] - bend)
    points = [_pair(point) for point in (start, first, second, end)]
    path = (
        f'<path class="a" d="M{points[0]}C{points[1]} {points[2]} {points[3]}" '
        'marker-end="url(#arrow)"/>'
    )
    if not arrow.label:
        return path, ""
    x, y = map(_number, _label_place(start, first, second, end))
    return path, f'<text class="l" x="{x}" y="{y}">{escape(arrow.label)}</text>'


def _label_place(start: Point, first: Point, second: Point, end: Point) -> Point:
    """On the curve: half way when the boxes are neighbours, else before the next box."""
    far = abs(end[0] - start[0]) > 2 * _GAP
    low, high = 0.0, 1.0 if far else 0.5
    for _ in range(12 if far else 0):
        middle = (low + high) / 2
        if abs(_on_curve(middle, start, first, second, end)[0] - start[0]) > _GAP / 2:
            high = middle
        else:
            low = middle
    x, y = _on_curve(high, start, first, second, end)
    return x, y + 3


def _on_curve(t: float, start: Point, first: Point, second: Point, end: Point) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    points = (start, first, second, end)
    return (
        sum(w * p[0] for w, p in zip(weights, points, strict=True)),
        sum(w * p[1] for w, p in zip(weights, points, strict=True)),
    )


def _legend(picture: Picture, y: float) -> list[str]:
    """The categories that occur, each with its colour, below the picture."""
    used = {box.category for box in picture.boxes}
    shown: list[tuple[str, Colours]] = [(n, c) for n, c in CATEGORIES.items() if n in used]
    if used - CATEGORIES.keys():
        shown.append(("other", OTHER))
    return [
        f'<g transform="translate({_MARGIN + i * 120} {_number(y + 12)})">'
        f'<rect width="12" height="12" rx="3" fill="{colours.fill}" stroke="{colours.line}"/>'
        f'<text class="k" x="18" y="10">{escape(name)}</text></g>'
        for i, (name, colours) in enumerate(shown)
    ]


def _pair(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
