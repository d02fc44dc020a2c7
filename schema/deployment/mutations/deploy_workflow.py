"""deployWorkflow: makes the cluster what the canvas says."""

from typing import Annotated

import strawberry

from app.domain.run import RunKind, WorkflowRun
from schema.context import Info
from schema.deployment.inputs import DeployOrder
from schema.deployment.types import WorkflowRunType
from schema.errors import (
    ClusterUnreachable,
    Conflict,
    DeployRefused,
    Forbidden,
    LimitExceeded,
    NotFound,
    Unauthenticated,
    ValidationError,
)
from schema.pricing import DIAL


@strawberry.pydantic.input
class DeployWorkflowInput(DeployOrder):
    pass


@strawberry.type
class DeployWorkflowPayload:
    run: WorkflowRun = strawberry.field(graphql_type=WorkflowRunType)


DeployWorkflowResult = Annotated[
    DeployWorkflowPayload
    | DeployRefused
    | ClusterUnreachable
    | ValidationError
    | LimitExceeded
    | Conflict
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("DeployWorkflowResult"),
]


@strawberry.mutation(
    description="Keeps the canvas as a version, and starts a run that makes the cluster so. It "
    "answers as soon as the run is queued: follow it with `runProgress`.",
    directives=[DIAL],
)
async def deploy_workflow(info: Info, input: DeployWorkflowInput) -> DeployWorkflowResult:
    actor, draft = info.context.signed_in(), input.draft(RunKind.DEPLOY)
    return DeployWorkflowPayload(run=await info.context.services.deployments.deploy(actor, draft))
