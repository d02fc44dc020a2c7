"""What a canvas becomes is read back as a canvas that becomes the same.

Some things are in no object, and so come from nowhere again: the keys of a Secret (its values are
given at deploy time), a mount path that a ConfigMap or a Secret suggests, the template of a node,
its position, and a node of which nothing is made. That last one can have an effect all the same:
an autoscaler that is the second of its name still decides how many pods a workload has. So the
canvases here are those of which every node makes its object; `test_no_second_reading` has the rest.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.canvas import Canvas
from app.domain.compile import Manifest, compile
from app.domain.editing import Limits
from app.domain.importing.imported import ImportCode, Imported
from app.domain.importing.manifests import read_manifests
from app.domain.rendering import ManifestFormat, render
from tests.domain import anything, canvases, test_golden
from tests.domain.drawing import numbered
from tests.domain.sketch import box, line, sketch

modest = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
formats = st.sampled_from(list(ManifestFormat))
Objects = list[dict[str, Any]]


def compiled(canvas: Canvas, namespace: str = "shop", name: str = "Ünser Shop!") -> list[Manifest]:
    return compile(canvas, workflow_id="65f0", workflow_name=name, namespace=namespace)


def objects(manifests: list[Manifest]) -> Objects:
    return [manifest.object for manifest in manifests]


def read(manifests: list[Manifest], format_: ManifestFormat = ManifestFormat.YAML) -> Imported:
    return read_manifests(render(manifests, format_), limits=Limits(), new_id=numbered())


def again(imported: Imported, name: str = "Ünser Shop!") -> Objects:
    """What the canvas becomes where the source was, as part of the same workflow."""
    return objects(compiled(imported.canvas, imported.namespace or "shop", name))


def whole(canvas: Canvas) -> Canvas:
    """The canvas without the nodes whose own object is not made."""
    while True:
        names = {id_: node.data.name for id_, node in canvas.nodes.items()}
        made = {m.node_id for m in compiled(canvas) if m.name == names[m.node_id]}
        if canvas.nodes.keys() <= made:
            return canvas
        canvas = Canvas.of(
            [node for id_, node in canvas.nodes.items() if id_ in made],
            [edge for edge in canvas.edges.values() if {edge.source, edge.target} <= made],
        )


def untold(imported: Imported) -> list[Any]:
    """The notes that say something of what is there is lost."""
    return [note for note in imported.notes if note.code is not ImportCode.MISSING]


@modest
@given(st.one_of(anything.canvases(), canvases.canvases()).map(whole), formats)
def test_any_canvas(canvas: Canvas, format_: ManifestFormat) -> None:
    manifests = compiled(canvas)
    if not manifests:
        return
    imported = read(manifests, format_)
    assert again(imported) == objects(manifests)
    assert untold(imported) == []
    assert imported.canvas.nodes.keys() == canvas.nodes.keys()


@modest
@given(st.one_of(anything.canvases(), canvases.canvases()))
def test_no_second_reading(canvas: Canvas) -> None:
    """Whatever was lost the first time: what is read once is read for good."""
    manifests = compiled(canvas)
    if not manifests:
        return
    first = compiled(read(manifests).canvas)
    assert again(read(first)) == objects(first)


@pytest.mark.parametrize(
    "case", test_golden.CASES, ids=lambda case: f"{case.parent.name}/{case.stem}"
)
def test_every_golden_case(case: Path) -> None:
    manifests = test_golden.compiled(case)
    drawn = json.loads(case.read_text())
    imported = read(manifests)
    made = compile(
        imported.canvas,
        workflow_id="65f000000000000000000001",
        workflow_name=drawn["name"],
        namespace=imported.namespace or "none",
    )
    assert objects(made) == objects(manifests)
    assert untold(imported) == []


def test_edges_are_drawn_again_and_ids_are_kept() -> None:
    drawn = sketch(
        box("ingress", "entry", paths=[{"id": "a", "path": "/a"}, {"id": "b", "path": "/b"}]),
        box("service", "front"),
        box("service", "db-service", headless=True),
        box("deployment", "web", port=8080, env_keys=[{"name": "TOKEN"}]),
        box("statefulset", "db"),
        box("configmap", "settings"),
        box("secret", "certificate"),
        box("persistentvolumeclaim", "disk"),
        box("hpa", "scale"),
        box("networkpolicy", "wall", ingress_rules=[{"id": "in"}]),
        line("entry", "front", "a"),
        line("entry", "front", "b"),
        line("front", "web"),
        line("db-service", "db"),
        line("settings", "web"),
        line("certificate", "db"),
        line("disk", "web"),
        line("scale", "web"),
        line("wall", "db"),
        line("wall", "web", "in"),
    )
    imported = read(compiled(drawn))

    def ends(canvas: Canvas) -> set[tuple[str, str]]:
        return {(edge.source, edge.target) for edge in canvas.edges.values()}

    assert ends(imported.canvas) == ends(drawn)
    assert len(imported.canvas.edges) == len(drawn.edges)
    assert imported.canvas.nodes.keys() == drawn.nodes.keys()
    assert (imported.name, imported.namespace) == ("unser-shop", "shop")


def test_what_a_node_makes_by_itself_is_no_node_of_its_own() -> None:
    drawn = sketch(box("statefulset", "db", port=5432, env_keys=[{"name": "PASSWORD"}]))
    manifests = compiled(drawn)
    assert [m.kind for m in manifests] == ["Secret", "Service", "StatefulSet"]
    imported = read(manifests)
    assert list(imported.canvas.nodes) == ["db"]
    keys = imported.canvas.nodes["db"].data.env_keys  # type: ignore[attr-defined]
    assert [key.name for key in keys] == ["PASSWORD"]


def test_as_another_workflow_only_its_id_and_name_differ() -> None:
    drawn = sketch(
        box("service", "front"),
        box("deployment", "web", env_keys=[{"name": "TOKEN"}]),
        box("configmap", "settings"),
        line("front", "web"),
    )
    imported = read(compiled(drawn))
    other = compile(
        imported.canvas, workflow_id="65f1", workflow_name="Copy", namespace="elsewhere"
    )
    wanted = compile(drawn, workflow_id="65f1", workflow_name="Copy", namespace="elsewhere")
    # Nothing but a workload shows that the name of the workflow is no label of somebody's.
    assert objects(other) == objects(wanted)


def test_two_workflows_in_one_text_keep_apart() -> None:
    drawn = sketch(box("deployment", "web"), box("service", "front"), line("front", "web"))
    texts = [
        render(
            compile(drawn, workflow_id=id_, workflow_name=id_, namespace=id_), ManifestFormat.YAML
        )
        for id_ in ("one", "two")
    ]
    imported = read_manifests("".join(texts), limits=Limits(), new_id=numbered())
    nodes = imported.canvas.nodes
    assert len(nodes) == 4
    assert {"web", "front"} < nodes.keys()
    pairs = [
        (nodes[e.source].data.namespace, nodes[e.target].data.namespace)
        for e in imported.canvas.edges.values()
    ]
    assert sorted(pairs, key=str) == [("two", "two"), (None, None)]
