"""updateWorkflow: changes the metadata."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.ids import Id
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
from schema.workflow.inputs import AnyRevision, Description, Name, NamespaceName, Tags, WorkflowId
from schema.workflow.types import WorkflowType


@strawberry.pydantic.input(description="What is left out stays; a null clusterId chooses none.")
class UpdateWorkflowInput(BaseModel):
    workflow_id: WorkflowId
    expected_revision: AnyRevision = None
    name: Annotated[strawberry.Maybe[Name], strawberry.field(description="1 to 200 characters.")]
    description: Annotated[
        strawberry.Maybe[Description], strawberry.field(description="At most 5,000 characters.")
    ]
    cluster_id: Annotated[
        strawberry.Maybe[Id | None],
        strawberry.field(description="A cluster that the caller sees; null chooses none."),
    ]
    namespace: Annotated[
        strawberry.Maybe[NamespaceName],
        strawberry.field(description="Where nodes without a namespace of their own go."),
    ]
    tags: Annotated[
        strawberry.Maybe[Tags],
        strawberry.field(description="At most 50, of 64 characters each; each once."),
    ]

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
    | Conflict
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
