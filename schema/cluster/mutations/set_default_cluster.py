"""setDefaultCluster: chooses where the owner deploys to by default."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.cluster import Cluster
from schema.cluster.inputs import ClusterId
from schema.cluster.types import ClusterType
from schema.context import Info
from schema.errors import Conflict, Forbidden, NotFound, Unauthenticated, ValidationError


@strawberry.pydantic.input
class SetDefaultClusterInput(BaseModel):
    cluster_id: ClusterId


@strawberry.type
class SetDefaultClusterPayload:
    cluster: Cluster = strawberry.field(graphql_type=ClusterType)


SetDefaultClusterResult = Annotated[
    SetDefaultClusterPayload | ValidationError | Conflict | Forbidden | NotFound | Unauthenticated,
    strawberry.union("SetDefaultClusterResult"),
]


@strawberry.mutation(
    description="Makes it its owner's default, instead of the one before. For the owner."
)
async def set_default_cluster(info: Info, input: SetDefaultClusterInput) -> SetDefaultClusterResult:
    actor = info.context.signed_in()
    cluster = await info.context.services.clusters.set_default(actor, input.cluster_id)
    return SetDefaultClusterPayload(cluster=cluster)
