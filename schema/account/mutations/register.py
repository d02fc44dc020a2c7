"""register: makes an account."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.session import Session
from app.domain.user import User
from schema.account.inputs import Email, Name, NewPassword
from schema.account.types import SessionType, UserType
from schema.context import Info
from schema.errors import Conflict, Forbidden, RateLimited, ValidationError


@strawberry.pydantic.input
class RegisterInput(BaseModel):
    name: Name
    email: Email
    password: NewPassword = Field(repr=False)
    invite_code: str | None = Field(
        default=None,
        max_length=512,
        repr=False,
        description="Needed where registration is by invitation; see `createInvite`.",
    )


@strawberry.type
class RegisterPayload:
    session: Session = strawberry.field(graphql_type=SessionType)
    user: User = strawberry.field(graphql_type=UserType)


RegisterResult = Annotated[
    RegisterPayload | ValidationError | Conflict | Forbidden | RateLimited,
    strawberry.union("RegisterResult"),
]


@strawberry.mutation(
    description="Makes an account and signs in. The first one on a server is an administrator's."
)
async def register(info: Info, input: RegisterInput) -> RegisterResult:
    signed_in = await info.context.services.accounts.register(
        name=input.name,
        email=input.email,
        password=input.password,
        invite_code=input.invite_code,
        address=info.context.address,
    )
    info.context.sign_in(signed_in.actor)
    return RegisterPayload(session=signed_in.session, user=signed_in.user)
