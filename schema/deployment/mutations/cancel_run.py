"""cancelRun: stops a run between two objects."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.run import WorkflowRun
from schema.context import Info
from schema.deployment.inputs import RunId
from schema.deployment.types import WorkflowRunType
from schema.errors import Conflict, Forbidden, NotFound, Unauthenticated, ValidationError


@strawberry.pydantic.input
class CancelRunInput(BaseModel):
    run_id: RunId


@strawberry.type
class CancelRunPayload:
    run: WorkflowRun = strawberry.field(graphql_type=WorkflowRunType)


CancelRunResult = Annotated[
    CancelRunPayload | ValidationError | Conflict | Forbidden | NotFound | Unauthenticated,
    strawberry.union("CancelRunResult"),
]


@strawberry.mutation(
    description="Asks a run to stop. One that has begun stops between two objects, and says what "
    "of it is on the cluster: nothing is undone."
)
async def cancel_run(info: Info, input: CancelRunInput) -> CancelRunResult:
    actor = info.context.signed_in()
    run = await info.context.services.deployments.cancel(actor, input.run_id)
    return CancelRunPayload(run=run)
