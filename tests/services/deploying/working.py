"""A worker of the test's own, runs for it, and what their streams have told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, cast

from app.bootstrap import utc_now
from app.documents.clusters import ClusterStore
from app.documents.runs import RunStore
from app.documents.users import UserStore
from app.documents.versions import VersionStore
from app.domain.cluster import Cluster
from app.domain.deploying import DeployDraft
from app.domain.editing import EdgeDraft, NodeDraft, UpdateNode
from app.domain.errors import ClusterError, ClusterFault
from app.domain.ids import Id
from app.domain.run import WorkflowRun
from app.domain.runevents import RunEvent, RunFinished, RunLog, RunNodeChanged, run_stream
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.kube.calling import Calls
from app.kube.client import Answer, KubeClient, Request
from app.kube.informers import Informers
from app.services import Services
from app.services.checking import Connect
from app.services.deploying.engine import Means, RunPace
from app.services.deploying.loading import Loading
from app.services.deploying.worker import Worker
from app.services.runtelling import run_event_of
from tests.deploying import There, deployments, ledgers, parts, published

PATIENCE = 60.0
"""Seconds after which a run that should end does not."""

QUICK = RunPace(
    at_once=4,
    applies_at_once=4,
    lease_seconds=3.0,
    seconds=30.0,
    trouble_seconds=1.0,
    steady_seconds=0.3,
)


def means(
    services: Services,
    informers: Informers,
    pace: RunPace,
    *,
    connect: Connect,
    now: Callable[[], datetime],
) -> Means:
    """What `bootstrap` would give a worker."""
    behind = ledgers(services)
    return Means(
        ledgers=behind,
        loading=Loading(
            runs=RunStore(),
            versions=VersionStore(),
            clusters=ClusterStore(),
            users=UserStore(behind.database),
            inventories=behind.inventories,
            now=now,
        ),
        connect=connect,
        informers=informers,
        hub=parts(services).hub,
        pace=pace,
        now=now,
    )


@asynccontextmanager
async def working(
    services: Services,
    pace: RunPace = QUICK,
    *,
    connect: Connect | None = None,
    now: Callable[[], datetime] = utc_now,
) -> AsyncIterator[Worker]:
    """A worker that does runs meanwhile."""
    reach = connect or parts(services).connect
    informers = Informers(reach)
    worker = Worker(
        means(services, informers, pace, connect=reach, now=now), metrics=services.metrics
    )
    try:
        async with worker.running():
            yield worker
    finally:
        await informers.close()


Answers = Callable[[Request, Callable[[], Awaitable[Answer]]], Awaitable[Answer]]
"""`answers(request, go_on)` stands between a client and its cluster: `go_on` asks the cluster."""


class Wire:
    """A wire to a cluster that remembers the requests and lets a test answer them itself."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self.requests: list[tuple[str, str]] = []
        """Method and path of what was sent, from the names of kinds on."""
        self.answers: Answers | None = None

    @property
    def writes(self) -> list[str]:
        """The requests that change something, dry runs and reviews left out."""
        return [f"{method} {path}" for method, path in self.requests if method != "GET"]

    @asynccontextmanager
    async def connect(self, cluster: Cluster) -> AsyncIterator[KubeClient]:
        async with self._connect(cluster) as client:
            yield KubeClient(cast(Calls, _Tapped(client._calls, self)))


class _Tapped:
    def __init__(self, calls: Calls, wire: Wire) -> None:
        self._calls = calls
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        return getattr(self._calls, name)

    async def call(self, request: Request, *, seconds: float, tries: int) -> Answer:
        place = request.path.partition("/namespaces/")[2].partition("/")[2] or request.path
        self._wire.requests.append((request.method, place))

        async def go_on() -> Answer:
            return await self._calls.call(request, seconds=seconds, tries=tries)

        if self._wire.answers is None:
            return await go_on()
        try:
            async with asyncio.timeout(seconds):
                return await self._wire.answers(request, go_on)
        except TimeoutError:
            raise ClusterError(ClusterFault.TIMED_OUT, "It did not answer.") from None


class Told:
    """What the stream of a run has told, from its first event on."""

    def __init__(self, events: Sequence[RunEvent]) -> None:
        self.events = list(events)

    @property
    def seqs(self) -> list[int]:
        return [event.seq for event in self.events]

    @property
    def lines(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, RunLog)]

    def states(self, node_id: str) -> list[str]:
        """The states of a node, each that it stayed in once."""
        states: list[str] = []
        for event in self.events:
            if isinstance(event, RunNodeChanged) and event.node_state.node_id == node_id:
                state = event.node_state.state.value
                if states[-1:] != [state]:
                    states.append(state)
        return states


async def told(services: Services, run: WorkflowRun) -> Told:
    """Everything that the outbox has of a run; every number once, and none left out."""
    outbox = parts(services).outbox
    events: list[RunEvent] = []
    while page := await outbox.read(run_stream(run.id), after=len(events)):
        events += [run_event_of(event) for event in page]
    found = Told(events)
    assert found.seqs == list(range(1, len(events) + 1))
    return found


async def until(
    services: Services, run_id: Id, is_so: Callable[[WorkflowRun], bool]
) -> WorkflowRun:
    """The run as soon as it is so."""
    store, outbox = RunStore(), parts(services).outbox
    async with asyncio.timeout(PATIENCE), outbox.watch(after=None) as entries:
        while (run := await store.get(run_id)) is None or not is_so(run):
            await anext(entries)
    return run


async def ended(services: Services, run_id: Id) -> tuple[WorkflowRun, Told]:
    """The run at its end, with all that was told of it; folded, that is the same."""
    first = await RunStore().get(run_id)
    assert first is not None
    run = await until(services, run_id, lambda run: run.has_ended)
    found = await told(services, run)
    last = found.events[-1]
    assert isinstance(last, RunFinished)
    assert (last.run, last.seq) == (run, run.seq)
    nodes = {node.node_id: node for node in first.nodes}
    for event in found.events[first.seq :]:
        if isinstance(event, RunNodeChanged):
            nodes[event.node_state.node_id] = event.node_state
    assert list(nodes.values()) == run.nodes
    return run, found


async def queued(services: Services, actor: Actor, workflow_id: Id, **draft: Any) -> WorkflowRun:
    """A run that nobody has begun yet."""
    return await deployments(services).deploy(actor, DeployDraft(workflow_id, **draft))


async def deployed(
    services: Services, actor: Actor, workflow_id: Id, **draft: Any
) -> tuple[WorkflowRun, Told]:
    """A run from beginning to end; a worker has to be there."""
    run = await queued(services, actor, workflow_id, **draft)
    return await ended(services, run.id)


async def drawn(
    services: Services, actor: Actor, there: There, *parts: NodeDraft | EdgeDraft, name: str = "App"
) -> Workflow:
    """A published workflow of these nodes and edges."""
    return await published(
        services,
        actor,
        there,
        name=name,
        nodes=[part for part in parts if isinstance(part, NodeDraft)],
        edges=[part for part in parts if isinstance(part, EdgeDraft)],
    )


async def redrawn(services: Services, actor: Actor, workflow_id: Id, *operations: Any) -> Workflow:
    """The workflow after an edit."""
    current = await services.workflows.get(actor, workflow_id)
    assert current is not None
    return await services.workflows.edit(
        actor, workflow_id, list(operations), expected=current.revision
    )


def updated(workflow: Workflow, node_id: str, **fields: Any) -> UpdateNode:
    """The edit that gives a node's data other values."""
    data = workflow.nodes[node_id].data
    return UpdateNode(node_id, data=data.model_copy(update=fields))
