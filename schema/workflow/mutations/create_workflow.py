"""createWorkflow: draws a new draft."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.workflow import Workflow
from app.services.workflows import WorkflowDraft
from schema.context import Info
from schema.errors import LimitExceeded, NotFound, Unauthenticated, ValidationError
from schema.nodes import EdgeInput, NodeInput
from schema.workflow.inputs import Description, Name, NamespaceName, OptionalCluster, Tags
from schema.workflow.types import WorkflowType


@strawberry.pydantic.input
class CreateWorkflowInput(BaseModel):
    name: Name
    description: Description = ""
    cluster_id: OptionalCluster = None
    namespace: NamespaceName = "default"
    tags: Tags = Field(default_factory=list)
    nodes: list[NodeInput] = Field(default_factory=list)
    edges: list[EdgeInput] = Field(default_factory=list)


@strawberry.type
class CreateWorkflowPayload:
    workflow: Workflow = strawberry.field(graphql_type=WorkflowType)


CreateWorkflowResult = Annotated[
    CreateWorkflowPayload | ValidationError | LimitExceeded | NotFound | Unauthenticated,
    strawberry.union("CreateWorkflowResult"),
]


@strawberry.mutation(description="Makes a draft of the caller's own.")
async def create_workflow(info: Info, input: CreateWorkflowInput) -> CreateWorkflowResult:
    draft = WorkflowDraft(
        name=input.name,
        description=input.description,
        cluster_id=input.cluster_id,
        namespace=input.namespace,
        tags=input.tags,
        nodes=[node.draft() for node in input.nodes],
        edges=[edge.draft() for edge in input.edges],
    )
    actor = info.context.signed_in()
    return CreateWorkflowPayload(
        workflow=await info.context.services.workflows.create(actor, draft)
    )
