"""What stands in the way of a deploy, or will surprise after it; each with what to do about it.

A problem that is a plain error of a field is refused when it is written (`app/domain/fields.py`).
Here is what only shows when the whole canvas is looked at.
"""

from collections.abc import Callable, Iterable

from app.domain.canvas import Canvas
from app.domain.graph import check
from app.domain.problems import network, plugins, references, routes, scaling, schedules, storage
from app.domain.problems.scene import Problem, ProblemCode, Scene, Severity

_CHECKS: tuple[Callable[[Scene], Iterable[Problem]], ...] = (
    references.names,
    references.namespaces,
    references.reserved_labels,
    references.headless_services,
    references.contradictions,
    network.targets,
    network.ports,
    network.node_ports,
    network.probes,
    network.policies,
    routes.backends,
    routes.paths,
    routes.certificates,
    scaling.targets,
    scaling.rivals,
    scaling.limits,
    scaling.disks,
    storage.mounts,
    storage.keys,
    storage.claims,
    schedules.runs,
    plugins.resources,
)


def problems(canvas: Canvas, *, namespace: str = "default") -> list[Problem]:
    """Every problem of the canvas, errors first, in a stable order.

    `namespace` is where nodes go that name none: the workflow's own.
    """
    found = [
        Problem(
            code=problem.code,
            message=problem.message,
            node_id=_source(canvas, problem.path[1]),
            path=problem.path,
            severity=Severity.ERROR,
        )
        for problem in check(canvas)
    ]
    scene = Scene.of(canvas, namespace)
    for look in _CHECKS:
        found.extend(look(scene))
    place = {node: i for i, node in enumerate(canvas.nodes)}
    return sorted(found, key=lambda p: (p.severity.rank, place.get(p.node_id or "", -1)))


def _source(canvas: Canvas, edge: str) -> str | None:
    """The node where a refused edge starts, if it is there: the one to show the problem at."""
    source = canvas.edges[edge].source
    return source if source in canvas.nodes else None


__all__ = ["Problem", "ProblemCode", "Severity", "problems"]
