"""Reading clusters."""

import strawberry

from app.domain.cluster import Cluster
from app.domain.ids import Id
from schema.cluster.types import ClusterConnection, ClusterType
from schema.connection import After, Connection, First, page_of
from schema.context import Info


@strawberry.field(
    graphql_type=ClusterType | None,
    description="One cluster; null when there is none or the caller may not see it.",
)
async def cluster(info: Info, id: strawberry.ID) -> Cluster | None:
    actor, known = info.context.signed_in(), Id.parse(id)
    return None if known is None else await info.context.services.clusters.get(actor, known)


@strawberry.field(
    graphql_type=ClusterConnection,
    description="The caller's clusters and those that are shared with them, by name.",
)
async def clusters(info: Info, first: First = 20, after: After = None) -> Connection:
    actor, service = info.context.signed_in(), info.context.services.clusters
    return await page_of(
        lambda keyset: service.page(actor, keyset),
        count=lambda: service.count(actor),
        order="name",
        first=first,
        after=after,
    )


QUERIES = [cluster, clusters]
