"""What both imports answer: what was drawn, and what was not carried over."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Annotated, Self, TypeVar

import strawberry
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.domain import graph
from app.domain import problems as finding
from app.domain.canvas import Canvas, Edge
from app.domain.errors import Invalid
from app.domain.importing.imported import ImportCode, Imported, ImportNote
from app.domain.node import WorkflowNode
from app.domain.workflow import Workflow
from app.services.workflows import WorkflowDraft
from schema.context import Info
from schema.nodes import Node
from schema.pricing import CANVAS
from schema.workflow.inputs import (
    Description,
    Name,
    NamespaceName,
    OptionalCluster,
    OptionalName,
    Tags,
)
from schema.workflow.types import ProblemType, WorkflowType

strawberry.enum(ImportCode, name="ImportNoteCode", description=ImportCode.__doc__)

_UNNAMED = "Imported application"
_NAME = TypeAdapter[str](Name)

Preview = Annotated[
    bool, Field(description="Only show what would come of it: no workflow is made.")
]
NameOfImport = Annotated[
    OptionalName, Field(description="Left out: what the source calls itself, if anything.")
]
NamespaceOfImport = Annotated[
    NamespaceName | None, Field(description="Left out: the source's own, else `default`.")
]


@strawberry.type(
    name="ImportNote", description="A part of the source that the canvas does not carry as it was."
)
class ImportNoteType:
    code: ImportCode
    path: list[str] = strawberry.field(description="From the top of the source down to the part.")
    message: str = strawberry.field(description="What happened, and what to do.")
    node_id: str | None = strawberry.field(description="The node that would have carried it.")

    @classmethod
    def of(cls, note: ImportNote) -> Self:
        return cls(code=note.code, path=list(note.path), message=note.message, node_id=note.node_id)


@strawberry.type(description="A canvas as it was read; in a preview it is all there is.")
class ImportedCanvas:
    name: str = strawberry.field(description="What the workflow is, or would be, called.")
    namespace: str
    nodes: Sequence[WorkflowNode] = strawberry.field(graphql_type=list[Node], directives=[CANVAS])
    edges: Sequence[Edge] = strawberry.field(graphql_type=list[Edge], directives=[CANVAS])
    problems: list[ProblemType] = strawberry.field(
        description="What would stand in the way of a deploy."
    )


@strawberry.interface(description="What comes of an import.")
class ImportPayload:
    workflow: Workflow | None = strawberry.field(
        graphql_type=WorkflowType | None, description="The new draft; null in a preview."
    )
    canvas: ImportedCanvas
    notes: list[ImportNoteType] = strawberry.field(
        description="What was not carried over as it was, in the order of the source."
    )


P = TypeVar("P", bound=ImportPayload)


class ImportFields(BaseModel):
    """The input fields that both imports have."""

    name: NameOfImport = None
    description: Description = ""
    cluster_id: OptionalCluster = None
    namespace: NamespaceOfImport = None
    tags: Tags = Field(default_factory=list)
    preview: Preview = False


async def import_as(
    payload: type[P], info: Info, input: ImportFields, read: Awaitable[Imported]
) -> P:
    """Makes a workflow of what is read, unless it is to be looked at only."""
    actor = info.context.signed_in()
    imported = await read
    draft = WorkflowDraft(
        name=input.name or _name(imported),
        description=input.description,
        cluster_id=input.cluster_id,
        namespace=input.namespace or imported.namespace or "default",
        tags=input.tags,
    )
    workflows = info.context.services.workflows
    made = None
    if not input.preview:
        if not imported.canvas.nodes:
            raise Invalid.field(["content"], "Nothing of it can be drawn; a preview says why.")
        made = await workflows.create_drawn(actor, draft, imported.canvas)
    return payload(
        workflow=made,
        canvas=await asyncio.to_thread(_shown, draft, imported.canvas),
        notes=[ImportNoteType.of(note) for note in imported.notes],
    )


def _shown(draft: WorkflowDraft, canvas: Canvas) -> ImportedCanvas:
    found = finding.problems(canvas, namespace=draft.namespace)
    return ImportedCanvas(
        name=draft.name,
        namespace=draft.namespace,
        nodes=list(graph.wire(canvas).nodes.values()),
        edges=list(canvas.edges.values()),
        problems=[ProblemType.of(problem) for problem in found],
    )


def _name(imported: Imported) -> str:
    """What the source calls itself, where a workflow may be called so."""
    try:
        return _NAME.validate_python(imported.name)
    except ValidationError:
        return _UNNAMED
