"""shareCluster: lets somebody else use a cluster."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.cluster import Cluster, ClusterRole
from app.domain.credentials import MAX_EMAIL
from app.domain.fields import Namespace
from schema.cluster.inputs import ClusterId, Moment
from schema.cluster.types import ClusterType
from schema.context import Info
from schema.errors import (
    Forbidden,
    LimitExceeded,
    NotFound,
    RateLimited,
    Unauthenticated,
    ValidationError,
)


@strawberry.pydantic.input
class ShareClusterInput(BaseModel):
    cluster_id: ClusterId
    email: str = Field(max_length=MAX_EMAIL, description="That the person signs in with.")
    role: ClusterRole
    namespaces: list[Namespace] = Field(
        default_factory=list, max_length=100, description="At most 100; none means all of them."
    )
    expires_at: Moment | None = Field(default=None, description="Left out: for good.")


@strawberry.type
class ShareClusterPayload:
    cluster: Cluster = strawberry.field(graphql_type=ClusterType)


ShareClusterResult = Annotated[
    ShareClusterPayload
    | ValidationError
    | LimitExceeded
    | RateLimited
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("ShareClusterResult"),
]


@strawberry.mutation(
    description="Lets somebody use the cluster, or replaces what they were given. Nobody gives "
    "more than they have."
)
async def share_cluster(info: Info, input: ShareClusterInput) -> ShareClusterResult:
    cluster = await info.context.services.sharing.share(
        info.context.signed_in(),
        input.cluster_id,
        input.email,
        role=input.role,
        namespaces=input.namespaces,
        expires_at=input.expires_at,
    )
    return ShareClusterPayload(cluster=cluster)
