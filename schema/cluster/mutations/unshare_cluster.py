"""unshareCluster: takes a cluster away from somebody."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.cluster import Cluster
from app.domain.ids import Id
from schema.cluster.inputs import ClusterId
from schema.cluster.types import ClusterType
from schema.context import Info
from schema.errors import Forbidden, NotFound, Unauthenticated, ValidationError


@strawberry.pydantic.input
class UnshareClusterInput(BaseModel):
    cluster_id: ClusterId
    user_id: Id = Field(description="Whose share ends.")


@strawberry.type
class UnshareClusterPayload:
    cluster: Cluster | None = strawberry.field(
        graphql_type=ClusterType | None, description="Null when the caller gave up their own share."
    )


UnshareClusterResult = Annotated[
    UnshareClusterPayload | ValidationError | Forbidden | NotFound | Unauthenticated,
    strawberry.union("UnshareClusterResult"),
]


@strawberry.mutation(
    description="Ends somebody's share at once, on open streams too. Anybody may give up their own."
)
async def unshare_cluster(info: Info, input: UnshareClusterInput) -> UnshareClusterResult:
    cluster = await info.context.services.sharing.unshare(
        info.context.signed_in(), input.cluster_id, input.user_id
    )
    return UnshareClusterPayload(cluster=cluster)
