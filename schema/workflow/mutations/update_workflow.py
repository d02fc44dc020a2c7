"""updateWorkflow: changes the metadata."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.workflow import WorkflowRow
from schema.context import Info
from schema.errors import Forbidden, NotFound, RevisionConflict, Unauthenticated, ValidationError
from schema.workflow.inputs import (
    ClusterId,
    Description,
    ExpectedRevision,
    Name,
    NamespaceName,
    Tags,
    WorkflowId,
)
from schema.workflow.types import WorkflowType


@strawberry.pydantic.input(description="What is left out stays; a null clusterId chooses none.")
class UpdateWorkflowInput(BaseModel):
    workflow_id: WorkflowId
    expected_revision: ExpectedRevision | None = None
    name: strawberry.Maybe[Name]
    description: strawberry.Maybe[Description]
    cluster_id: strawberry.Maybe[ClusterId | None]
    namespace: strawberry.Maybe[NamespaceName]
    tags: strawberry.Maybe[Tags]

    def fields(self) -> dict[str, object]:
        """What was given, by name."""
        return self.model_dump(
            include={"name", "description", "cluster_id", "namespace", "tags"}, exclude_unset=True
        )


@strawberry.type
class UpdateWorkflowPayload:
    workflow: WorkflowRow = strawberry.field(graphql_type=WorkflowType)


UpdateWorkflowResult = Annotated[
    UpdateWorkflowPayload
    | RevisionConflict
    | ValidationError
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("UpdateWorkflowResult"),
]


@strawberry.mutation(description="Changes the name, description, cluster, namespace or tags.")
async def update_workflow(info: Info, input: UpdateWorkflowInput) -> UpdateWorkflowResult:
    workflow = await info.context.services.workflows.update(
        info.context.signed_in(),
        input.workflow_id,
        input.fields(),
        expected=input.expected_revision,
    )
    return UpdateWorkflowPayload(workflow=workflow)
