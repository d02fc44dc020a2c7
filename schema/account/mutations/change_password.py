"""changePassword: changes the caller's password."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.session import Session
from app.domain.user import User
from schema.account.inputs import NewPassword, Password
from schema.account.types import SessionType, UserType
from schema.context import Info
from schema.errors import (
    Conflict,
    InvalidCredentials,
    RateLimited,
    Unauthenticated,
    ValidationError,
)


@strawberry.pydantic.input
class ChangePasswordInput(BaseModel):
    current_password: Password = Field(repr=False)
    new_password: NewPassword = Field(repr=False)


@strawberry.type
class ChangePasswordPayload:
    session: Session = strawberry.field(graphql_type=SessionType)
    user: User = strawberry.field(graphql_type=UserType)


ChangePasswordResult = Annotated[
    ChangePasswordPayload
    | InvalidCredentials
    | ValidationError
    | Conflict
    | RateLimited
    | Unauthenticated,
    strawberry.union("ChangePasswordResult"),
]


@strawberry.mutation(
    description="Changes the password and ends every session, this one too: go on with the new one."
)
async def change_password(info: Info, input: ChangePasswordInput) -> ChangePasswordResult:
    signed_in = await info.context.services.accounts.change_password(
        info.context.signed_in(),
        current=input.current_password,
        new=input.new_password,
        address=info.context.address,
    )
    info.context.sign_in(signed_in.actor)
    return ChangePasswordPayload(session=signed_in.session, user=signed_in.user)
