"""The cluster in GraphQL. Fields are listed one by one: credentials cannot slip through."""

from datetime import datetime

import strawberry

from app.domain.cluster import AuthType, Cluster, ClusterMetadata, ClusterStatus
from app.domain.ids import Id
from app.domain.user import User
from schema.account.types import UserType
from schema.context import Info

strawberry.enum(AuthType, description=AuthType.__doc__)
strawberry.enum(ClusterStatus, description=ClusterStatus.__doc__)


@strawberry.type(
    name="ClusterMetadata",
    description="What discovery found; empty until the cluster was reached once.",
)
class ClusterMetadataType:
    version: str | None = strawberry.field(description="Kubernetes version, such as `v1.36.1`.")
    platform: str | None = strawberry.field(description="Such as `kind`, `eks` or `openshift`.")
    node_count: int | None = strawberry.field(description="Nodes of the cluster.")
    namespaces: list[str] = strawberry.field(description="Names of its namespaces.")
    capabilities: list[str] = strawberry.field(description="What it offers, such as `metrics`.")


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

    @strawberry.field(graphql_type=UserType | None, description="Whose cluster it is.")
    async def owner(root: strawberry.Parent[Cluster], info: Info) -> User | None:
        info.context.cluster_mates.add(root.owner_id)
        return await info.context.loaders.users.load(root.owner_id)
