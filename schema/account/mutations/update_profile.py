"""updateProfile: changes the caller's name or e-mail."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.credentials import MAX_NAME
from app.domain.user import User
from schema.account.inputs import Email, Name, Password
from schema.account.types import UserType
from schema.context import Info
from schema.errors import (
    Conflict,
    InvalidCredentials,
    RateLimited,
    Unauthenticated,
    ValidationError,
)


@strawberry.pydantic.input(description="What is left out stays as it is.")
class UpdateProfileInput(BaseModel):
    name: Name | None = Field(default=None, description=f"1 to {MAX_NAME} characters.")
    email: Email | None = Field(default=None, description="The way to sign in from then on.")
    current_password: Password | None = Field(
        default=None, repr=False, description="Needed for a new e-mail."
    )


@strawberry.type
class UpdateProfilePayload:
    user: User = strawberry.field(graphql_type=UserType)


UpdateProfileResult = Annotated[
    UpdateProfilePayload
    | ValidationError
    | Conflict
    | InvalidCredentials
    | RateLimited
    | Unauthenticated,
    strawberry.union("UpdateProfileResult"),
]


@strawberry.mutation(
    description="Changes the caller's name or e-mail; a new e-mail needs `currentPassword`."
)
async def update_profile(info: Info, input: UpdateProfileInput) -> UpdateProfileResult:
    user = await info.context.services.accounts.update_profile(
        info.context.signed_in(),
        name=input.name,
        email=input.email,
        current_password=input.current_password,
        address=info.context.address,
    )
    return UpdateProfilePayload(user=user)
