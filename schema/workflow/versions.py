"""Versions in GraphQL, and what changed between two of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from app.domain import graph
from app.domain.canvas import Canvas, Edge
from app.domain.comparing import ChangeKind, EdgeChange, FieldChange, NodeChange
from app.domain.ids import Id
from app.domain.node import NodeType, WorkflowNode
from app.domain.run import WorkflowRun
from app.domain.user import User
from app.domain.workflow import Version, VersionRow
from schema.account.types import UserType
from schema.connection import connection_type
from schema.context import Info
from schema.deployment.types import WorkflowRunType
from schema.nodes import Node
from schema.pricing import CANVAS

strawberry.enum(ChangeKind, description=ChangeKind.__doc__)


async def _canvas(version: VersionRow, info: Info) -> Canvas:
    """The version's canvas; a list holds rows without it and loads them together."""
    if isinstance(version, Version):
        return version.canvas
    whole = await info.context.loaders.versions.load(version.id)
    return whole.canvas if whole else Canvas()


@strawberry.type(
    name="Version", description="The canvas as it was. Numbered 1, 2, 3 … per workflow."
)
class VersionType:
    id: Id
    number: int
    name: str | None
    tag: str | None
    description: str
    created_at: datetime
    restored_from: int | None = strawberry.field(
        description="The version whose canvas this one brought back."
    )
    automatic: bool = strawberry.field(description="Made by a deploy rather than by a person.")

    @strawberry.field(graphql_type=UserType | None, description="Who made it.")
    async def created_by(root: strawberry.Parent[VersionRow], info: Info) -> User | None:
        return await info.context.loaders.users.load(root.created_by)

    @strawberry.field(graphql_type=WorkflowRunType | None, description="The run that deployed it.")
    async def run(root: strawberry.Parent[VersionRow], info: Info) -> WorkflowRun | None:
        return await info.context.loaders.runs.load(root.run_id) if root.run_id else None

    @strawberry.field(graphql_type=list[Node], description="Its nodes.", directives=[CANVAS])
    async def nodes(root: strawberry.Parent[VersionRow], info: Info) -> Sequence[WorkflowNode]:
        return list(graph.wire(await _canvas(root, info)).nodes.values())

    @strawberry.field(graphql_type=list[Edge], description="Its edges.", directives=[CANVAS])
    async def edges(root: strawberry.Parent[VersionRow], info: Info) -> Sequence[Edge]:
        return list((await _canvas(root, info)).edges.values())


VersionConnection = connection_type("Version", VersionType, "A page of versions.")


@strawberry.type(name="FieldChange", description="One field that differs.")
class FieldChangeType:
    path: str = strawberry.field(description="In `data`, such as `resources.limits.cpu`.")
    before: dict[str, Any] | None = strawberry.field(description="Null where it was unset.")
    after: dict[str, Any] | None = strawberry.field(description="Null where it is unset.")


@strawberry.type(name="NodeChange", description="One node that differs by more than its place.")
class NodeChangeType:
    change: ChangeKind
    node_id: str
    type: NodeType
    name: str
    fields: list[FieldChange] = strawberry.field(
        graphql_type=list[FieldChangeType], description="Empty unless it was modified."
    )


@strawberry.type(name="EdgeChange", description="One edge that differs.")
class EdgeChangeType:
    change: ChangeKind
    edge_id: str
    before: Edge | None
    after: Edge | None


@strawberry.type(name="VersionDiff", description="Everything that differs, ordered by id.")
class VersionDiffType:
    nodes: list[NodeChange] = strawberry.field(graphql_type=list[NodeChangeType])
    edges: list[EdgeChange] = strawberry.field(graphql_type=list[EdgeChangeType])
    moved: list[str] = strawberry.field(description="Ids of nodes that are drawn elsewhere.")
    layout_only: bool = strawberry.field(
        description="Whether nothing differs but where nodes are drawn."
    )
