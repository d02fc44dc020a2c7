"""Reading runs and plans."""

import strawberry
from pydantic import BaseModel, Field

from app.domain.ids import Id
from app.domain.run import RunFilter, RunKind, RunStatus, WorkflowRun
from schema.connection import After, Connection, First, page_of
from schema.context import Info
from schema.deployment.plans import PlanType
from schema.deployment.types import RunConnection, WorkflowRunType
from schema.pricing import LOOK


@strawberry.pydantic.input(name="RunFilter", description="All of the conditions given hold.")
class RunFilterInput(BaseModel):
    workflow_id: Id | None = None
    cluster_id: Id | None = None
    status: list[RunStatus] | None = Field(default=None, max_length=5)
    kind: list[RunKind] | None = Field(default=None, max_length=3)


@strawberry.field(
    graphql_type=WorkflowRunType | None,
    description="One run; null when there is none or the caller may not see it.",
)
async def run(info: Info, id: strawberry.ID) -> WorkflowRun | None:
    actor, known = info.context.signed_in(), Id.parse(id)
    return None if known is None else await info.context.services.runs.get(actor, known)


@strawberry.field(
    graphql_type=RunConnection,
    description="The runs of the caller's workflows, newest first.",
)
async def runs(
    info: Info, first: First = 20, after: After = None, filter: RunFilterInput | None = None
) -> Connection:
    actor, service = info.context.signed_in(), info.context.services.runs
    wanted = RunFilter(**dict(filter)) if filter else RunFilter()
    return await page_of(
        lambda keyset: service.page_of(actor, wanted, keyset),
        count=lambda: service.count_of(actor, wanted),
        descending=True,
        first=first,
        after=after,
    )


@strawberry.field(
    description="A plan that was made before; null when there is none, it has expired, or the "
    "caller may not see all that it is about.",
    directives=[LOOK],
)
async def plan(info: Info, id: strawberry.ID) -> PlanType | None:
    actor, known = info.context.signed_in(), Id.parse(id)
    stored = None if known is None else await info.context.services.plans.get(actor, known)
    return None if stored is None else PlanType.of(stored)


QUERIES = [run, runs, plan]
