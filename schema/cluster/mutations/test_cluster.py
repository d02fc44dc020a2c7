"""testCluster: asks the cluster what its credentials may do."""

from typing import Annotated

import strawberry
from pydantic import BaseModel

from app.domain.cluster import Cluster, Permission
from schema.cluster.inputs import ClusterId
from schema.cluster.types import ClusterPermissionType, ClusterType
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
class TestClusterInput(BaseModel):
    cluster_id: ClusterId


@strawberry.type
class TestClusterPayload:
    cluster: Cluster = strawberry.field(graphql_type=ClusterType)
    permissions: list[Permission] = strawberry.field(
        graphql_type=list[ClusterPermissionType],
        description="What deploying takes, and whether the cluster allows it.",
    )


TestClusterResult = Annotated[
    TestClusterPayload
    | ClusterUnreachable
    | ValidationError
    | Forbidden
    | NotFound
    | Unauthenticated,
    strawberry.union("TestClusterResult"),
]


@strawberry.mutation(
    description="Looks at the cluster now, and asks it what its credentials may do.",
    directives=[DIAL],
)
async def test_cluster(info: Info, input: TestClusterInput) -> TestClusterResult:
    actor = info.context.signed_in()
    checks = info.context.services.cluster_checks
    cluster, permissions = await checks.test(actor, input.cluster_id)
    return TestClusterPayload(cluster=cluster, permissions=permissions)
