"""Reading accounts."""

from typing import Annotated

import strawberry

from app.domain import policy
from app.domain.ids import Id
from app.domain.user import User
from schema.account.types import UserConnection, UserType
from schema.connection import After, Connection, First, page_of
from schema.context import Info

Search = Annotated[
    str | None,
    strawberry.argument(description="Beginnings of words of the name or e-mail, in any case."),
]


@strawberry.field(
    graphql_type=UserType | None, description="Who is signed in; null when nobody is."
)
def viewer(info: Info) -> User | None:
    actor = info.context.actor
    return actor.user if actor else None


@strawberry.field(
    graphql_type=UserType | None,
    description="One user: the caller, or anybody for an administrator. Null otherwise.",
)
async def user(info: Info, id: strawberry.ID) -> User | None:
    known = Id.parse(id)
    if known is None or not policy.sees_account(info.context.actor, known):
        return None
    return await info.context.loaders.users.load(known)


@strawberry.field(
    graphql_type=UserConnection,
    description="Everybody, in the order they came. For administrators.",
)
async def users(
    info: Info, first: First = 20, after: After = None, search: Search = None
) -> Connection:
    actor, accounts = info.context.signed_in(), info.context.services.accounts
    return await page_of(
        lambda keyset: accounts.page(actor, search, keyset),
        count=lambda: accounts.count(actor, search),
        first=first,
        after=after,
    )


QUERIES = [viewer, user, users]
