"""Deployed workflows without an engine: objects are applied, and noted in the inventory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app.bootstrap import utc_now
from app.documents.clusters import ClusterStore
from app.documents.database import Transaction
from app.documents.drifts import DriftStore
from app.documents.inventories import InventoryStore, digest_of
from app.documents.runs import RunStore
from app.documents.statuses import StatusStore
from app.documents.versions import VersionStore
from app.documents.watches import WatchStore
from app.documents.work import WorkStore
from app.documents.workflows import WorkflowStore
from app.domain.compile import compile as compile_canvas
from app.domain.health import HealthState
from app.domain.ids import Id
from app.domain.manifest import Manifest
from app.domain.planning import InventoryEntry, ObjectKey
from app.domain.planning.waves import applying
from app.domain.statusevents import NodeStatusChanged, WorkflowStatusSnapshot
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.kube.applying import apply, delete, read
from app.kube.informers import Informers
from app.kube.watching import Rhythm
from app.realtime.ending import Ending
from app.services import Services
from app.services.changing import VersionDraft
from app.services.watching.drifting import Drifts
from app.services.watching.keeping import LiveStatus
from app.services.watching.rounds import Rounds
from app.services.watching.streams import Statuses, StatusStreams
from app.services.watching.telling import StatusTelling
from app.services.welcome import Welcome
from tests.deploying import There, parts

PATIENCE = 30.0
LEASE = timedelta(seconds=3)


@dataclass
class Stage:
    """Everything of this room, made by hand on the services of a test."""

    services: Services
    owner: Actor
    inventories: InventoryStore = field(default_factory=InventoryStore)
    statuses: StatusStore = field(default_factory=StatusStore)
    watches: WatchStore = field(default_factory=WatchStore)
    drift_store: DriftStore = field(default_factory=DriftStore)

    def __post_init__(self) -> None:
        made = parts(self.services)
        self.database, self.outbox, self.connect = made.database, made.outbox, made.connect
        hub = self.services.streams._edits._hub
        self.hub = hub
        self.telling = StatusTelling(
            database=self.database,
            outbox=self.outbox,
            inventories=self.inventories,
            statuses=self.statuses,
            watches=self.watches,
            now=utc_now,
        )
        self.welcome = Welcome(hub=hub, workflows=WorkflowStore())
        self.streams = StatusStreams(
            hub=hub,
            statuses=self.statuses,
            clusters=ClusterStore(),
            welcome=self.welcome,
            metrics=self.services.metrics,
            now=utc_now,
        )
        self.shown = Statuses(store=self.statuses, clusters=ClusterStore(), now=utc_now)
        self.drifts = Drifts(
            clusters=ClusterStore(),
            inventories=self.inventories,
            versions=VersionStore(),
            work=WorkStore(),
            store=self.drift_store,
            connect=self.connect,
            at_once=4,
            objects_at_once=8,
            now=utc_now,
        )

    @asynccontextmanager
    async def keeping(
        self,
        *,
        lease: timedelta = LEASE,
        drift: timedelta = timedelta(hours=1),
        most: int = 100,
    ) -> AsyncIterator[Informers]:
        """A replica that looks after clusters; what it watches with."""
        informers = Informers(self.connect, rhythm=Rhythm(pause=0.05))
        live = LiveStatus(
            clusters=ClusterStore(),
            inventories=self.inventories,
            statuses=self.statuses,
            work=WorkStore(),
            runs=RunStore(),
            watches=self.watches,
            telling=self.telling,
            informers=informers,
            rounds=Rounds(drifts=self.drifts, store=self.drift_store, every=drift, now=utc_now),
            hub=self.hub,
            lease=lease,
            most=most,
            now=utc_now,
        )
        async with AsyncExitStack() as stack:
            stack.push_async_callback(informers.close)
            await stack.enter_async_context(live.running())
            self._live = live
            yield informers

    @property
    def keepers(self) -> "set[asyncio.Task[None]]":
        """What looks after clusters here."""
        return set(self._live._tasks)

    def manifests(self, workflow: Workflow) -> list[Manifest]:
        return compile_canvas(
            workflow.canvas,
            workflow_id=workflow.id,
            workflow_name=workflow.name,
            namespace=workflow.namespace,
        )

    async def note(
        self,
        workflow: Workflow,
        there: There,
        entries: list[InventoryEntry],
        *,
        version: int | None = None,
    ) -> None:
        """Writes the inventory, as a run does at its beginning and, with a version, at its end."""

        async def work(transaction: Transaction) -> None:
            await self.inventories.put(
                workflow.id,
                there.known.id,
                namespace=workflow.namespace,
                entries=entries,
                now=utc_now(),
                transaction=transaction,
            )
            await self.inventories.deployed(
                workflow.id,
                there.known.id,
                version=version,
                workflow_name=workflow.name,
                now=utc_now(),
                transaction=transaction,
            )

        await self.database.transaction(work)

    async def deploy(self, workflow: Workflow, there: There) -> None:
        """Applies the canvas as it is, and notes that a new version of it is live."""
        made = self.manifests(workflow)
        await self.note(workflow, there, entries(made))
        async with self.connect(there.known) as client:
            for wave in applying(made):
                for manifest in wave:
                    await apply(client, manifest.object)
        version = await self.services.versions.create(self.owner, workflow.id, VersionDraft())
        await self.note(workflow, there, entries(made), version=version.number)

    async def undeploy(self, workflow: Workflow, there: There) -> None:
        """Deletes one object after the other, and notes that each is gone."""
        async with self.connect(there.known) as client:
            for manifest in self.manifests(workflow):
                live = await read(client, manifest.object)
                assert live is not None
                await delete(client, manifest.object, uid=live["metadata"]["uid"])
                await self._gone(workflow, there, digest_of(ObjectKey.of_manifest(manifest)))
        await self.note(workflow, there, [])

    async def _gone(self, workflow: Workflow, there: There, digest: str) -> None:
        async def work(transaction: Transaction) -> None:
            await self.inventories.note(
                workflow.id, there.known.id, made={}, gone=[digest], transaction=transaction
            )

        await self.database.transaction(work)

    @asynccontextmanager
    async def watching(
        self, workflow_id: Id, *, actor: Actor | None = None, after: int | None = None
    ) -> AsyncIterator["Followed"]:
        """The status of a workflow as a subscriber has it."""
        stream = self.streams.workflow_status(
            actor or self.owner, workflow_id, after=after, until=Ending()
        )
        async with aclosing(stream):
            yield Followed(stream)


class Followed:
    """The states of nodes, put together from a snapshot and events. Every number comes in order."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.states: dict[str, NodeStatusChanged | Any] = {}
        self.seq = -1
        self.told: list[tuple[str, HealthState]] = []

    async def next(self) -> Any:
        """The next event."""
        async with asyncio.timeout(PATIENCE):
            event = await anext(self._stream)
        assert event.seq > self.seq or not isinstance(event, NodeStatusChanged)
        self.seq = event.seq
        if isinstance(event, WorkflowStatusSnapshot):
            self.states = {each.node_id: each for each in event.nodes}
        elif isinstance(event, NodeStatusChanged):
            self.states[event.status.node_id] = event.status
            self.told.append((event.status.node_id, event.status.state))
        return event

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The states, as soon as they are so."""
        while not holds(self.states):
            await self.next()
        return self.states

    async def until_all(self, state: HealthState, *nodes: str) -> dict[str, Any]:
        """When all of these nodes are in a state."""
        return await self.until(
            lambda states: all(node in states and states[node].state is state for node in nodes)
        )


def entries(manifests: list[Manifest]) -> list[InventoryEntry]:
    """What a run of these notes."""
    return [
        InventoryEntry(ObjectKey.of_manifest(manifest), None, manifest.node_id)
        for manifest in manifests
    ]
