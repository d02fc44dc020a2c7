"""How long a canvas takes to become manifests, and whether the time grows as the canvas does.

`python -m bench.compile` compiles applications of ten nodes and twenty edges each, and ends with 1
when 1,000 nodes with 2,000 edges take 100 ms or more, or over 12 times as long as 100 nodes.
"""

import gc
import sys
import time
from collections.abc import Callable, Iterator

from app.domain.canvas import Canvas, Edge
from app.domain.compile import Manifest, compile
from app.domain.diagrams import DiagramFormat, diagram
from app.domain.node import WorkflowNode
from app.domain.nodes import read_node
from app.domain.rendering import to_json, to_yaml

LIMIT = 0.100
RATIO = 12
ROUNDS = 15

PROBE = {"http_get": {"path": "/ready"}, "initial_delay_seconds": 0}
RESOURCES = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "0.5"}}
NODES = {
    "web": (
        "deployment",
        {"image": "nginx", "port": 80, "env": {"A": "1"}, "resources": RESOURCES},
    ),
    "db": ("statefulset", {"image": "postgres:17", "port": 5432, "readiness_probe": PROBE}),
    "cron": ("cronjob", {"image": "busybox", "schedule": "@daily"}),
    "svc": ("service", {"port": 80}),
    "edge": ("ingress", {"paths": [{"id": f"p{i}", "path": f"/{i}"} for i in range(3)]}),
    "cfg": ("configmap", {"data": {"a": "b", "c": "d\ne\n"}}),
    "sec": ("secret", {"keys": [{"name": "k"}]}),
    "disk": ("persistentvolumeclaim", {"storage": "1Gi"}),
    "hpa": ("hpa", {"max_replicas": 3}),
    "net": ("networkpolicy", {"ingress_rules": [{"id": "r"}]}),
}
EDGES = [
    ("svc", "web", None),
    *(("edge", "svc", f"p{i}") for i in range(3)),
    *((source, target, None) for source in ("cfg", "sec") for target in ("web", "db", "cron")),
    *(("disk", "web", None), ("disk", "db", None), ("hpa", "web", None)),
    *(("net", "web", None), ("net", "db", None), ("net", "web", "r"), ("net", "db", "r")),
]
"""Seventeen; three more lead to the next application."""


def drawn(applications: int) -> Canvas:
    """A canvas of ten nodes and twenty edges per application."""

    def nodes() -> Iterator[WorkflowNode]:
        for i in range(applications):
            for name, (kind, data) in NODES.items():
                id_ = f"a{i}-{name}"
                yield read_node({"id": id_, "type": kind, "data": {"name": id_, **data}})

    def edges() -> Iterator[Edge]:
        for i in range(applications):
            ends = [(f"a{i}-{a}", f"a{i}-{b}", handle) for a, b, handle in EDGES]
            onward = (i + 1) % applications
            ends += [(f"a{i}-cfg", f"a{onward}-{b}", None) for b in ("web", "db", "cron")]
            for j, (source, target, handle) in enumerate(ends):
                yield Edge(id=f"e{i}-{j}", source=source, target=target, source_handle=handle)

    return Canvas.of(nodes(), edges())


def compiled(canvas: Canvas) -> list[Manifest]:
    return compile(canvas, workflow_id="65f0", workflow_name="bench", namespace="bench")


def measured(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some rounds; the collector of garbage waits, as in `timeit`."""
    times = []
    for _ in range(ROUNDS):
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
        gc.enable()
    return min(times)


def main() -> int:
    """Print the times; 1 when one is over its limit."""
    small, large = drawn(10), drawn(100)
    assert (len(large.nodes), len(large.edges)) == (1_000, 2_000)
    few = measured(lambda: compiled(small))
    many = measured(lambda: compiled(large))
    print(f"compile    100 nodes,   200 edges  {few * 1e3:7.1f} ms")
    print(f"compile  1,000 nodes, 2,000 edges  {many * 1e3:7.1f} ms  {many / few:4.1f} times")
    manifests = compiled(large)
    for name, work in (
        ("YAML", lambda: to_yaml(manifests)),
        ("JSON", lambda: to_json(manifests)),
        *((f.name, lambda f=f: diagram(large, f)) for f in DiagramFormat),
    ):
        print(f"{name:8} {len(manifests)} objects, 1,000 nodes  {measured(work) * 1e3:7.1f} ms")
    return int(many >= LIMIT or many / few > RATIO)


if __name__ == "__main__":
    sys.exit(main())
