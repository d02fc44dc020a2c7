"""archiveWorkflow: makes a workflow read-only."""

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
class ArchiveWorkflowInput(BaseModel):
    workflow_id: WorkflowId
    expected_revision: AnyRevision = None


@strawberry.type
class ArchiveWorkflowPayload:
    workflow: WorkflowRow = strawberry.field(graphql_type=WorkflowType)


ArchiveWorkflowResult = Annotated[
    ArchiveWorkflowPayload
    | RevisionConflict
    | Conflict
    | ValidationError
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("ArchiveWorkflowResult"),
]


@strawberry.mutation(description="Makes it read-only until it is published again.")
async def archive_workflow(info: Info, input: ArchiveWorkflowInput) -> ArchiveWorkflowResult:
    workflow = await info.context.services.workflows.archive(
        info.context.signed_in(), input.workflow_id, expected=input.expected_revision
    )
    return ArchiveWorkflowPayload(workflow=workflow)
