"""Reading workflows."""

import enum

import strawberry
from pydantic import BaseModel, Field

from app.domain.ids import Id
from app.domain.workflow import Workflow, WorkflowFilter, WorkflowStatus
from schema.connection import After, Connection, First, page_of
from schema.context import Info
from schema.workflow.types import WorkflowConnection, WorkflowType


@strawberry.enum(name="WorkflowOrderField", description="What workflows can be ordered by.")
class WorkflowOrderField(enum.StrEnum):
    UPDATED_AT = "updated_at"
    CREATED_AT = "created_at"
    NAME = "name"


@strawberry.enum(name="OrderDirection")
class OrderDirection(enum.StrEnum):
    ASC = "asc"
    DESC = "desc"


@strawberry.pydantic.input(name="WorkflowOrder", description="The newest changed first by default.")
class WorkflowOrderInput(BaseModel):
    field: WorkflowOrderField = WorkflowOrderField.UPDATED_AT
    direction: OrderDirection = OrderDirection.DESC


@strawberry.pydantic.input(name="WorkflowFilter", description="All of the conditions given hold.")
class WorkflowFilterInput(BaseModel):
    search: str | None = Field(
        default=None, max_length=200, description="A part of the name, in any case."
    )
    status: list[WorkflowStatus] | None = Field(default=None, max_length=3)
    tags: list[str] | None = Field(default=None, max_length=20, description="All of these tags.")
    cluster_id: Id | None = None
    deleted: bool = Field(default=False, description="What is in the bin instead of what is not.")


@strawberry.field(
    graphql_type=WorkflowType | None,
    description="One workflow; null when there is none or the caller may not see it.",
)
async def workflow(info: Info, id: strawberry.ID) -> Workflow | None:
    known = Id.parse(id)
    if known is None:
        return None
    return await info.context.services.workflows.get(info.context.signed_in(), known)


@strawberry.field(graphql_type=WorkflowConnection, description="The caller's workflows.")
async def workflows(
    info: Info,
    first: First = 20,
    after: After = None,
    filter: WorkflowFilterInput | None = None,
    order_by: WorkflowOrderInput | None = None,
) -> Connection:
    actor = info.context.signed_in()
    wanted = WorkflowFilter(**dict(filter)) if filter else WorkflowFilter()
    order = order_by or WorkflowOrderInput()
    service = info.context.services.workflows
    return await page_of(
        lambda keyset: service.page(actor, wanted, keyset),
        count=lambda: service.count(actor, wanted),
        order=order.field.value,
        descending=order.direction is OrderDirection.DESC,
        first=first,
        after=after,
    )


QUERIES = [workflow, workflows]
