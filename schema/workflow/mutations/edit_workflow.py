"""editWorkflow: a batch of small operations, as one revision."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field
from strawberry.types.maybe import Some

from app.domain import editing
from app.domain.node import Position
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
from schema.nodes import (
    EdgeInput,
    NodeDataInput,
    NodeInput,
    PositionInput,
    given_data,
    given_position,
)
from schema.workflow.inputs import ExpectedRevision, WorkflowId
from schema.workflow.types import WorkflowType


@strawberry.pydantic.input(
    description="New data for a node, of the same kind, or a new position. The data replaces what "
    "was there: a field that is left out gets its default."
)
class UpdateNodeInput(BaseModel):
    id: str
    data: NodeDataInput | None = None
    position: PositionInput | None = None

    def operation(self) -> editing.UpdateNode:
        return editing.UpdateNode(
            id=self.id,
            data=given_data(self.data) if self.data is not None else None,
            position=given_position(self.position),
        )


@strawberry.pydantic.input
class MoveNodeInput(BaseModel):
    id: str
    position: PositionInput

    def operation(self) -> editing.MoveNode:
        return editing.MoveNode(id=self.id, position=Position(x=self.position.x, y=self.position.y))


@strawberry.pydantic.input(description="The edges that end at the node go with it.")
class RemoveNodeInput(BaseModel):
    id: str


@strawberry.pydantic.input
class RemoveEdgeInput(BaseModel):
    id: str


@strawberry.pydantic.input(one_of=True, description="One change of the canvas.")
class CanvasOperationInput(BaseModel):
    add_node: strawberry.Maybe[NodeInput]
    update_node: strawberry.Maybe[UpdateNodeInput]
    move_node: strawberry.Maybe[MoveNodeInput]
    remove_node: strawberry.Maybe[RemoveNodeInput]
    add_edge: strawberry.Maybe[EdgeInput]
    update_edge: strawberry.Maybe[EdgeInput]
    remove_edge: strawberry.Maybe[RemoveEdgeInput]

    def operation(self) -> editing.Operation:  # noqa: PLR0911 - one return per case
        match self:
            case CanvasOperationInput(add_node=Some(value=node)):
                return editing.AddNode(node.draft())
            case CanvasOperationInput(update_node=Some(value=update)):
                return update.operation()
            case CanvasOperationInput(move_node=Some(value=move)):
                return move.operation()
            case CanvasOperationInput(remove_node=Some(value=removal)):
                return editing.RemoveNode(removal.id)
            case CanvasOperationInput(add_edge=Some(value=edge)):
                return editing.AddEdge(edge.draft())
            case CanvasOperationInput(update_edge=Some(value=edge)):
                return editing.UpdateEdge(edge.draft())
            case CanvasOperationInput(remove_edge=Some(value=edge_removal)):
                return editing.RemoveEdge(edge_removal.id)
        raise AssertionError("GraphQL has checked that exactly one operation is given")


@strawberry.pydantic.input
class EditWorkflowInput(BaseModel):
    workflow_id: WorkflowId
    expected_revision: ExpectedRevision
    operations: list[CanvasOperationInput] = Field(
        min_length=1, max_length=2_000, description="At most 2,000."
    )


@strawberry.type
class EditWorkflowPayload:
    workflow: Workflow = strawberry.field(graphql_type=WorkflowType)


EditWorkflowResult = Annotated[
    EditWorkflowPayload
    | RevisionConflict
    | ValidationError
    | LimitExceeded
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("EditWorkflowResult"),
]


@strawberry.mutation(description="Performs the operations in order: all or none, one revision.")
async def edit_workflow(info: Info, input: EditWorkflowInput) -> EditWorkflowResult:
    workflow = await info.context.services.workflows.edit(
        info.context.signed_in(),
        input.workflow_id,
        [operation.operation() for operation in input.operations],
        expected=input.expected_revision,
    )
    return EditWorkflowPayload(workflow=workflow)
