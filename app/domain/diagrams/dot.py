"""DOT, the language of Graphviz."""

from app.domain.diagrams.picture import Picture


def draw(picture: Picture) -> str:
    """A directed graph from left to right."""
    ids = {box.id: f"n{i}" for i, box in enumerate(picture.boxes, 1)}
    lines = [
        "digraph workflow {",
        '  graph [rankdir=LR, nodesep=0.3, ranksep=1, fontname="Helvetica"];',
        '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];',
        '  edge [color="#64748b", fontname="Helvetica", fontsize=9, fontcolor="#475569"];',
    ]
    for box in picture.boxes:
        colours = box.colours
        label = f"{_escaped(box.title)}\\n{_escaped(box.kind)}"
        lines.append(
            f'  {ids[box.id]} [label="{label}", fillcolor="{colours.fill}", '
            f'color="{colours.line}"];'
        )
    for arrow in picture.arrows:
        label = f' [label="{_escaped(arrow.label)}"]' if arrow.label else ""
        lines.append(f"  {ids[arrow.source]} -> {ids[arrow.target]}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _escaped(text: str) -> str:
    """Inside quotes: `\\N` and its like would be replaced, and `&lt;` would be read as `<`."""
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
