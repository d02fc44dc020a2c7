"""Mermaid: a flowchart that documentation sites and code hosts draw by themselves."""

import re

from app.domain.diagrams.picture import CATEGORIES, OTHER, Picture

_UNSAFE = re.compile(r"[^A-Za-z0-9 _./:…→-]")


def draw(picture: Picture) -> str:
    """A flowchart from left to right, a class per category."""
    ids = {box.id: f"n{i}" for i, box in enumerate(picture.boxes, 1)}
    lines = ["flowchart LR"]
    for box in picture.boxes:
        style = box.category if box.category in CATEGORIES else "other"
        title, kind = _escaped(box.title), _escaped(box.kind)
        lines.append(f'  {ids[box.id]}["<b>{title}</b><br/>{kind}"]:::{style}')
    for arrow in picture.arrows:
        label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
        lines.append(f"  {ids[arrow.source]} -->{label} {ids[arrow.target]}")
    used = {box.category for box in picture.boxes}
    for name, colours in CATEGORIES.items():
        if name in used:
            lines.append(_style(name, colours.fill, colours.line))
    if used - CATEGORIES.keys():
        lines.append(_style("other", OTHER.fill, OTHER.line))
    return "\n".join(lines) + "\n"


def _style(name: str, fill: str, line: str) -> str:
    return f"  classDef {name} fill:{fill},stroke:{line},color:#0f172a"


def _escaped(text: str) -> str:
    """Every character that means something to Mermaid, to HTML or to Markdown, by its number."""
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};", text)
