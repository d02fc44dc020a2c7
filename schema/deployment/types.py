"""Runs in GraphQL: what became of each deploy, and how far it is."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domain.cluster import Cluster
from app.domain.ids import Id
from app.domain.planning import PlanAction
from app.domain.run import (
    NodeState,
    RunKind,
    RunNode,
    RunObject,
    RunStatus,
    RunTrigger,
    WorkflowRun,
)
from app.domain.user import User
from app.domain.workflow import WorkflowRow
from schema.account.types import UserType
from schema.cluster.types import ClusterType
from schema.connection import connection_type
from schema.context import Info
from schema.pricing import Cost

if TYPE_CHECKING:
    from schema.workflow.types import WorkflowType

strawberry.enum(RunKind, description=RunKind.__doc__)
strawberry.enum(RunStatus, description=RunStatus.__doc__)
strawberry.enum(RunTrigger, description=RunTrigger.__doc__)
strawberry.enum(NodeState, name="RunNodeState", description=NodeState.__doc__)
strawberry.enum(PlanAction, description="What a deploy does to an object.")

LazyWorkflow = Annotated["WorkflowType", strawberry.lazy("schema.workflow.types")]
"""A workflow has runs, and a run its workflow: one of them has to come later."""


@strawberry.type(name="RunObject", description="An object of a node, and what the run does to it.")
class RunObjectType:
    api_version: str = strawberry.field(description="Group and version, such as `apps/v1`.")
    kind: str
    namespace: str | None = strawberry.field(description="Null for an object of the whole cluster.")
    name: str
    action: PlanAction


@strawberry.type(name="RunNode", description="A node in a run.")
class RunNodeType:
    node_id: str
    state: NodeState
    reason: str | None = strawberry.field(
        description="One word for machines, such as `CrashLoopBackOff`."
    )
    message: str | None = strawberry.field(description="A sentence that says why.")
    updated_at: datetime = strawberry.field(description="When it was last seen to change.")
    objects: list[RunObject] = strawberry.field(
        graphql_type=list[RunObjectType], description="In the order in which they are applied."
    )


@strawberry.type(
    name="WorkflowRun", description="One deploy, rollback or undeploy, from its order to its end."
)
class WorkflowRunType:
    id: Id
    kind: RunKind
    status: RunStatus
    triggered_by: RunTrigger
    workflow_id: Id
    cluster_id: Id = strawberry.field(description="The cluster, seen or not.")
    namespace: str = strawberry.field(description="Where nodes without a namespace go.")
    version: int = strawberry.field(
        description="Number of the version that it deploys; of an undeploy, that it removes."
    )
    message: str | None = strawberry.field(description="What the caller said of it.")
    error: str | None = strawberry.field(description="Why it failed, in a sentence.")
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    cancel_requested_at: datetime | None = strawberry.field(
        description="When somebody asked for it to stop."
    )
    duration: int | None = strawberry.field(
        description="Milliseconds from its beginning to its end; null until it has ended."
    )
    seq: int = strawberry.field(
        description="Number of its newest event: what a subscription takes as `after`."
    )
    nodes: list[RunNode] = strawberry.field(
        name="nodeStates",
        graphql_type=list[RunNodeType],
        directives=[Cost(length=3)],
        description="How far its nodes are.",
    )

    @strawberry.field(
        graphql_type=LazyWorkflow | None,
        description="What it deploys; null when it is there no more.",
    )
    async def workflow(root: strawberry.Parent[WorkflowRun], info: Info) -> WorkflowRow | None:
        return await info.context.loaders.workflow_rows.load(root.workflow_id)

    @strawberry.field(
        graphql_type=ClusterType | None,
        description="Where it deploys to; null when the caller may not see it.",
    )
    async def cluster(root: strawberry.Parent[WorkflowRun], info: Info) -> Cluster | None:
        return await info.context.loaders.clusters.load(root.cluster_id)

    @strawberry.field(graphql_type=UserType | None, description="Who asked for it.")
    async def started_by(root: strawberry.Parent[WorkflowRun], info: Info) -> User | None:
        return await info.context.loaders.users.load(root.started_by)


RunConnection = connection_type(
    "Run",
    WorkflowRunType,
    "A page of runs. One of runs with very many nodes ends before `first` is reached.",
)
