"""createInvite: invites somebody to register."""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.session import Invite
from schema.account.inputs import Email
from schema.context import Info
from schema.errors import Conflict, Forbidden, Unauthenticated, ValidationError


@strawberry.pydantic.input
class CreateInviteInput(BaseModel):
    email: Email | None = Field(default=None, description="The only e-mail that it is good for.")
    expires_in_hours: int = Field(default=7 * 24, ge=1, le=90 * 24, description="1 to 2160.")


@strawberry.type(name="Invite", description="An invitation to register, good once.")
class InviteType:
    code: str = strawberry.field(description="The `inviteCode`. Shown now and never again.")
    email: str | None = strawberry.field(description="The only e-mail that it is good for.")
    expires_at: datetime


@strawberry.type
class CreateInvitePayload:
    invite: Invite = strawberry.field(graphql_type=InviteType)


CreateInviteResult = Annotated[
    CreateInvitePayload | ValidationError | Conflict | Forbidden | Unauthenticated,
    strawberry.union("CreateInviteResult"),
]


@strawberry.mutation(description="Makes an invitation to register. For administrators.")
async def create_invite(info: Info, input: CreateInviteInput) -> CreateInviteResult:
    invite = await info.context.services.accounts.create_invite(
        info.context.signed_in(),
        email=input.email,
        lifetime=timedelta(hours=input.expires_in_hours),
    )
    return CreateInvitePayload(invite=invite)
