"""addCluster: brings a cluster in."""

from typing import Annotated

import strawberry
from pydantic import Field

from app.domain.cluster import Cluster
from app.services.clusters import ClusterDraft
from schema.cluster.inputs import (
    SERVER_NAME_SAYS,
    SERVER_SAYS,
    ClusterCredentialsInput,
    ClusterLabels,
    ClusterName,
    SecretInput,
    Server,
    ServerName,
    place,
)
from schema.cluster.types import ClusterType
from schema.context import Info
from schema.errors import Conflict, LimitExceeded, Unauthenticated, ValidationError
from schema.pricing import DIAL
from schema.workflow.inputs import Description, OptionalName


@strawberry.pydantic.input
class AddClusterInput(SecretInput):
    name: ClusterName
    display_name: OptionalName = Field(default=None, description="Left out: the name.")
    description: Description | None = None
    server: Server = Field(default=None, description=SERVER_SAYS)
    tls_server_name: ServerName = Field(default=None, description=SERVER_NAME_SAYS)
    labels: ClusterLabels = Field(default_factory=dict, description="At most 50.")
    default: bool = Field(
        default=False, description="Whether it becomes the default; one's first does in any case."
    )
    credentials: ClusterCredentialsInput


@strawberry.type
class AddClusterPayload:
    cluster: Cluster = strawberry.field(graphql_type=ClusterType)


AddClusterResult = Annotated[
    AddClusterPayload | ValidationError | Conflict | LimitExceeded | Unauthenticated,
    strawberry.union("AddClusterResult"),
]


@strawberry.mutation(
    description="Brings a cluster of the caller's own in, and looks at it at once. One that does "
    "not answer is kept all the same: its status says why.",
    directives=[DIAL],
)
async def add_cluster(info: Info, input: AddClusterInput) -> AddClusterResult:
    draft = ClusterDraft(
        name=input.name,
        display_name=input.display_name,
        description=input.description,
        place=place(input.server, input.tls_server_name),
        credentials=input.credentials.draft(),
        labels=input.labels,
        default=input.default,
    )
    actor = info.context.signed_in()
    return AddClusterPayload(cluster=await info.context.services.clusters.add(actor, draft))
