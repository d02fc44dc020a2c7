"""logout: ends a session."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from schema.account.inputs import RefreshToken
from schema.context import Info
from schema.errors import ValidationError


@strawberry.pydantic.input
class LogoutInput(BaseModel):
    refresh_token: RefreshToken | None = Field(
        default=None, repr=False, description="Of another session to end, or of this one."
    )


@strawberry.type
class LogoutPayload:
    ok: bool = strawberry.field(description="Always true: what has ended stays so.")


LogoutResult = Annotated[LogoutPayload | ValidationError, strawberry.union("LogoutResult")]


@strawberry.mutation(
    description="Ends the session of the access token, and that of `refreshToken`, at once. "
    "Ending one that has ended, or none, is no error."
)
async def logout(info: Info, input: LogoutInput) -> LogoutResult:
    await info.context.services.accounts.logout(
        info.context.actor, refresh_token=input.refresh_token
    )
    return LogoutPayload(ok=True)
