"""planWorkflow: what a deploy would do."""

from typing import Annotated

import strawberry
from pydantic import Field

from app.domain.deploying import PlanDraft
from app.domain.run import RunKind
from schema.context import Info
from schema.deployment.inputs import TARGET_SAYS, Consenting, OnCluster, Target, VersionNumber
from schema.deployment.plans import PlanType
from schema.errors import (
    ClusterUnreachable,
    Conflict,
    Forbidden,
    NotFound,
    Unauthenticated,
    ValidationError,
)
from schema.pricing import DIAL


@strawberry.pydantic.input
class PlanWorkflowInput(Consenting, OnCluster):
    namespace: Target = Field(default=None, description=TARGET_SAYS)
    kind: RunKind = Field(default=RunKind.DEPLOY, description="What is to be done.")
    version: VersionNumber | None = Field(
        default=None, description="The version that a ROLLBACK goes to."
    )


@strawberry.type
class PlanWorkflowPayload:
    plan: PlanType


PlanWorkflowResult = Annotated[
    PlanWorkflowPayload
    | ClusterUnreachable
    | ValidationError
    | Conflict
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("PlanWorkflowResult"),
]


@strawberry.mutation(
    description="Asks the cluster what a deploy would do, and changes nothing there. What stands "
    "in its way is in the plan.",
    directives=[DIAL],
)
async def plan_workflow(info: Info, input: PlanWorkflowInput) -> PlanWorkflowResult:
    draft = PlanDraft(
        workflow_id=input.workflow_id,
        cluster_id=input.cluster_id,
        namespace=input.namespace,
        kind=input.kind,
        version=input.version,
        consents=input.consents(),
    )
    actor = info.context.signed_in()
    stored = await info.context.services.deployments.plan(actor, draft)
    return PlanWorkflowPayload(plan=PlanType.of(stored))
