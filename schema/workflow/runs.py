"""Runs in GraphQL: what became of each deploy."""

from datetime import datetime

import strawberry

from app.domain.ids import Id
from app.domain.run import RunStatus, WorkflowRun
from app.domain.user import User
from schema.account.types import UserType
from schema.context import Info

strawberry.enum(RunStatus, description=RunStatus.__doc__)


@strawberry.type(name="WorkflowRun", description="One deploy of one version.")
class WorkflowRunType:
    id: Id
    status: RunStatus
    version: int = strawberry.field(description="Number of the version that it deploys.")
    error: str | None = strawberry.field(description="Why it failed, in a sentence.")
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None

    @strawberry.field(graphql_type=UserType | None, description="Who asked for it.")
    async def started_by(root: strawberry.Parent[WorkflowRun], info: Info) -> User | None:
        return await info.context.loaders.users.load(root.started_by)
