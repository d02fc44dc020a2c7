"""What hangs on a workflow because it is deployed: its runs, and a closer look at the cluster."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from app.domain.drift import Drift
from app.domain.inspecting import Diagnosis, PodSeen
from app.domain.node import WorkflowNode
from app.domain.run import WorkflowRun
from app.domain.workflow import WorkflowRow
from schema.connection import After, Connection, First, page_of
from schema.context import Info
from schema.deployment.looking import DiagnosisType, DriftType, PodType
from schema.deployment.types import RunConnection, WorkflowRunType
from schema.pricing import DIAL, Cost

NodeId = Annotated[str, strawberry.argument(graphql_type=strawberry.ID, description="The node.")]


@strawberry.type
class DeployedFields:
    @strawberry.field(graphql_type=WorkflowRunType | None, description="The newest run.")
    async def last_run(root: strawberry.Parent[WorkflowRow], info: Info) -> WorkflowRun | None:
        return await info.context.loaders.last_runs.load(root.id)

    @strawberry.field(graphql_type=RunConnection, description="Newest first.")
    async def runs(
        root: strawberry.Parent[WorkflowRow], info: Info, first: First = 20, after: After = None
    ) -> Connection:
        services = info.context.services.runs
        return await page_of(
            lambda keyset: services.page(root, keyset),
            count=lambda: services.count(root),
            descending=True,
            first=first,
            after=after,
        )

    @strawberry.field(
        description="Number of the version that is on the cluster; null when none is. On several "
        "clusters, of the one that was deployed last."
    )
    async def live_version(root: strawberry.Parent[WorkflowRow], info: Info) -> int | None:
        return await info.context.loaders.live_versions.load(root.id)

    @strawberry.field(
        graphql_type=DriftType | None,
        description="How far what is on the cluster has moved from what was deployed: the cluster "
        "is asked now. Null when nothing is deployed.",
        directives=[DIAL],
    )
    async def drift(root: strawberry.Parent[WorkflowRow], info: Info) -> Drift | None:
        return await info.context.services.drifts.check(info.context.signed_in(), root)

    @strawberry.field(
        graphql_type=DriftType | None,
        description="The same, as it was last found; null when nobody has looked yet.",
    )
    async def last_drift(root: strawberry.Parent[WorkflowRow], info: Info) -> Drift | None:
        return await info.context.loaders.last_drifts.load(root.id)

    @strawberry.field(
        graphql_type=DiagnosisType | None,
        description="What is wrong with a node: the cluster is asked now.",
        directives=[DIAL],
    )
    async def diagnostics(
        root: strawberry.Parent[WorkflowRow], info: Info, node_id: NodeId
    ) -> Diagnosis | None:
        actor = info.context.signed_in()
        return await info.context.services.inspecting.diagnose(actor, root, node_id)

    @strawberry.field(
        graphql_type=list[PodType] | None,
        description="The newest pods of a node, the newest first: at most 500.",
        directives=[Cost(weight=DIAL.weight, length=20)],
    )
    async def pods(
        root: strawberry.Parent[WorkflowRow], info: Info, node_id: NodeId
    ) -> Sequence[PodSeen] | None:
        actor = info.context.signed_in()
        return await info.context.services.inspecting.pods(actor, root, node_id)


async def with_status(
    nodes: Sequence[WorkflowNode], workflow: WorkflowRow, info: Info
) -> Sequence[WorkflowNode]:
    """The nodes with their live status, if that is asked for."""
    if not _asks_for_status(info):
        return nodes
    found = await info.context.loaders.statuses.load(workflow.id)
    status = {each.node_id: each for each in found or ()}
    return [node.having(status=status[node.id]) if node.id in status else node for node in nodes]


def _asks_for_status(info: Info) -> bool:
    """Whether the field being resolved selects the field `status` of its objects."""
    raw: Any = info._raw_info
    return any(
        node.selection_set is not None and _selects(node.selection_set, "status", raw.fragments)
        for node in raw.field_nodes
    )


def _selects(
    selections: SelectionSetNode, name: str, fragments: Mapping[str, FragmentDefinitionNode]
) -> bool:
    """Whether a field of that name is selected, in fragments too; no cycle gets past validation."""
    pending, spread = [selections], set()
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FieldNode):
                if node.name.value == name:
                    return True
            elif isinstance(node, InlineFragmentNode):
                pending.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                pending.append(fragments[node.name.value].selection_set)
    return False
