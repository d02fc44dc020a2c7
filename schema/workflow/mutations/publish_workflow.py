"""publishWorkflow: lets a workflow deploy."""

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
class PublishWorkflowInput(BaseModel):
    workflow_id: WorkflowId
    expected_revision: AnyRevision = None


@strawberry.type
class PublishWorkflowPayload:
    workflow: WorkflowRow = strawberry.field(graphql_type=WorkflowType)


PublishWorkflowResult = Annotated[
    PublishWorkflowPayload
    | RevisionConflict
    | Conflict
    | ValidationError
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("PublishWorkflowResult"),
]


@strawberry.mutation(description="Lets it deploy; one that is published stays so.")
async def publish_workflow(info: Info, input: PublishWorkflowInput) -> PublishWorkflowResult:
    workflow = await info.context.services.workflows.publish(
        info.context.signed_in(), input.workflow_id, expected=input.expected_revision
    )
    return PublishWorkflowPayload(workflow=workflow)
