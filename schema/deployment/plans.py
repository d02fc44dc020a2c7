"""Plans in GraphQL: what a deploy would do, object by object, and what stands in its way."""

from datetime import datetime
from typing import Self

import strawberry

from app.domain.cluster import Cluster
from app.domain.comparing import FieldChange
from app.domain.ids import Id
from app.domain.planning import PlanAction, PlannedObject, PlanSummary
from app.domain.planning.findings import Risk, RiskCode
from app.domain.planning.plan import MissingKeys
from app.domain.run import RunKind
from app.domain.stored_plan import StoredPlan
from app.domain.workflow import WorkflowRow
from schema.cluster.types import ClusterType
from schema.context import Info
from schema.pricing import Cost
from schema.workflow.types import ProblemType, WorkflowType
from schema.workflow.versions import FieldChangeType

strawberry.enum(RiskCode, description=RiskCode.__doc__)


@strawberry.type(name="PlanRisk", description="Something to know of a planned object.")
class RiskType:
    code: RiskCode
    message: str = strawberry.field(description="What follows from it.")


@strawberry.type(name="PlanSummary", description="How many objects of each action.")
class PlanSummaryType:
    create: int
    update: int
    replace: int
    delete: int
    unchanged: int


@strawberry.type(
    name="MissingSecretKeys",
    description="Secret values that a node needs, the cluster lacks, and nobody gave.",
)
class MissingKeysType:
    node_id: str
    keys: list[str] = strawberry.field(description="The names of the values.")

    @classmethod
    def of(cls, missing: MissingKeys) -> Self:
        return cls(node_id=missing.node_id, keys=list(missing.keys))


@strawberry.type(name="PlannedObject", description="One object of a plan.")
class PlannedObjectType:
    node_id: str | None = strawberry.field(description="Whose it is, or was.")
    api_version: str = strawberry.field(description="Group and version, such as `apps/v1`.")
    kind: str
    namespace: str | None = strawberry.field(description="Null for an object of the whole cluster.")
    name: str
    action: PlanAction
    changes: tuple[FieldChange, ...] = strawberry.field(
        graphql_type=list[FieldChangeType],
        directives=[Cost(length=5)],
        description="From what is on the cluster to what will be; never a secret value.",
    )
    risks: tuple[Risk, ...] = strawberry.field(graphql_type=list[RiskType])

    @classmethod
    def of(cls, planned: PlannedObject) -> Self:
        key = planned.key
        return cls(
            node_id=planned.node_id,
            api_version=key.api_version,
            kind=key.kind,
            namespace=key.namespace,
            name=key.name,
            action=planned.action,
            changes=planned.changes,
            risks=planned.risks,
        )


@strawberry.type(name="Plan", description="What a deploy would do, as it was found at `createdAt`.")
class PlanType:
    id: Id
    hash: str = strawberry.field(description="Stands for what a deploy of it would do.")
    kind: RunKind
    workflow_id: Id
    cluster_id: Id
    namespace: str = strawberry.field(description="Where nodes without a namespace go.")
    revision: int = strawberry.field(description="Of the workflow that was planned.")
    version: int | None = strawberry.field(description="The version that a rollback goes to.")
    created_at: datetime
    expires_at: datetime = strawberry.field(description="Until when it can be deployed.")
    summary: PlanSummary = strawberry.field(graphql_type=PlanSummaryType)
    objects: list[PlannedObjectType] = strawberry.field(
        directives=[Cost(length=100)],
        description="In the order of their application; what is deleted last.",
    )
    missing_secret_keys: list[MissingKeysType] = strawberry.field(
        description="What a deploy has to bring as `secretValues` or `envValues`."
    )
    problems: list[ProblemType] = strawberry.field(
        description="What stands in the way; those of severity ERROR forbid to deploy it."
    )

    @strawberry.field(
        graphql_type=WorkflowType | None,
        description="What was planned; null when it is there no more.",
    )
    async def workflow(self, info: Info) -> WorkflowRow | None:
        return await info.context.loaders.workflow_rows.load(self.workflow_id)

    @strawberry.field(
        graphql_type=ClusterType | None,
        description="The cluster that was asked; null when the caller may not see it.",
    )
    async def cluster(self, info: Info) -> Cluster | None:
        return await info.context.loaders.clusters.load(self.cluster_id)

    @classmethod
    def of(cls, stored: StoredPlan) -> Self:
        plan = stored.plan
        return cls(
            id=stored.id,
            hash=stored.hash,
            kind=stored.kind,
            workflow_id=stored.workflow_id,
            cluster_id=stored.cluster_id,
            namespace=stored.namespace,
            revision=stored.revision,
            version=stored.version,
            created_at=stored.created_at,
            expires_at=stored.expires_at,
            summary=plan.summary,
            objects=[PlannedObjectType.of(planned) for planned in plan.objects],
            missing_secret_keys=[MissingKeysType.of(each) for each in plan.missing_secret_keys],
            problems=[ProblemType.of(problem) for problem in plan.problems],
        )
