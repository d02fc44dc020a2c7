"""refreshCluster: looks at a cluster now."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.cluster import Cluster
from schema.cluster.inputs import ClusterId
from schema.cluster.types import ClusterType
from schema.context import Info
from schema.errors import (
    ClusterUnreachable,
    Forbidden,
    NotFound,
    Unauthenticated,
    ValidationError,
)
from schema.pricing import DIAL


@strawberry.pydantic.input
class RefreshClusterInput(BaseModel):
    cluster_id: ClusterId


@strawberry.type
class RefreshClusterPayload:
    cluster: Cluster = strawberry.field(graphql_type=ClusterType)


RefreshClusterResult = Annotated[
    RefreshClusterPayload
    | ClusterUnreachable
    | ValidationError
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("RefreshClusterResult"),
]


@strawberry.mutation(
    description="Looks at the cluster and what it offers now, and answers it as it is then.",
    directives=[DIAL],
)
async def refresh_cluster(info: Info, input: RefreshClusterInput) -> RefreshClusterResult:
    actor = info.context.signed_in()
    cluster = await info.context.services.cluster_checks.refresh(actor, input.cluster_id)
    return RefreshClusterPayload(cluster=cluster)
