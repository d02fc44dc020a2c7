"""saveCanvas: replaces the whole canvas."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.workflow import Workflow
from schema.context import Info
from schema.errors import (
    Forbidden,
    LimitExceeded,
    NotFound,
    RevisionConflict,
    Unauthenticated,
    ValidationError,
)
from schema.nodes import EdgeInput, NodeInput
from schema.workflow.inputs import ExpectedRevision, WorkflowId
from schema.workflow.types import WorkflowType


@strawberry.pydantic.input
class SaveCanvasInput(BaseModel):
    workflow_id: WorkflowId
    expected_revision: ExpectedRevision
    nodes: list[NodeInput]
    edges: list[EdgeInput]


@strawberry.type
class SaveCanvasPayload:
    workflow: Workflow = strawberry.field(graphql_type=WorkflowType)


SaveCanvasResult = Annotated[
    SaveCanvasPayload
    | RevisionConflict
    | ValidationError
    | LimitExceeded
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("SaveCanvasResult"),
]


@strawberry.mutation(
    description="Replaces all nodes and edges; all of it, or nothing. What is left out of a node's "
    "data gets its default."
)
async def save_canvas(info: Info, input: SaveCanvasInput) -> SaveCanvasResult:
    workflow = await info.context.services.workflows.save_canvas(
        info.context.signed_in(),
        input.workflow_id,
        [node.draft() for node in input.nodes],
        [edge.draft() for edge in input.edges],
        expected=input.expected_revision,
    )
    return SaveCanvasPayload(workflow=workflow)
