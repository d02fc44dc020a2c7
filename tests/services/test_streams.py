"""workflowChanged: a snapshot, then every change once and in order, whatever happens between."""

import asyncio
import weakref
from collections.abc import Callable
from contextlib import aclosing

import pytest
from pymongo.errors import DuplicateKeyError

from app.domain import graph
from app.domain.canvas import Canvas, CanvasChange
from app.domain.editing import (
    AddEdge,
    AddNode,
    EdgeDraft,
    MoveNode,
    Operation,
    RemoveEdge,
    RemoveNode,
    UpdateNode,
)
from app.domain.errors import NotFound
from app.domain.events import EndReason, Gap, StreamEnded, WorkflowEdited, WorkflowSnapshot
from app.domain.node import Position
from app.domain.user import Actor
from app.domain.workflow import Workflow, WorkflowRow
from app.services import Ending, Services
from app.services.changing import VersionDraft
from app.services.streams import WorkflowStreamEvent
from app.services.workflows import WorkflowDraft
from tests.domain.drawing import deployment, service
from tests.wiring import Behind

DEADLINE = 10


@pytest.fixture
async def workflow(services: Services, owner: Actor) -> Workflow:
    return await services.workflows.create(
        owner, WorkflowDraft(name="Shop", nodes=[deployment("web")])
    )


async def take(
    services: Services,
    actor: Actor,
    workflow: Workflow,
    count: int,
    *,
    after: int | None = None,
    begun: asyncio.Event | None = None,
    until: Ending | None = None,
) -> list[WorkflowStreamEvent]:
    """The first events of a new subscription; `begun` is set when the first is there."""
    taken: list[WorkflowStreamEvent] = []
    async with asyncio.timeout(DEADLINE):
        stream = services.streams.workflow_changed(
            actor, workflow.id, after=after, until=until or Ending()
        )
        async with aclosing(stream) as events:
            async for event in events:
                taken.append(event)
                if begun is not None:
                    begun.set()
                if len(taken) == count:
                    break
    return taken


EDITS: list[list[Operation]] = [
    [AddNode(service("front")), AddEdge(EdgeDraft("front", "web", id="e"))],
    [UpdateNode("web", deployment("renamed").data)],
    [MoveNode("web", Position(x=4)), AddNode(deployment("api"))],
    [RemoveEdge("e")],
    [RemoveNode("api")],
]


async def make_edits(services: Services, owner: Actor, workflow: Workflow) -> None:
    revision = workflow.revision
    for operations in EDITS:
        edited = await services.workflows.edit(owner, workflow.id, operations, expected=revision)
        revision = edited.revision


async def seen(services: Services, owner: Actor, workflow: Workflow) -> tuple[Canvas, WorkflowRow]:
    """The workflow as a query answers it."""
    found = await services.workflows.get(owner, workflow.id)
    assert found is not None
    return graph.wire(found.canvas), row(found)


def row(workflow: WorkflowRow) -> WorkflowRow:
    return WorkflowRow.model_validate(
        {name: getattr(workflow, name) for name in WorkflowRow.model_fields}
    )


def fold(canvas: Canvas, event: WorkflowEdited) -> Canvas:
    """What a client makes of an event."""
    return CanvasChange(
        nodes={node.id: node for node in event.nodes_changed},
        nodes_removed=tuple(event.nodes_removed),
        edges={edge.id: edge for edge in event.edges_changed},
        edges_removed=tuple(event.edges_removed),
    ).apply(canvas)


async def test_a_subscriber_does_not_keep_the_snapshot(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    stream = services.streams.workflow_changed(owner, workflow.id, until=Ending())
    async with aclosing(stream) as events:
        snapshot = await anext(events)
        assert isinstance(snapshot, WorkflowSnapshot)
        canvas = weakref.ref(snapshot.workflow)
        del snapshot
        await make_edits(services, owner, workflow)
        assert isinstance(await anext(events), WorkflowEdited)
        assert canvas() is None


async def test_the_snapshot_comes_first(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    (first,) = await take(services, owner, workflow, 1)
    assert isinstance(first, WorkflowSnapshot)
    assert (first.seq, first.workflow.id) == (0, workflow.id)


async def test_edits_arrive_live_and_in_order(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    begun = asyncio.Event()
    reading = asyncio.create_task(take(services, owner, workflow, 1 + len(EDITS), begun=begun))
    await begun.wait()
    await make_edits(services, owner, workflow)
    _, *events = await reading
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert all(isinstance(e, WorkflowEdited) and e.actor_id == owner.id for e in events)


async def test_folding_any_suffix_on_its_snapshot_equals_a_fresh_query(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    states = [await seen(services, owner, workflow)]
    revision = workflow.revision
    for operations in EDITS:
        edited = await services.workflows.edit(owner, workflow.id, operations, expected=revision)
        revision = edited.revision
        states.append(await seen(services, owner, workflow))
    await services.versions.create(owner, workflow.id, VersionDraft())
    states.append(await seen(services, owner, workflow))
    await services.workflows.update(owner, workflow.id, {"name": "New name"})
    states.append(await seen(services, owner, workflow))
    restored, _ = await services.versions.restore(owner, workflow.id, 1)
    states.append(await seen(services, owner, workflow))
    await services.workflows.save_canvas(
        owner,
        workflow.id,
        [deployment("other"), service("front", port=81)],
        [EdgeDraft("front", "other", id="e")],
        expected=restored.revision,
    )
    states.append(await seen(services, owner, workflow))

    last = len(states) - 1
    for start in range(last):
        canvas = states[start][0]
        for event in await take(services, owner, workflow, last - start, after=start):
            assert isinstance(event, WorkflowEdited)
            canvas = fold(canvas, event)
            assert canvas == states[event.seq][0]
            assert row(event.workflow) == states[event.seq][1]
            assert event.revision == states[event.seq][1].revision


async def test_after_resumes_and_joins_the_live_events(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    await make_edits(services, owner, workflow)
    reading = asyncio.create_task(take(services, owner, workflow, 4, after=3))
    await services.workflows.update(owner, workflow.id, {"name": "a"})
    await services.workflows.update(owner, workflow.id, {"name": "b"})
    assert [event.seq for event in await reading] == [4, 5, 6, 7]


async def test_an_after_from_the_future_gets_a_snapshot(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    (first,) = await take(services, owner, workflow, 1, after=99)
    assert isinstance(first, WorkflowSnapshot)


@pytest.mark.parametrize("up_to", [3, 5])
async def test_events_that_are_gone_are_a_gap_and_a_fresh_snapshot(
    services: Services,
    owner: Actor,
    workflow: Workflow,
    behind: Callable[[WorkflowRow], Behind],
    up_to: int,
) -> None:
    await make_edits(services, owner, workflow)
    await behind(workflow).forget_events(up_to=up_to)
    gap, snapshot = await take(services, owner, workflow, 2, after=1)
    assert gap == Gap(from_seq=2, to_seq=5)
    assert isinstance(snapshot, WorkflowSnapshot)
    assert snapshot.seq == 5


async def test_deleting_ends_the_stream(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    begun = asyncio.Event()
    reading = asyncio.create_task(take(services, owner, workflow, 99, begun=begun))
    await begun.wait()
    await services.workflows.update(owner, workflow.id, {"name": "a"})
    await services.workflows.delete(owner, workflow.id)
    *_, last, end = await reading
    assert isinstance(last, WorkflowEdited)
    assert last.workflow.deleted_at is not None
    assert end == StreamEnded(seq=last.seq, reason=EndReason.DELETED)


async def test_what_was_deleted_and_restored_goes_on(
    services: Services, owner: Actor, workflow: Workflow
) -> None:
    await services.workflows.update(owner, workflow.id, {"name": "a"})
    await services.workflows.delete(owner, workflow.id)
    await services.workflows.restore(owner, workflow.id)
    await services.workflows.update(owner, workflow.id, {"name": "b"})
    events = await take(services, owner, workflow, 3, after=1)
    assert [event.seq for event in events] == [2, 3, 4]
    assert all(isinstance(event, WorkflowEdited) for event in events)


async def test_a_stranger_sees_no_stream(
    services: Services, stranger: Actor, workflow: Workflow
) -> None:
    with pytest.raises(NotFound):
        await take(services, stranger, workflow, 1)


async def test_a_change_that_fails_half_way_tells_nobody(
    services: Services, owner: Actor, workflow: Workflow, behind: Callable[[WorkflowRow], Behind]
) -> None:
    await behind(workflow).take_version(1)
    with pytest.raises(DuplicateKeyError):
        await services.versions.create(owner, workflow.id, VersionDraft())
    await services.workflows.update(owner, workflow.id, {"name": "a"})
    (event,) = await take(services, owner, workflow, 1, after=0)
    assert event.seq == 1
    assert isinstance(event, WorkflowEdited)
    assert (event.workflow.name, event.workflow.current_version) == ("a", 0)


async def test_an_event_that_cannot_be_read_stops_nobody_elses_stream(
    services: Services,
    owner: Actor,
    workflow: Workflow,
    behind: Callable[[WorkflowRow], Behind],
) -> None:
    begun = asyncio.Event()
    reading = asyncio.create_task(take(services, owner, workflow, 2, begun=begun))
    await begun.wait()
    await behind(workflow).spoil_events()
    await services.workflows.update(owner, workflow.id, {"name": "a"})
    assert [event.seq for event in await reading] == [0, 1]
