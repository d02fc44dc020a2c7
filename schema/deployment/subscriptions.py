"""Following what is deployed: a run, the live status of nodes, the logs of pods."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated

import strawberry

from app.domain.errors import NotFound
from app.domain.events import Gap, StreamEnded
from app.domain.ids import Id
from app.domain.inspecting import LogLine
from app.domain.node import NodeStatus
from app.domain.run import RunNode, WorkflowRun
from app.domain.runevents import (
    LogLevel,
    RunChanged,
    RunFinished,
    RunLog,
    RunNodeChanged,
    RunSnapshot,
)
from app.domain.statusevents import NodeStatusChanged, WorkflowStatusSnapshot
from app.services.runstreams import RunStreamEvent
from schema.context import Info
from schema.deployment.looking import LogLineType
from schema.deployment.types import RunNodeType, WorkflowRunType
from schema.pricing import DIAL, Cost
from schema.stream import StreamEndedType, StreamEvent, StreamGap

strawberry.enum(LogLevel, name="RunLogLevel", description=LogLevel.__doc__)


@strawberry.type(name="RunSnapshot", description="The run, as of `seq`.")
class RunSnapshotType(StreamEvent):
    run: WorkflowRun = strawberry.field(graphql_type=WorkflowRunType)

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, RunSnapshot)


@strawberry.type(name="RunChanged", description="The run has begun, or it is asked to stop.")
class RunChangedType(StreamEvent):
    at: datetime = strawberry.field(description="When that was.")
    run: WorkflowRun = strawberry.field(graphql_type=WorkflowRunType)

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, RunChanged)


@strawberry.type(
    name="RunNodeChanged", description="A node of the run has moved, or says something else."
)
class RunNodeChangedType(StreamEvent):
    at: datetime = strawberry.field(description="When that was seen.")
    node_state: RunNode = strawberry.field(
        graphql_type=RunNodeType, description="The whole node, as it is after the change."
    )

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, RunNodeChanged)


@strawberry.type(name="RunLog", description="A line of the run's log.")
class RunLogType(StreamEvent):
    at: datetime
    level: LogLevel
    text: str
    node_id: str | None = strawberry.field(description="The node that it is about.")

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, RunLog)


@strawberry.type(name="RunFinished", description="The run has ended: the last event of its stream.")
class RunFinishedType(StreamEvent):
    at: datetime = strawberry.field(description="When it ended.")
    run: WorkflowRun = strawberry.field(graphql_type=WorkflowRunType)

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, RunFinished)


RunProgressEvent = Annotated[
    RunSnapshotType
    | RunChangedType
    | RunNodeChangedType
    | RunLogType
    | RunFinishedType
    | StreamGap
    | StreamEndedType,
    strawberry.union("RunProgressEvent"),
]


@strawberry.subscription(
    graphql_type=RunProgressEvent,
    description=(
        "The run, then all that happens in it, until it has ended: `RunFinished` is the last "
        "event, and then the stream completes. With `after`, the events behind that seq instead of "
        "the run."
    ),
)
async def run_progress(
    info: Info, run_id: strawberry.ID, after: int | None = None
) -> AsyncGenerator[RunStreamEvent, None]:
    known = Id.parse(run_id)
    context = info.context
    actor = context.signed_in()
    if known is None:
        raise NotFound("run", path=["runId"])
    return context.services.run_streams.run_progress(
        actor, known, after=after, until=context.ending
    )


@strawberry.type(
    name="WorkflowStatusSnapshot", description="How all nodes that are deployed are, as of `seq`."
)
class WorkflowStatusSnapshotType(StreamEvent):
    nodes: list[NodeStatus] = strawberry.field(directives=[Cost(length=100)])

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, WorkflowStatusSnapshot)


@strawberry.type(
    name="NodeStatusChanged",
    description="A node is otherwise than it was. One that is deployed no more is MISSING.",
)
class NodeStatusChangedType(StreamEvent):
    at: datetime = strawberry.field(description="When that was seen.")
    status: NodeStatus

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, NodeStatusChanged)


StatusStreamEvent = WorkflowStatusSnapshot | NodeStatusChanged | Gap | StreamEnded

WorkflowStatusEvent = Annotated[
    WorkflowStatusSnapshotType | NodeStatusChangedType | StreamGap | StreamEndedType,
    strawberry.union("WorkflowStatusEvent"),
]


@strawberry.subscription(
    graphql_type=WorkflowStatusEvent,
    description=(
        "How the nodes are on the cluster, then every change of it. With `after`, the changes "
        "behind that seq instead. A reader who is slow gets the newest state of every node."
    ),
)
async def workflow_status(
    info: Info, workflow_id: strawberry.ID, after: int | None = None
) -> AsyncGenerator[StatusStreamEvent, None]:
    known = Id.parse(workflow_id)
    context = info.context
    actor = context.signed_in()
    if known is None:
        raise NotFound("workflow", path=["workflowId"])
    return context.services.status_streams.workflow_status(
        actor, known, after=after, until=context.ending
    )


@strawberry.subscription(
    graphql_type=LogLineType,
    description=(
        "What the pods of a node write, line by line. It completes when there is nothing more to "
        "come, and when the caller may not look any more. Lines are read as fast as they are "
        "taken, and never numbered: who comes back asks for `tailLines` anew."
    ),
    directives=[DIAL],
)
async def pod_logs(
    info: Info,
    workflow_id: strawberry.ID,
    node_id: strawberry.ID,
    *,
    pod: Annotated[
        str | None, strawberry.argument(description="One pod's name. Left out: all of them.")
    ] = None,
    container: Annotated[
        str | None,
        strawberry.argument(description="One container's name. Left out: all of them."),
    ] = None,
    tail_lines: Annotated[
        int | None,
        strawberry.argument(
            description="How many of the lines that each container has written already: 0 to "
            "5,000. Left out: 200."
        ),
    ] = None,
    follow: Annotated[
        bool | None,
        strawberry.argument(description="Whether to wait for new lines. Left out: yes."),
    ] = None,
) -> AsyncGenerator[LogLine, None]:
    known = Id.parse(workflow_id)
    context = info.context
    actor = context.signed_in()
    if known is None:
        raise NotFound("workflow", path=["workflowId"])
    return context.services.inspecting.logs(
        actor,
        known,
        node_id,
        pod=pod,
        container=container,
        tail_lines=tail_lines,
        follow=follow is not False,
        until=context.ending,
    )


SUBSCRIPTIONS = [run_progress, workflow_status, pod_logs]
