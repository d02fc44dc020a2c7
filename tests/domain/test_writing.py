"""A canvas as JSON: what is written is read as the same canvas."""

import json

from hypothesis import HealthCheck, given, settings

from app.domain import graph
from app.domain.canvas import Canvas
from app.domain.reading import read_canvas
from app.domain.writing import write_canvas
from tests.domain.anything import canvases
from tests.domain.sketch import box, line, sketch


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(canvases())
def test_what_is_written_is_read_as_it_was(canvas: Canvas) -> None:
    sound = {link.edge for links in graph.links(canvas)[0].values() for link in links}
    edges = [edge for id_, edge in canvas.edges.items() if id_ in sound]
    stored = graph.unwire(Canvas.of(canvas.nodes.values(), edges))
    assert read_canvas(json.loads(json.dumps(write_canvas(stored)))) == stored


def test_names_are_the_apis_and_only_what_was_said_is_written() -> None:
    front = box("service", "front", service_type="NodePort", ports=[{"port": 80, "name": "web"}])
    drawn = sketch(front, box("deployment", "web", image="nginx:1.29"), line("front", "web"))
    assert write_canvas(drawn) == {
        "nodes": [
            {
                "id": "front",
                "type": "SERVICE",
                "position": {"x": 0.0, "y": 0.0},
                "data": {
                    "name": "front",
                    "serviceType": "NODE_PORT",
                    "port": 80,
                    "ports": [{"name": "web", "port": 80}],
                },
            },
            {
                "id": "web",
                "type": "DEPLOYMENT",
                "position": {"x": 0.0, "y": 0.0},
                "data": {"name": "web", "image": "nginx:1.29"},
            },
        ],
        "edges": [{"id": "front-web", "source": "front", "target": "web"}],
    }
