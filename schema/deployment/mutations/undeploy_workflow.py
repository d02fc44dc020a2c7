"""undeployWorkflow: removes from the cluster what earlier runs made."""

from typing import Annotated

import strawberry
from pydantic import Field

from app.domain.deploying import DeployDraft
from app.domain.planning import Consents
from app.domain.run import RunKind, WorkflowRun
from schema.context import Info
from schema.deployment.inputs import RunOrder
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
class UndeployWorkflowInput(RunOrder):
    delete_data: bool = Field(
        default=False, description="Whether volume claims and what is in them go, too."
    )


@strawberry.type
class UndeployWorkflowPayload:
    run: WorkflowRun = strawberry.field(graphql_type=WorkflowRunType)


UndeployWorkflowResult = Annotated[
    UndeployWorkflowPayload
    | DeployRefused
    | ClusterUnreachable
    | ValidationError
    | LimitExceeded
    | Conflict
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("UndeployWorkflowResult"),
]


@strawberry.mutation(
    description="Starts a run that removes what earlier runs made, in reverse order. Volume claims "
    "stay unless `deleteData` says otherwise.",
    directives=[DIAL],
)
async def undeploy_workflow(info: Info, input: UndeployWorkflowInput) -> UndeployWorkflowResult:
    draft = DeployDraft(
        workflow_id=input.workflow_id,
        kind=RunKind.UNDEPLOY,
        plan_id=input.plan_id,
        cluster_id=input.cluster_id,
        message=input.message,
        idempotency_key=input.idempotency_key,
        consents=Consents(delete_data=input.delete_data),
    )
    actor = info.context.signed_in()
    return UndeployWorkflowPayload(run=await info.context.services.deployments.deploy(actor, draft))
