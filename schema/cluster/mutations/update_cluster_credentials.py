"""updateClusterCredentials: replaces what proves who we are, and with it where the server is."""

from typing import Annotated

import strawberry
from pydantic import Field

from app.domain.cluster import Cluster
from schema.cluster.inputs import (
    SERVER_NAME_SAYS,
    SERVER_SAYS,
    ClusterCredentialsInput,
    ClusterId,
    SecretInput,
    Server,
    ServerName,
    place,
)
from schema.cluster.types import ClusterType
from schema.context import Info
from schema.errors import Forbidden, NotFound, Unauthenticated, ValidationError
from schema.pricing import DIAL


@strawberry.pydantic.input(
    description="The credentials are replaced as a whole: nothing of the old ones is kept."
)
class UpdateClusterCredentialsInput(SecretInput):
    cluster_id: ClusterId
    server: Server = Field(
        default=None, description=f"{SERVER_SAYS} Left out, it stays, if you chose it."
    )
    tls_server_name: ServerName = Field(default=None, description=SERVER_NAME_SAYS)
    credentials: ClusterCredentialsInput


@strawberry.type
class UpdateClusterCredentialsPayload:
    cluster: Cluster = strawberry.field(graphql_type=ClusterType)


UpdateClusterCredentialsResult = Annotated[
    UpdateClusterCredentialsPayload | ValidationError | Forbidden | NotFound | Unauthenticated,
    strawberry.union("UpdateClusterCredentialsResult"),
]


@strawberry.mutation(
    description="Replaces the credentials, and looks at the cluster at once.", directives=[DIAL]
)
async def update_cluster_credentials(
    info: Info, input: UpdateClusterCredentialsInput
) -> UpdateClusterCredentialsResult:
    cluster = await info.context.services.clusters.update_credentials(
        info.context.signed_in(),
        input.cluster_id,
        input.credentials.draft(),
        place(input.server, input.tls_server_name),
    )
    return UpdateClusterCredentialsPayload(cluster=cluster)
