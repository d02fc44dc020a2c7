"""Watching clusters: one, or all that the caller sees."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated

import strawberry

from app.domain.cluster import Cluster
from app.domain.errors import NotFound
from app.domain.events import (
    ClusterRemoved,
    ClusterSnapshot,
    ClustersSnapshot,
    ClusterStatusChanged,
)
from app.domain.ids import Id
from app.services.clusterstreams import ClustersStreamEvent, ClusterStreamEvent
from schema.cluster.types import ClusterType
from schema.context import Info
from schema.pricing import Cost
from schema.stream import StreamEndedType, StreamEvent, StreamGap


@strawberry.type(name="ClusterSnapshot", description="The cluster, as of `seq`.")
class ClusterSnapshotType(StreamEvent):
    cluster: Cluster = strawberry.field(graphql_type=ClusterType)

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, ClusterSnapshot)


@strawberry.type(
    name="ClustersSnapshot", description="The clusters that the caller sees, by name, as of `seq`."
)
class ClustersSnapshotType(StreamEvent):
    clusters: list[Cluster] = strawberry.field(
        graphql_type=list[ClusterType],
        directives=[Cost(length=100)],
        description="The first 1,000.",
    )

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, ClustersSnapshot)


@strawberry.type(
    name="ClusterStatusChanged",
    description="A cluster is new to the caller, or it has changed. A check that finds "
    "everything as it was moves `lastCheck` and `latencyMs` without an event.",
)
class ClusterStatusChangedType(StreamEvent):
    at: datetime = strawberry.field(description="When it was seen or done.")
    cluster: Cluster = strawberry.field(
        graphql_type=ClusterType, description="The whole cluster, as it is after the change."
    )

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, ClusterStatusChanged)


@strawberry.type(
    name="ClusterRemoved",
    description="A cluster is gone, or not the caller's to see any more.",
)
class ClusterRemovedType(StreamEvent):
    at: datetime = strawberry.field(description="When that happened.")
    cluster_id: Id

    @classmethod
    def is_type_of(cls, value: object, _: object) -> bool:
        return isinstance(value, ClusterRemoved)


ClusterStatusEvent = Annotated[
    ClusterSnapshotType
    | ClusterStatusChangedType
    | ClusterRemovedType
    | StreamGap
    | StreamEndedType,
    strawberry.union("ClusterStatusEvent"),
]

ClustersStatusEvent = Annotated[
    ClustersSnapshotType
    | ClusterStatusChangedType
    | ClusterRemovedType
    | StreamGap
    | StreamEndedType,
    strawberry.union("ClustersStatusEvent"),
]


@strawberry.subscription(
    graphql_type=ClusterStatusEvent,
    description=(
        "The cluster, then every change of its status and of itself. With `after`, the changes "
        "behind that seq instead. Ends when the cluster is removed, or not the caller's to see."
    ),
)
async def cluster_status(
    info: Info, cluster_id: strawberry.ID, after: int | None = None
) -> AsyncGenerator[ClusterStreamEvent, None]:
    known = Id.parse(cluster_id)
    context = info.context
    actor = context.signed_in()
    if known is None:
        raise NotFound("cluster", path=["clusterId"])
    return context.services.cluster_streams.one(actor, known, after=after, until=context.ending)


@strawberry.subscription(
    graphql_type=ClustersStatusEvent,
    description=(
        "All clusters that the caller sees, then every change of any of them. With `after`, the "
        "changes behind that seq instead."
    ),
)
async def clusters_status(
    info: Info, after: int | None = None
) -> AsyncGenerator[ClustersStreamEvent, None]:
    context = info.context
    actor = context.signed_in()
    return context.services.cluster_streams.all(actor, after=after, until=context.ending)


SUBSCRIPTIONS = [cluster_status, clusters_status]
