"""deleteWorkflow: puts a workflow into the bin."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.workflow import WorkflowRow
from schema.context import Info
from schema.errors import (
    Conflict,
    Forbidden,
    NotFound,
    RevisionConflict,
    Unauthenticated,
    ValidationError,
)
from schema.workflow.inputs import AnyRevision, WorkflowId
from schema.workflow.types import WorkflowType


@strawberry.pydantic.input
class DeleteWorkflowInput(BaseModel):
    workflow_id: WorkflowId
    expected_revision: AnyRevision = None


@strawberry.type
class DeleteWorkflowPayload:
    workflow: WorkflowRow = strawberry.field(graphql_type=WorkflowType)


DeleteWorkflowResult = Annotated[
    DeleteWorkflowPayload
    | RevisionConflict
    | Conflict
    | ValidationError
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("DeleteWorkflowResult"),
]


@strawberry.mutation(description="Puts it into the bin; `restoreWorkflow` takes it back out.")
async def delete_workflow(info: Info, input: DeleteWorkflowInput) -> DeleteWorkflowResult:
    workflow = await info.context.services.workflows.delete(
        info.context.signed_in(), input.workflow_id, expected=input.expected_revision
    )
    return DeleteWorkflowPayload(workflow=workflow)
