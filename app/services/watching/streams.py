"""The stream of a workflow's live status: states, each under the id of its node."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime

from app.documents.clusters import ClusterStore
from app.documents.statuses import StatusStore, WorkflowStatuses
from app.domain import policy
from app.domain.errors import NotFound
from app.domain.events import Gap, StreamEnded
from app.domain.ids import Id
from app.domain.node import NodeStatus
from app.domain.statusevents import NodeStatusChanged, WorkflowStatusSnapshot, status_stream
from app.domain.user import Actor
from app.metrics import Metrics
from app.realtime.ending import Ending
from app.realtime.hub import Hub
from app.realtime.topics import Falling
from app.services.following import Following
from app.services.watching.places import Place
from app.services.watching.telling import status_event_of
from app.services.welcome import Welcome

WorkflowStatusEvent = WorkflowStatusSnapshot | NodeStatusChanged | Gap | StreamEnded
"""What comes of `StatusStreams.workflow_status`."""


class Statuses:
    """How the nodes of workflows are."""

    def __init__(
        self, *, store: StatusStore, clusters: ClusterStore, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._clusters = clusters
        self._now = now

    async def of(self, actor: Actor, workflow_ids: Sequence[Id]) -> dict[Id, list[NodeStatus]]:
        """The statuses of the nodes of workflows that the caller sees, where they may look."""
        known = await self._store.of(workflow_ids)
        here = list({one.cluster_id for one in known.values()})
        clusters = {one.id: one for one in await self._clusters.by_ids(here)} if here else {}
        now = self._now()
        return {
            id_: list(one.nodes.values())
            for id_, one in known.items()
            if one.cluster_id in clusters
            and policy.looks_in(actor, clusters[one.cluster_id], one.namespaces, now=now).allowed
        }


class StatusStreams:
    """What people can watch of statuses. Each stream keeps the contract of `following`."""

    def __init__(
        self,
        *,
        hub: Hub,
        statuses: StatusStore,
        clusters: ClusterStore,
        welcome: Welcome,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self._hub = hub
        self._statuses = statuses
        self._clusters = clusters
        self._welcome = welcome
        self._now = now
        self._following = Following[WorkflowStatusSnapshot, NodeStatusChanged](
            hub, metrics, read=status_event_of, falling=Falling.ONTO_THE_NEWEST
        )

    async def workflow_status(
        self, actor: Actor, workflow_id: Id, *, after: int | None = None, until: Ending
    ) -> AsyncGenerator[WorkflowStatusEvent, None]:
        """How the nodes of a workflow are that are deployed, then every change.

        Ends when the workflow is deleted, or the workflow, its cluster or a namespace of it is not
        the caller's to see any more. Raises NotFound and Forbidden when that is so from the
        beginning, Invalid for a bad `after`.
        """
        workflow = await self._welcome.workflow(actor, workflow_id)
        if workflow is None:
            raise NotFound("workflow", path=["workflowId"])
        known = await self._statuses.get(workflow_id)
        cluster = await self._clusters.get(known.cluster_id) if known is not None else None
        if known is not None and cluster is not None:
            now = self._now()
            if not policy.sees_cluster(actor, cluster, now=now):
                raise NotFound("cluster", path=["workflowId"])
            policy.looks_in(actor, cluster, known.namespaces, now=now).enforce()

        async def snapshot() -> WorkflowStatusSnapshot | None:
            found = await self._statuses.get(workflow_id)
            return _snapshot(found) if await place.is_open(found) else None

        async with (
            self._welcome.lasting(actor, workflow, until=until) as ending,
            Place(
                actor,
                ending,
                hub=self._hub,
                clusters=self._clusters,
                statuses=self._statuses,
                now=self._now,
            ) as place,
        ):
            await place.is_open(known)
            first = _snapshot(known)
            events = self._following.follow(
                status_stream(workflow_id),
                snapshot,
                first=first if cluster is not None else replace(first, nodes=[]),
                after=after,
                until=ending,
            )
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, NodeStatusChanged) and not await place.holds(event):
                        continue
                    yield event


def _snapshot(found: WorkflowStatuses | None) -> WorkflowStatusSnapshot:
    """Of a workflow that was never deployed it is empty."""
    if found is None:
        return WorkflowStatusSnapshot(seq=0, nodes=[])
    return WorkflowStatusSnapshot(seq=found.seq, nodes=list(found.nodes.values()))
