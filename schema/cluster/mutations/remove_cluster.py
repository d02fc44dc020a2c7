"""removeCluster: forgets a cluster and its credentials."""

from typing import Annotated

import strawberry
from pydantic import BaseModel, Field

from app.domain.ids import Id
from schema.cluster.inputs import ClusterId
from schema.context import Info
from schema.errors import Conflict, Forbidden, NotFound, Unauthenticated, ValidationError


@strawberry.pydantic.input
class RemoveClusterInput(BaseModel):
    cluster_id: ClusterId
    force: bool = Field(
        default=False, description="Also while workflows choose it, which then have none."
    )


@strawberry.type
class RemoveClusterPayload:
    cluster_id: Id


RemoveClusterResult = Annotated[
    RemoveClusterPayload | ValidationError | Conflict | Forbidden | NotFound | Unauthenticated,
    strawberry.union("RemoveClusterResult"),
]


@strawberry.mutation(
    description="Forgets the cluster and its credentials, for its owner. What runs on it stays."
)
async def remove_cluster(info: Info, input: RemoveClusterInput) -> RemoveClusterResult:
    actor = info.context.signed_in()
    await info.context.services.clusters.remove(actor, input.cluster_id, force=input.force)
    return RemoveClusterPayload(cluster_id=input.cluster_id)
