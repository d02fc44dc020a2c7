"""rollbackWorkflow: makes the cluster what an older version said."""

from typing import Annotated

import strawberry
from pydantic import Field

from app.domain.run import RunKind, WorkflowRun
from schema.context import Info
from schema.deployment.inputs import DeployOrder, VersionNumber
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
class RollbackWorkflowInput(DeployOrder):
    version: VersionNumber = Field(description="The version to go back to.")


@strawberry.type
class RollbackWorkflowPayload:
    run: WorkflowRun = strawberry.field(graphql_type=WorkflowRunType)


RollbackWorkflowResult = Annotated[
    RollbackWorkflowPayload
    | DeployRefused
    | ClusterUnreachable
    | ValidationError
    | LimitExceeded
    | Conflict
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("RollbackWorkflowResult"),
]


@strawberry.mutation(
    description="Starts a run that deploys the canvas of an older version, as a new version. The "
    "workflow's own canvas stays as it is.",
    directives=[DIAL],
)
async def rollback_workflow(info: Info, input: RollbackWorkflowInput) -> RollbackWorkflowResult:
    actor = info.context.signed_in()
    draft = input.draft(RunKind.ROLLBACK, input.version)
    return RollbackWorkflowPayload(run=await info.context.services.deployments.deploy(actor, draft))
