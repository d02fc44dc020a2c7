"""A workflow as text: what it becomes on a cluster, and what it looks like."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import strawberry

from app.domain import compile as compiling
from app.domain.canvas import Canvas
from app.domain.diagrams import DiagramFormat, diagram
from app.domain.rendering import ManifestFormat, render
from app.domain.workflow import WorkflowRow

strawberry.enum(ManifestFormat, description=ManifestFormat.__doc__)
strawberry.enum(DiagramFormat, description=DiagramFormat.__doc__)

ManifestFormatArgument = Annotated[
    ManifestFormat, strawberry.argument(name="format", description="YAML or JSON.")
]
DiagramFormatArgument = Annotated[
    DiagramFormat, strawberry.argument(name="format", description="MERMAID, DOT or SVG.")
]

_SMALL = 100
"""Nodes that take a few milliseconds. A larger canvas is written in a thread: everything else that
this process answers would wait for it."""


async def manifests(workflow: WorkflowRow, canvas: Canvas, format_: ManifestFormat) -> str:
    """The workflow's objects in a format, in the order in which they are applied."""

    def write() -> str:
        made = compiling.compile(
            canvas,
            workflow_id=workflow.id,
            workflow_name=workflow.name,
            namespace=workflow.namespace,
        )
        return render(made, format_)

    return await _written(canvas, write)


async def drawing(canvas: Canvas, format_: DiagramFormat) -> str:
    """The workflow's picture in a format."""
    return await _written(canvas, lambda: diagram(canvas, format_))


async def _written(canvas: Canvas, write: Callable[[], str]) -> str:
    if len(canvas.nodes) <= _SMALL:
        return write()
    return await asyncio.to_thread(write)
