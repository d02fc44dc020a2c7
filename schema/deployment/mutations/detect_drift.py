"""detectDrift: compares what is on the cluster with what was deployed, now."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.drift import Drift
from app.domain.errors import NotFound as NoSuch
from schema.context import Info
from schema.deployment.looking import DriftType
from schema.errors import (
    ClusterUnreachable,
    Forbidden,
    NotFound,
    RateLimited,
    Unauthenticated,
    ValidationError,
)
from schema.pricing import DIAL
from schema.workflow.inputs import WorkflowId


@strawberry.pydantic.input
class DetectDriftInput(BaseModel):
    workflow_id: WorkflowId


@strawberry.type
class DetectDriftPayload:
    drift: Drift | None = strawberry.field(
        graphql_type=DriftType | None, description="Null when nothing is deployed."
    )


DetectDriftResult = Annotated[
    DetectDriftPayload
    | ClusterUnreachable
    | RateLimited
    | ValidationError
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("DetectDriftResult"),
]


@strawberry.mutation(
    description="Compares what is on the cluster with what was deployed, and keeps what it finds "
    "as `lastDrift`. While a run changes the cluster, it answers what was found before.",
    directives=[DIAL],
)
async def detect_drift(info: Info, input: DetectDriftInput) -> DetectDriftResult:
    actor, services = info.context.signed_in(), info.context.services
    workflow = await services.workflows.get(actor, input.workflow_id)
    if workflow is None:
        raise NoSuch("workflow", path=["workflowId"])
    return DetectDriftPayload(drift=await services.drifts.check(actor, workflow))
