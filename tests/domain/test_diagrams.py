"""Diagrams: what they show, that a name stays a name in them, and that no boxes overlap."""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.canvas import Canvas
from app.domain.diagrams import DiagramFormat, diagram
from app.domain.diagrams.picture import Box, Picture, plain
from app.domain.diagrams.svg import draw as draw_svg
from tests.domain.anything import canvases
from tests.domain.sketch import box, line, sketch

modest = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SHOP = sketch(
    box("ingress", "edge", host="shop.example.com", paths=[{"id": "p", "path": "/a"}]),
    box("service", "front", port=80),
    box("deployment", "web", port=8080),
    box("configmap", "settings", mount_path="/etc/shop"),
    box("hpa", "scale", max_replicas=5),
    box("networkpolicy", "guard", ingress_rules=[{"id": "r"}]),
    line("edge", "front", "p"),
    line("front", "web"),
    line("settings", "web"),
    line("scale", "web"),
    line("guard", "web", "r"),
)
LABELS = ["shop.example.com/a", "80 → 8080", "/etc/shop", "1 to 5 pods", "allows from"]
EVIL = [
    '"]; evil',
    "<script>alert(1)</script>",
    "</text><image href=x />",
    "&lt;b&gt;",
    "]]>",
    "%%{init: {}}%%",
    "x\nend\nclick n1 evil",
    "\\N\\G",
    "`markdown`",
    "\x00\x1b[31m\u202e",
    "\uffff\ud800".encode("utf-8", "ignore").decode(),
    "{{{((([[[",
    "#quot;",
]


@dataclass
class Drawn:
    """An SVG as a strict parser reads it. Declarations are refused: they can name other files."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, svg: str) -> "Drawn":
        drawn = cls()
        parser = expat.ParserCreate("utf-8")
        parser.StartDoctypeDeclHandler = drawn._refuse
        parser.ProcessingInstructionHandler = drawn._refuse
        parser.StartElementHandler = lambda name, attributes: drawn.elements.append(
            (name, attributes)
        )
        parser.CharacterDataHandler = drawn.texts.append
        parser.Parse(svg.encode(), True)
        return drawn

    def _refuse(self, *what: object) -> None:
        raise AssertionError(what)

    def corners(self) -> list[tuple[float, float]]:
        """Where the boxes are: the groups that have a title."""
        found = []
        for (name, attributes), (following, _) in zip(
            self.elements, self.elements[1:], strict=False
        ):
            if (name, following) == ("g", "title"):
                x, y = attributes["transform"][len("translate(") : -1].split(" ")
                found.append((float(x), float(y)))
        return found


def named(name: str) -> Picture:
    boxes = (Box("a", name, name, "workload", 0, 0), Box("b", "b", "Job", name, 0, 0))
    return Picture(boxes, ())


def overlaps(corners: list[tuple[float, float]]) -> bool:
    return any(
        abs(x - u) < 210 and abs(y - v) < 58
        for i, (x, y) in enumerate(corners)
        for u, v in corners[:i]
    )


def test_mermaid() -> None:
    assert diagram(
        sketch(box("job", "a"), box("secret", "b"), line("b", "a")), DiagramFormat.MERMAID
    ) == (
        "flowchart LR\n"
        '  n1["<b>a</b><br/>Job"]:::workload\n'
        '  n2["<b>b</b><br/>Secret"]:::configuration\n'
        '  n2 -->|"/etc/secrets"| n1\n'
        "  classDef workload fill:#ecfdf5,stroke:#059669,color:#0f172a\n"
        "  classDef configuration fill:#fffbeb,stroke:#d97706,color:#0f172a\n"
    )


def test_dot() -> None:
    drawn = diagram(sketch(box("job", "a"), box("secret", "b"), line("b", "a")), DiagramFormat.DOT)
    assert drawn.splitlines()[4:] == [
        '  n1 [label="a\\nJob", fillcolor="#ecfdf5", color="#059669"];',
        '  n2 [label="b\\nSecret", fillcolor="#fffbeb", color="#d97706"];',
        '  n2 -> n1 [label="/etc/secrets"];',
        "}",
    ]


@pytest.mark.parametrize("format_", DiagramFormat)
def test_every_box_and_what_every_edge_says(format_: DiagramFormat) -> None:
    drawn = diagram(SHOP, format_)
    for text in [*(node.data.name for node in SHOP.nodes.values()), *LABELS]:
        assert text in drawn


@pytest.mark.parametrize("format_", DiagramFormat)
def test_an_empty_canvas_is_an_empty_picture(format_: DiagramFormat) -> None:
    assert diagram(Canvas(), format_).count("\n") < 12


def test_svg_is_one_file_without_scripts_or_links() -> None:
    drawn = Drawn.of(diagram(SHOP, DiagramFormat.SVG))
    assert {name for name, _ in drawn.elements} <= {
        "svg", "style", "defs", "marker", "path", "rect", "g", "text", "title",
    }  # fmt: skip
    attributes = {name for _, given in drawn.elements for name in given}
    assert not {name for name in attributes if name.startswith("on") or "href" in name}


@modest
@given(canvases())
def test_any_canvas_can_be_drawn_and_no_boxes_overlap(canvas: Canvas) -> None:
    drawn = Drawn.of(diagram(canvas, DiagramFormat.SVG))
    corners = drawn.corners()
    assert len(corners) == len(canvas.nodes)
    assert not overlaps(corners)
    shuffled = Canvas.of(reversed(canvas.nodes.values()), reversed(canvas.edges.values()))
    for format_ in DiagramFormat:
        assert diagram(shuffled, format_) == diagram(canvas, format_)


@given(st.one_of(st.sampled_from(EVIL), st.text()))
def test_a_name_stays_a_name_in_svg(name: str) -> None:
    drawn = Drawn.of(draw_svg(named(plain(name, 40))))
    assert {element for element, _ in drawn.elements} <= {
        "svg", "style", "defs", "marker", "path", "rect", "g", "text", "title",
    }  # fmt: skip
    assert plain(plain(name, 40), 24) in "".join(drawn.texts)


@pytest.mark.parametrize("name", EVIL)
def test_a_name_stays_a_name_in_mermaid_and_dot(name: str) -> None:
    canvas = sketch(
        box("ingress", "a", paths=[{"id": "p", "path": "/"}]), box("service", "b"), line("a", "b")
    )
    boxes = [node.having(data=node.data.having(name=name)) for node in canvas.nodes.values()]
    evil = Canvas.of(boxes, canvas.edges.values())
    mermaid = diagram(evil, DiagramFormat.MERMAID)
    calm = r'(  n\d\["<b>[\w ./:…#;→-]*</b><br/>\w+"\]:::\w+|  n\d -->\|"[^"\[\]{}()]*"\| n\d)'
    for written in mermaid.splitlines()[1:]:
        assert re.fullmatch(calm, written) or written.startswith("  classDef network fill:#")
    dot = diagram(evil, DiagramFormat.DOT)
    calm = r'  n\d (?:-> n\d )?\[label="(?:[^"\\\n]|\\\\|\\"|\\n)*"(?:, \w+="#\w+")*\];'
    for written in dot.splitlines()[4:-1]:
        assert re.fullmatch(calm, written), written


def test_places_are_kept_where_people_put_them() -> None:
    left, right = box("service", "a"), box("deployment", "b")
    canvas = sketch(
        left.having(position=left.position.having(x=-500, y=40)),
        right.having(position=right.position.having(x=100, y=90)),
        line("a", "b"),
    )
    assert Drawn.of(diagram(canvas, DiagramFormat.SVG)).corners() == [(0, 0), (500, 50)]


def test_boxes_in_one_place_are_laid_out_in_layers() -> None:
    canvas = sketch(
        *(box("ingress", "a"), box("service", "b"), box("deployment", "c"), box("job", "d")),
        *(line("a", "b"), line("b", "c")),
    )
    a, b, c, d = Drawn.of(diagram(canvas, DiagramFormat.SVG)).corners()
    assert a[0] < b[0] < c[0]
    assert a[1] == b[1] == c[1] < d[1]


@pytest.mark.parametrize("count", [5, 200])
def test_a_large_picture_stays_compact(count: int) -> None:
    """About as wide as high, however many boxes there are."""
    boxes = [box("deployment", f"n{i}") for i in range(count)]
    drawn = Drawn.of(diagram(sketch(*boxes), DiagramFormat.SVG))
    width, height = (float(drawn.elements[0][1][side]) for side in ("width", "height"))
    assert not overlaps(drawn.corners())
    assert 0.4 < width / height < 6


def test_a_wide_text_is_cut_at_its_width() -> None:
    assert plain("x" * 24, 24) == "x" * 24
    assert plain("x" * 25, 24) == "x" * 23 + "…"
    assert plain("日本語日本語", 8) == "日本語…"
    assert plain("a\u202eb", 8) == "a�b"
