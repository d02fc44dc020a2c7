"""Writing what was seen of a workflow's nodes: the state and what is told of it, together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.documents.database import Database, Transaction, encode
from app.documents.inventories import InventoryStore
from app.documents.statuses import StatusStore, WorkflowStatuses
from app.documents.watches import Watch, WatchStore
from app.domain.events import Event
from app.domain.health import HealthState
from app.domain.ids import Id
from app.domain.livestatus import says_the_same
from app.domain.node import NodeStatus
from app.domain.statusevents import NodeStatusChanged, status_stream
from app.realtime.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a workflow: the status of each node that is deployed, None for one that is
    as it was. `namespaces` are those of its objects."""

    nodes: Mapping[str, NodeStatus | None]
    namespaces: tuple[str | None, ...]

    def differs_from(self, known: WorkflowStatuses | None, cluster_id: Id) -> bool:
        """Whether there is anything to write."""
        if known is None:
            return any(status is not None for status in self.nodes.values())
        if not self.nodes:
            return bool(known.nodes)
        if (known.cluster_id, known.namespaces) != (cluster_id, self.namespaces):
            return True
        return bool(_changed(self, known) or known.nodes.keys() - self.nodes.keys())


class LostWatch(Exception):
    """Somebody else looks after the cluster now: nothing was written."""


class StatusTelling:
    """Writes statuses of workflows on the condition that their cluster is still ours to tell of."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        inventories: InventoryStore,
        statuses: StatusStore,
        watches: WatchStore,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._inventories = inventories
        self._statuses = statuses
        self._watches = watches
        self._now = now

    async def tell(
        self, watch: Watch, seen: Mapping[Id, Seen], *, until: datetime
    ) -> dict[Id, WorkflowStatuses | None]:
        """How the workflows are now, and None of those that have moved to another cluster.

        Keeps the watch until `until`. Raises LostWatch.
        """

        async def work(transaction: Transaction) -> dict[Id, WorkflowStatuses | None]:
            if not await self._watches.keep(watch, until=until, transaction=transaction):
                raise LostWatch
            return {
                workflow_id: await self._tell(watch, workflow_id, one, transaction)
                for workflow_id, one in seen.items()
            }

        return await self._database.transaction(work)

    async def _tell(
        self, watch: Watch, workflow_id: Id, seen: Seen, transaction: Transaction
    ) -> WorkflowStatuses | None:
        before = await self._statuses.get(workflow_id, transaction)
        if before is not None and not await self._is_here(watch, before, transaction):
            return None
        now = self._now()
        known = before or WorkflowStatuses(workflow_id, watch.cluster_id, (), 0, {})
        changed = _changed(seen, known)
        gone = {id_: _removed(id_, now) for id_ in known.nodes.keys() - seen.nodes.keys()}
        told = changed | gone
        kept = {id_: one for id_, one in known.nodes.items() if id_ not in gone}
        after = WorkflowStatuses(
            workflow_id=workflow_id,
            cluster_id=watch.cluster_id,
            namespaces=seen.namespaces or known.namespaces,
            seq=known.seq + len(told),
            nodes=kept | changed,
        )
        await self._statuses.record(after, changed=changed, gone=gone, transaction=transaction)
        if told:
            events = [
                _event(after, known.seq + number, one, now)
                for number, one in enumerate(told.values(), 1)
            ]
            await self._outbox.supersede(events, transaction)
        return after

    async def _is_here(
        self, watch: Watch, before: WorkflowStatuses, transaction: Transaction
    ) -> bool:
        """Whether it is this cluster that the workflow was deployed to last."""
        if before.cluster_id == watch.cluster_id:
            return True
        workflow_id = before.workflow_id
        here = await self._inventories.get(workflow_id, watch.cluster_id, transaction)
        there = await self._inventories.get(workflow_id, before.cluster_id, transaction)
        if here is None or not here.of_nodes:
            return False
        return there is None or not there.of_nodes or there.updated_at < here.updated_at


def _changed(seen: Seen, known: WorkflowStatuses) -> dict[str, NodeStatus]:
    return {
        id_: one
        for id_, one in seen.nodes.items()
        if one is not None and not says_the_same(known.nodes.get(id_), one)
    }


def _removed(node_id: str, now: datetime) -> NodeStatus:
    return NodeStatus(
        node_id=node_id,
        state=HealthState.MISSING,
        reason="NotDeployed",
        message="It is not deployed any more.",
        updated_at=now,
    )


def _event(after: WorkflowStatuses, seq: int, status: NodeStatus, now: datetime) -> Event:
    return Event(
        stream=status_stream(after.workflow_id),
        seq=seq,
        type=NodeStatusChanged.__name__,
        payload={
            "status": encode(status),
            "cluster_id": str(after.cluster_id),
            "namespaces": list(after.namespaces),
        },
        actor_id=None,
        at=now,
        key=status.node_id,
    )


def status_event_of(event: Event) -> NodeStatusChanged:
    """What was told, with its place in the stream."""
    payload = event.payload
    return NodeStatusChanged(
        stream=event.stream,
        seq=event.seq,
        at=event.at,
        status=NodeStatus.model_validate(payload["status"]),
        cluster_id=Id(payload["cluster_id"]),
        namespaces=tuple(payload["namespaces"]),
    )
