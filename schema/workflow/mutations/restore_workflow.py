"""restoreWorkflow: takes a workflow out of the bin."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.workflow import WorkflowRow
from schema.context import Info
from schema.errors import Conflict, NotFound, RevisionConflict, Unauthenticated, ValidationError
from schema.workflow.inputs import AnyRevision, WorkflowId
from schema.workflow.types import WorkflowType


@strawberry.pydantic.input
class RestoreWorkflowInput(BaseModel):
    workflow_id: WorkflowId
    expected_revision: AnyRevision = None


@strawberry.type
class RestoreWorkflowPayload:
    workflow: WorkflowRow = strawberry.field(graphql_type=WorkflowType)


RestoreWorkflowResult = Annotated[
    RestoreWorkflowPayload
    | RevisionConflict
    | Conflict
    | ValidationError
    | NotFound
    | Unauthenticated,
    strawberry.union("RestoreWorkflowResult"),
]


@strawberry.mutation(description="Takes it back out of the bin.")
async def restore_workflow(info: Info, input: RestoreWorkflowInput) -> RestoreWorkflowResult:
    workflow = await info.context.services.workflows.restore(
        info.context.signed_in(), input.workflow_id, expected=input.expected_revision
    )
    return RestoreWorkflowPayload(workflow=workflow)
