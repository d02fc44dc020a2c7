"""The workflow in GraphQL: plain attributes of the domain's entity, and what hangs on it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

import strawberry

from app.domain import graph, policy
from app.domain import problems as finding
from app.domain.canvas import Canvas, Edge
from app.domain.cluster import Cluster
from app.domain.comparing import VersionDiff
from app.domain.diagrams import DiagramFormat
from app.domain.ids import Id
from app.domain.node import WorkflowNode
from app.domain.policy import ClusterAction, Decision, WorkflowAction
from app.domain.problems import Problem, Severity
from app.domain.rendering import ManifestFormat
from app.domain.user import User
from app.domain.workflow import Version, Workflow, WorkflowRow, WorkflowStatus
from schema.account.types import UserType
from schema.cluster.types import ClusterType
from schema.connection import After, Connection, First, connection_type, page_of
from schema.context import Info
from schema.deployment.deployed import DeployedFields, with_status
from schema.nodes import Node
from schema.permission import PermissionType
from schema.pricing import CANVAS, LOOK, WHOLE
from schema.workflow import exports
from schema.workflow.exports import DiagramFormatArgument, ManifestFormatArgument
from schema.workflow.versions import VersionConnection, VersionDiffType, VersionType

strawberry.enum(WorkflowStatus, description=WorkflowStatus.__doc__)
strawberry.enum(Severity, name="ProblemSeverity", description=Severity.__doc__)


@strawberry.type(name="Problem", description="Something that stands in the way of a deploy.")
class ProblemType:
    code: str = strawberry.field(description="Which kind of problem, such as `PORT_NOT_EXPOSED`.")
    message: str = strawberry.field(description="What is wrong and what to do.")
    node_id: str | None = strawberry.field(description="The node at fault.")
    path: list[str] = strawberry.field(description="From the node, or from `edges`, down.")
    severity: Severity

    @classmethod
    def of(cls, problem: Problem) -> Self:
        return cls(
            code=problem.code,
            message=problem.message,
            node_id=problem.node_id,
            path=list(problem.path),
            severity=problem.severity,
        )


_NO_CLUSTER = Decision(
    allowed=False,
    reason="The workflow's cluster is not there any more, or not yours to see. Choose another one.",
)


@strawberry.type(description="What the caller may do with this workflow.")
class WorkflowPermissions:
    @strawberry.field(graphql_type=PermissionType, description="Change it.")
    def edit(root: strawberry.Parent[WorkflowRow], info: Info) -> Decision:
        return policy.on_workflow(info.context.signed_in(), WorkflowAction.EDIT, root)

    @strawberry.field(
        graphql_type=PermissionType, description="Deploy it to its cluster, in its namespace."
    )
    async def deploy(root: strawberry.Parent[WorkflowRow], info: Info) -> Decision:
        context = info.context
        actor, cluster_id = context.signed_in(), root.cluster_id
        decision = policy.on_workflow(actor, WorkflowAction.DEPLOY, root)
        if not decision.allowed or cluster_id is None:
            return decision
        cluster = await context.loaders.clusters.load(cluster_id)
        if cluster is None:
            return _NO_CLUSTER
        may, where = context.services.clusters.may, root.namespace
        return may(actor, ClusterAction.DEPLOY, cluster, namespace=where)

    @strawberry.field(
        graphql_type=PermissionType,
        description="Remove what is deployed of it, and cancel its runs.",
    )
    def undeploy(root: strawberry.Parent[WorkflowRow], info: Info) -> Decision:
        return policy.on_workflow(info.context.signed_in(), WorkflowAction.UNDEPLOY, root)

    @strawberry.field(graphql_type=PermissionType, description="Publish, archive and delete it.")
    def manage(root: strawberry.Parent[WorkflowRow], info: Info) -> Decision:
        return policy.on_workflow(info.context.signed_in(), WorkflowAction.MANAGE, root)


async def _canvas(workflow: WorkflowRow, info: Info) -> Canvas:
    """The workflow's canvas; a list holds rows without it and loads them together."""
    if isinstance(workflow, Workflow):
        return workflow.canvas
    whole = await info.context.loaders.workflows.load(workflow.id)
    return whole.canvas if whole else Canvas()


@strawberry.type(name="Workflow", description="An application drawn as a graph of typed nodes.")
class WorkflowType(DeployedFields):
    id: Id
    name: str
    description: str
    status: WorkflowStatus
    tags: list[str]
    namespace: str = strawberry.field(description="Where nodes without a namespace go.")
    team_id: str | None
    revision: int = strawberry.field(
        description="Grows by one with every change of the canvas or the metadata."
    )
    seq: int = strawberry.field(
        description="Number of its newest event: what a subscription takes as `after`."
    )
    current_version: int = strawberry.field(
        description="Number of the newest version; 0 when there is none."
    )
    cluster_id: Id | None = strawberry.field(description="The chosen cluster, seen or not.")
    owner_id: Id
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    last_run_at: datetime | None
    run_count: int
    success_count: int
    failure_count: int

    @strawberry.field(
        graphql_type=list[Node],
        description="In the order they were added.",
        directives=[CANVAS],
    )
    async def nodes(root: strawberry.Parent[WorkflowRow], info: Info) -> Sequence[WorkflowNode]:
        nodes = list(graph.wire(await _canvas(root, info)).nodes.values())
        return await with_status(nodes, root, info)

    @strawberry.field(
        graphql_type=list[Edge], description="The lines between the boxes.", directives=[CANVAS]
    )
    async def edges(root: strawberry.Parent[WorkflowRow], info: Info) -> Sequence[Edge]:
        return list((await _canvas(root, info)).edges.values())

    @strawberry.field(
        description="What stands in the way of a deploy, the worst first.", directives=[LOOK]
    )
    async def problems(root: strawberry.Parent[WorkflowRow], info: Info) -> list[ProblemType]:
        canvas = await _canvas(root, info)
        found = finding.problems(canvas, namespace=root.namespace)
        return [ProblemType.of(problem) for problem in found]

    @strawberry.field(
        description="The Kubernetes objects that it becomes, in the order in which they are "
        "applied. Secrets have no values. What cannot be made is left out; see `problems`.",
        directives=[WHOLE],
    )
    async def manifests(
        root: strawberry.Parent[WorkflowRow],
        info: Info,
        format_: ManifestFormatArgument = ManifestFormat.YAML,
    ) -> str:
        return await exports.manifests(root, await _canvas(root, info), format_)

    @strawberry.field(description="What it looks like.", directives=[WHOLE])
    async def diagram(
        root: strawberry.Parent[WorkflowRow],
        info: Info,
        format_: DiagramFormatArgument = DiagramFormat.MERMAID,
    ) -> str:
        return await exports.drawing(await _canvas(root, info), format_)

    @strawberry.field(graphql_type=UserType | None, description="Whose workflow it is.")
    async def owner(root: strawberry.Parent[WorkflowRow], info: Info) -> User | None:
        return await info.context.loaders.users.load(root.owner_id)

    @strawberry.field(
        graphql_type=ClusterType | None,
        description="Where it deploys to; null when none is chosen or the caller may not see it.",
    )
    async def cluster(root: strawberry.Parent[WorkflowRow], info: Info) -> Cluster | None:
        if root.cluster_id is None:
            return None
        return await info.context.loaders.clusters.load(root.cluster_id)

    @strawberry.field(graphql_type=VersionConnection, description="Newest first.")
    async def versions(
        root: strawberry.Parent[WorkflowRow], info: Info, first: First = 20, after: After = None
    ) -> Connection:
        services = info.context.services.versions
        return await page_of(
            lambda keyset: services.page(root, keyset),
            count=lambda: services.count(root),
            order="number",
            unique=True,
            descending=True,
            first=first,
            after=after,
        )

    @strawberry.field(
        graphql_type=VersionType | None,
        description="One version by its number.",
        directives=[LOOK],
    )
    async def version(
        root: strawberry.Parent[WorkflowRow], info: Info, number: int
    ) -> Version | None:
        return await info.context.services.versions.get(root, number)

    @strawberry.field(
        graphql_type=VersionDiffType | None,
        description="What changed from one version to another; null when one does not exist.",
        directives=[WHOLE],
    )
    async def version_diff(
        root: strawberry.Parent[WorkflowRow],
        info: Info,
        from_: Annotated[int, strawberry.argument(name="from", description="The older version.")],
        to: Annotated[int, strawberry.argument(description="The newer version.")],
    ) -> VersionDiff | None:
        return await info.context.services.versions.compare(root, from_, to)

    @strawberry.field(
        graphql_type=WorkflowPermissions,
        description="What the caller may do with it, and if not, why.",
    )
    def viewer_can(root: strawberry.Parent[WorkflowRow]) -> WorkflowRow:
        return root


WorkflowConnection = connection_type("Workflow", WorkflowType, "A page of workflows.")
