"""The cluster in GraphQL. Fields are listed one by one: credentials cannot slip through."""

from datetime import datetime

import strawberry

from app.domain.cluster import (
    AuthType,
    Cluster,
    ClusterMetadata,
    ClusterRole,
    ClusterShare,
    ClusterStatus,
)
from app.domain.ids import Id
from app.domain.policy import ClusterAction, Decision
from app.domain.user import User
from schema.account.types import UserType
from schema.connection import connection_type
from schema.context import Info
from schema.permission import PermissionType
from schema.pricing import Cost

strawberry.enum(AuthType, description=AuthType.__doc__)
strawberry.enum(ClusterRole, description=ClusterRole.__doc__)
strawberry.enum(ClusterStatus, description=ClusterStatus.__doc__)


@strawberry.type(
    name="ClusterMetadata",
    description="What discovery found; empty until the cluster was reached once.",
)
class ClusterMetadataType:
    version: str | None = strawberry.field(description="Kubernetes version, such as `v1.36.1`.")
    platform: str | None = strawberry.field(description="Such as `kind`, `eks` or `openshift`.")
    node_count: int | None = strawberry.field(description="Nodes of the cluster.")
    namespaces: list[str] = strawberry.field(
        description="Names of its namespaces; of those that are shared with the caller."
    )
    capabilities: list[str] = strawberry.field(description="What it offers, such as `metrics`.")


async def _mate(info: Info, user_id: Id) -> User | None:
    """Somebody whom the caller knows by a cluster that both see."""
    info.context.cluster_mates.add(user_id)
    return await info.context.loaders.users.load(user_id)


@strawberry.type(name="ClusterShare", description="One person's access to a cluster.")
class ClusterShareType:
    user_id: Id
    role: ClusterRole
    namespaces: list[str] = strawberry.field(description="None means all of them.")
    expires_at: datetime | None = strawberry.field(description="Null means for good.")

    @strawberry.field(
        graphql_type=UserType | None, description="Null when the account is there no more."
    )
    async def user(root: strawberry.Parent[ClusterShare], info: Info) -> User | None:
        return await _mate(info, root.user_id)


@strawberry.type(
    name="ClusterPermission", description="Whether the cluster lets its credentials do something."
)
class ClusterPermissionType:
    verb: str = strawberry.field(description="Such as `patch`.")
    resource: str = strawberry.field(description="With its group, as in `deployments.apps`.")
    namespace: str | None = strawberry.field(description="Null means in all of them.")
    allowed: bool


@strawberry.type(description="What the caller may do with this cluster.")
class ClusterPermissions:
    deploy: Decision = strawberry.field(
        graphql_type=PermissionType, description="Deploy to it, in the namespaces that are shared."
    )
    administer: Decision = strawberry.field(
        graphql_type=PermissionType, description="Change it and its credentials, and share it."
    )
    own: Decision = strawberry.field(
        graphql_type=PermissionType, description="Remove it, and make it the default."
    )


@strawberry.type(name="Cluster", description="A Kubernetes API server that workflows deploy to.")
class ClusterType:
    id: Id
    name: str = strawberry.field(description="URL-safe; unique among its owner's clusters.")
    display_name: str = strawberry.field(description="The name for people.")
    description: str | None
    server: str = strawberry.field(description="Address of the API server.")
    auth_type: AuthType
    status: ClusterStatus
    status_message: str | None = strawberry.field(description="Why the status is what it is.")
    last_check: datetime | None
    latency_ms: int | None = strawberry.field(description="Of the last check, in milliseconds.")
    default: bool = strawberry.field(description="Whether it is its owner's default.")
    labels: dict[str, str]
    metadata: ClusterMetadata = strawberry.field(graphql_type=ClusterMetadataType)
    created_at: datetime
    updated_at: datetime
    seq: int = strawberry.field(
        description="Number of its newest event: what a subscription takes as `after`."
    )
    shared_with: list[ClusterShare] = strawberry.field(
        graphql_type=list[ClusterShareType],
        directives=[Cost(length=5)],
        description="Who else sees it: for those who may share it; others see their own share.",
    )

    @strawberry.field(graphql_type=UserType | None, description="Whose cluster it is.")
    async def owner(root: strawberry.Parent[Cluster], info: Info) -> User | None:
        return await _mate(info, root.owner_id)

    @strawberry.field(description="What the caller may do with it, and if not, why.")
    def viewer_can(root: strawberry.Parent[Cluster], info: Info) -> ClusterPermissions:
        actor, clusters = info.context.signed_in(), info.context.services.clusters
        return ClusterPermissions(
            deploy=clusters.may(actor, ClusterAction.DEPLOY, root),
            administer=clusters.may(actor, ClusterAction.ADMINISTER, root),
            own=clusters.may(actor, ClusterAction.OWN, root),
        )


ClusterConnection = connection_type("Cluster", ClusterType, "A page of clusters.")
