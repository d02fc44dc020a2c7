"""workflowChanged: two people on one canvas see each other's edits."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from app.domain.canvas import Edge
from app.domain.errors import NotFound
from app.domain.events import WorkflowEdited, WorkflowSnapshot
from app.domain.ids import Id
from app.domain.node import WorkflowNode
from app.domain.user import User
from app.domain.workflow import Workflow, WorkflowRow
from app.services.streams import WorkflowStreamEvent
from schema.account.types import UserType
from schema.context import Info
from schema.nodes import Node
from schema.stream import StreamEndedType, StreamEvent, StreamGap
from schema.workflow.types import WorkflowType


@strawberry.type(name="WorkflowSnapshot", description="The whole workflow, as of `seq`.")
class WorkflowSnapshotType(StreamEvent):
    workflow: Workflow = strawberry.field(graphql_type=WorkflowType)

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, WorkflowSnapshot)


@strawberry.type(
    name="WorkflowEdited",
    description="One change: put these nodes and edges, remove those, take the row.",
)
class WorkflowEditedType(StreamEvent):
    at: datetime = strawberry.field(description="When it was done.")
    revision: int = strawberry.field(description="The workflow's revision after the change.")
    nodes_changed: Sequence[WorkflowNode] = strawberry.field(
        graphql_type=list[Node], description="New or changed nodes, whole."
    )
    nodes_removed: list[str] = strawberry.field(description="Ids of nodes that are gone.")
    edges_changed: Sequence[Edge] = strawberry.field(
        graphql_type=list[Edge], description="New or changed edges, whole."
    )
    edges_removed: list[str] = strawberry.field(description="Ids of edges that are gone.")
    workflow: WorkflowRow = strawberry.field(
        graphql_type=WorkflowType, description="The metadata, as it was after the change."
    )

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, WorkflowEdited)

    @strawberry.field(graphql_type=UserType | None, description="Who did it.")
    async def actor(root: strawberry.Parent[WorkflowEdited], info: Info) -> User | None:
        return await info.context.loaders.users.load(root.actor_id) if root.actor_id else None


WorkflowChangedEvent = Annotated[
    WorkflowSnapshotType | WorkflowEditedType | StreamGap | StreamEndedType,
    strawberry.union("WorkflowChangedEvent"),
]


@strawberry.subscription(
    graphql_type=WorkflowChangedEvent,
    description=(
        "The workflow, then every change of it. With `after`, the changes behind that seq instead. "
        "Ends when the workflow is deleted, or the caller may not see it any more."
    ),
)
async def workflow_changed(
    info: Info, workflow_id: strawberry.ID, after: int | None = None
) -> AsyncGenerator[WorkflowStreamEvent, None]:
    known = Id.parse(workflow_id)
    context = info.context
    actor = context.signed_in()
    if known is None:
        raise NotFound("workflow", path=["workflowId"])
    return context.services.streams.workflow_changed(
        actor, known, after=after, until=context.ending
    )


SUBSCRIPTIONS = [workflow_changed]
