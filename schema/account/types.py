"""The user and the session in GraphQL. Fields are listed one by one: a hash cannot slip through."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domain import policy
from app.domain.cluster import Cluster
from app.domain.ids import Id
from app.domain.user import Role, User
from schema.connection import connection_type
from schema.context import Info

if TYPE_CHECKING:
    from schema.cluster.types import ClusterType

strawberry.enum(Role, description=Role.__doc__)

_PRIVATE = "Null unless it is the caller's own account, or the caller is an administrator."


@strawberry.type(name="User", description="A person with an account.")
class UserType:
    id: Id
    name: str
    avatar_url: str = strawberry.field(
        description="The sign-in provider's picture, else the one that Gravatar has for the e-mail."
    )
    created_at: datetime
    updated_at: datetime

    @strawberry.field(
        description="Null unless it is the caller's own, the caller is an administrator, or both "
        "share the cluster through which the person was reached."
    )
    def email(root: strawberry.Parent[User], info: Info) -> str | None:
        mates = info.context.cluster_mates
        seen = policy.sees_email(info.context.actor, root.id, shares_cluster=root.id in mates)
        return root.email if seen else None

    @strawberry.field(description=f"What the person may do on this server. {_PRIVATE}")
    def role(root: strawberry.Parent[User], info: Info) -> Role | None:
        return root.role if policy.sees_account(info.context.actor, root.id) else None

    @strawberry.field(
        description=f"The provider that the person signs in with, if it is not us. {_PRIVATE}"
    )
    def auth_provider(root: strawberry.Parent[User], info: Info) -> str | None:
        return root.auth_provider if policy.sees_account(info.context.actor, root.id) else None

    @strawberry.field(description=f"The provider's id of the person. {_PRIVATE}")
    def provider_user_id(root: strawberry.Parent[User], info: Info) -> str | None:
        return root.provider_user_id if policy.sees_account(info.context.actor, root.id) else None

    @strawberry.field(
        graphql_type=Annotated["ClusterType", strawberry.lazy("schema.cluster.types")] | None,
        description="The cluster that the person deploys to by default. Null unless it is the "
        "caller's own account.",
    )
    async def default_cluster(root: strawberry.Parent[User], info: Info) -> Cluster | None:
        actor = info.context.actor
        if actor is None or actor.id != root.id:
            return None
        return await info.context.loaders.default_clusters.load(root.id)


UserConnection = connection_type("User", UserType, "A page of users.")


@strawberry.type(name="Session", description="What a client holds to be signed in.")
class SessionType:
    access_token: str = strawberry.field(
        description="Send it as `Authorization: Bearer …`, or on a websocket as "
        '`{"Authorization": "Bearer …"}` in `connection_init`.'
    )
    refresh_token: str = strawberry.field(
        description="Good for one `refreshSession`. Using it twice ends the session."
    )
    expires_at: datetime = strawberry.field(description="When the access token expires.")
