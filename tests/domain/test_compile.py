"""What holds for every canvas that can be saved."""

import json
import random
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.domain.canvas import Canvas
from app.domain.compile import Manifest, Wave, compile
from app.domain.problems import Severity, problems
from app.domain.rendering import to_json, to_yaml
from tests.domain import apiserver
from tests.domain.anything import canvases

modest = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def compiled(canvas: Canvas) -> list[Manifest]:
    return compile(canvas, workflow_id="65f0", workflow_name="Ünser Shop!", namespace="shop")


@modest
@given(canvases())
def test_every_object_is_one_that_an_api_server_accepts(canvas: Canvas) -> None:
    for manifest in compiled(canvas):
        for version in (apiserver.OLDEST, apiserver.NEWEST):
            assert apiserver.refusals(manifest.object, version) == []


@modest
@given(canvases(), st.randoms(use_true_random=False))
def test_the_order_of_nodes_and_edges_means_nothing(canvas: Canvas, chance: random.Random) -> None:
    nodes, edges = list(canvas.nodes.values()), list(canvas.edges.values())
    expected = compiled(canvas)
    assert compiled(canvas) == expected
    chance.shuffle(nodes)
    chance.shuffle(edges)
    assert compiled(Canvas.of(nodes, edges)) == expected


@modest
@given(canvases())
def test_what_is_written_is_read_as_it_was(canvas: Canvas) -> None:
    manifests = compiled(canvas)
    objects = [manifest.object for manifest in manifests]
    assert list(yaml.safe_load_all(to_yaml(manifests))) == objects
    whole = json.loads(to_json(manifests))
    assert whole == {"apiVersion": "v1", "kind": "List", "items": objects}


@modest
@given(canvases())
def test_no_object_twice_and_every_wave_in_turn(canvas: Canvas) -> None:
    manifests = compiled(canvas)
    identities = [manifest.identity for manifest in manifests]
    assert len(set(identities)) == len(identities)
    waves = [manifest.wave for manifest in manifests]
    assert waves == sorted(waves)
    assert set(waves) <= set(Wave)
    assert {manifest.node_id for manifest in manifests} <= canvas.nodes.keys()


@modest
@given(canvases())
def test_what_cannot_be_made_is_reported(canvas: Canvas) -> None:
    made = {manifest.node_id for manifest in compiled(canvas)}
    reported = {
        p.node_id for p in problems(canvas, namespace="shop") if p.severity is Severity.ERROR
    }
    assert canvas.nodes.keys() - made <= reported


@modest
@given(canvases(), st.data())
def test_a_rename_changes_names_and_nothing_else(canvas: Canvas, data: st.DataObject) -> None:
    assume(canvas.nodes)
    node = data.draw(st.sampled_from(list(canvas.nodes.values())))

    def named(name: str) -> list[str]:
        again = node.having(data=node.data.having(name=name))
        nodes = [again if other is node else other for other in canvas.nodes.values()]
        return [json.dumps(m.object) for m in compiled(Canvas.of(nodes, canvas.edges.values()))]

    before = [text.replace("old-name", "new-name") for text in named("old-name")]
    assert sorted(before) == sorted(named("new-name"))


@modest
@given(canvases())
def test_a_canvas_is_not_changed_by_being_compiled(canvas: Canvas) -> None:
    before = {id_: node.model_dump_json() for id_, node in canvas.nodes.items()}
    for manifest in compiled(canvas):
        _spoil(manifest.object)
    assert {id_: node.model_dump_json() for id_, node in canvas.nodes.items()} == before


def _spoil(value: Any) -> None:
    """Changes everything that can be changed in place."""
    if isinstance(value, dict):
        for item in value.values():
            _spoil(item)
        value.clear()
    elif isinstance(value, list):
        for item in value:
            _spoil(item)
        value.clear()
