"""Canvases as manifests without anybody having to wait: a large one is compiled in a thread."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.domain.canvas import Canvas
from app.domain.compile import compile as compile_canvas
from app.domain.manifest import Manifest
from app.domain.problems import Problem, problems
from app.domain.workflow import WorkflowRow

_Made = TypeVar("_Made")

SMALL = 100
"""Nodes, or objects, that take a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """The objects of a canvas, and what is wrong with it."""

    manifests: list[Manifest]
    problems: list[Problem]


async def compiled(canvas: Canvas, *, workflow: WorkflowRow, namespace: str) -> Compiled:
    """What the canvas of a workflow comes to in a namespace."""

    def make() -> Compiled:
        manifests = compile_canvas(
            canvas, workflow_id=workflow.id, workflow_name=workflow.name, namespace=namespace
        )
        return Compiled(manifests, problems(canvas, namespace=namespace))

    return await beside(len(canvas.nodes), make)


async def beside(size: int, make: Callable[[], _Made]) -> _Made:
    """What `make` answers; in a thread when that takes long for so many things."""
    return make() if size <= SMALL else await asyncio.to_thread(make)
