"""updateCluster: changes what people call a cluster."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.cluster import Cluster
from schema.cluster.inputs import ClusterId, ClusterLabels
from schema.cluster.types import ClusterType
from schema.context import Info
from schema.errors import Forbidden, NotFound, Unauthenticated, ValidationError
from schema.workflow.inputs import Description, Name


@strawberry.pydantic.input(
    description="What is left out stays. Where the API server is changes with the credentials "
    "only: `updateClusterCredentials`."
)
class UpdateClusterInput(BaseModel):
    cluster_id: ClusterId
    display_name: Annotated[
        strawberry.Maybe[Name], strawberry.field(description="1 to 200 characters.")
    ]
    description: Annotated[
        strawberry.Maybe[Description | None],
        strawberry.field(description="At most 5,000 characters; null for none."),
    ]
    labels: Annotated[
        strawberry.Maybe[ClusterLabels], strawberry.field(description="All of them: at most 50.")
    ]

    def fields(self) -> dict[str, object]:
        """What was given, by name."""
        return self.model_dump(exclude={"cluster_id"}, exclude_unset=True)


@strawberry.type
class UpdateClusterPayload:
    cluster: Cluster = strawberry.field(graphql_type=ClusterType)


UpdateClusterResult = Annotated[
    UpdateClusterPayload | ValidationError | Forbidden | NotFound | Unauthenticated,
    strawberry.union("UpdateClusterResult"),
]


@strawberry.mutation(description="Changes the display name, description or labels.")
async def update_cluster(info: Info, input: UpdateClusterInput) -> UpdateClusterResult:
    cluster = await info.context.services.clusters.update(
        info.context.signed_in(), input.cluster_id, input.fields()
    )
    return UpdateClusterPayload(cluster=cluster)
