"""login: signs in with e-mail and password."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.session import Session
from app.domain.user import User
from schema.account.inputs import Email, Password
from schema.account.types import SessionType, UserType
from schema.context import Info
from schema.errors import InvalidCredentials, RateLimited, ValidationError


@strawberry.pydantic.input
class LoginInput(BaseModel):
    email: Email
    password: Password = Field(repr=False)


@strawberry.type
class LoginPayload:
    session: Session = strawberry.field(graphql_type=SessionType)
    user: User = strawberry.field(graphql_type=UserType)


LoginResult = Annotated[
    LoginPayload | InvalidCredentials | RateLimited | ValidationError,
    strawberry.union("LoginResult"),
]


@strawberry.mutation(description="Signs in. Too many failures close the door for a while.")
async def login(info: Info, input: LoginInput) -> LoginResult:
    signed_in = await info.context.services.accounts.login(
        email=input.email, password=input.password, address=info.context.address
    )
    info.context.sign_in(signed_in.actor)
    return LoginPayload(session=signed_in.session, user=signed_in.user)
