"""refreshSession: exchanges a refresh token for new tokens."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.session import Session
from app.domain.user import User
from schema.account.inputs import RefreshToken
from schema.account.types import SessionType, UserType
from schema.context import Info
from schema.errors import InvalidCredentials, RateLimited, ValidationError


@strawberry.pydantic.input
class RefreshSessionInput(BaseModel):
    refresh_token: RefreshToken = Field(repr=False)


@strawberry.type
class RefreshSessionPayload:
    session: Session = strawberry.field(graphql_type=SessionType)
    user: User = strawberry.field(graphql_type=UserType)


RefreshSessionResult = Annotated[
    RefreshSessionPayload | InvalidCredentials | RateLimited | ValidationError,
    strawberry.union("RefreshSessionResult"),
]


@strawberry.mutation(
    description="Exchanges a refresh token for new tokens. Each is good once: a second use means "
    "that it is in two hands, and ends the session for both."
)
async def refresh_session(info: Info, input: RefreshSessionInput) -> RefreshSessionResult:
    signed_in = await info.context.services.accounts.refresh(
        input.refresh_token, address=info.context.address
    )
    info.context.sign_in(signed_in.actor)
    return RefreshSessionPayload(session=signed_in.session, user=signed_in.user)
