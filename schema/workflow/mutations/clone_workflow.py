"""cloneWorkflow: a copy to go on from."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.workflow import Workflow
from schema.context import Info
from schema.errors import NotFound, Unauthenticated, ValidationError
from schema.workflow.inputs import OptionalName, WorkflowId
from schema.workflow.types import WorkflowType


@strawberry.pydantic.input(description="Without a name, the copy is named after its source.")
class CloneWorkflowInput(BaseModel):
    workflow_id: WorkflowId
    name: OptionalName = None


@strawberry.type
class CloneWorkflowPayload:
    workflow: Workflow = strawberry.field(graphql_type=WorkflowType)


CloneWorkflowResult = Annotated[
    CloneWorkflowPayload | ValidationError | NotFound | Unauthenticated,
    strawberry.union("CloneWorkflowResult"),
]


@strawberry.mutation(description="Makes a draft with the same canvas and a history of its own.")
async def clone_workflow(info: Info, input: CloneWorkflowInput) -> CloneWorkflowResult:
    workflow = await info.context.services.workflows.clone(
        info.context.signed_in(), input.workflow_id, name=input.name
    )
    return CloneWorkflowPayload(workflow=workflow)
