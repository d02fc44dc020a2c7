"""Problems in tests: a case is a small canvas and what is found on it."""

from app.domain.canvas import Edge
from app.domain.node import WorkflowNode
from app.domain.problems import problems
from tests.domain.sketch import box, line, sketch

Part = WorkflowNode | Edge
Found = list[tuple[str, str, str | None, str]]
Case = tuple[str, tuple[Part, ...], Found]
"""What the case shows, its canvas, and severity, code, node and path of every problem."""

WEB = box("deployment", "web", port=8080)
FRONT = box("service", "front")
LED = (FRONT, WEB, line("front", "web"))
REQUESTS = {"requests": {"cpu": "100m", "memory": "64Mi"}}
RULE = [{"id": "r"}]


def found(*parts: Part) -> Found:
    """Severity, code, node and path of every problem."""
    return [
        (p.severity.value, p.code, p.node_id, ".".join(p.path)) for p in problems(sketch(*parts))
    ]
