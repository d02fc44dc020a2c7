"""runProgress: a run, all that happens in it, and its end, which is the stream's."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from app.bootstrap import bootstrap
from app.documents.database import new_id
from app.domain.errors import Invalid, NotFound
from app.domain.events import EndReason, Gap, StreamEnded
from app.domain.ids import Id
from app.domain.run import NodeState, RunStatus
from app.domain.runevents import RunFinished, RunLog, RunNodeChanged, RunSnapshot, run_stream
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Ending, Services
from app.services.runstreams import RunStreamEvent
from app.services.workflows import WorkflowDraft
from app.settings import Settings
from tests.domain.drawing import deployment
from tests.runs import Told, started

Next = Callable[[], Awaitable[RunStreamEvent | None]]
DEADLINE = 10


@pytest.fixture
async def workflow(services: Services, owner: Actor) -> Workflow:
    return await services.workflows.create(
        owner, WorkflowDraft(name="Shop", nodes=[deployment("web")])
    )


@pytest.fixture
async def told(services: Services, owner: Actor, workflow: Workflow) -> Told:
    return await started(services, workflow, owner)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


def progress(
    services: Services,
    actor: Actor,
    run_id: Id,
    *,
    after: int | None = None,
    until: Ending | None = None,
) -> AsyncGenerator[RunStreamEvent, None]:
    return services.run_streams.run_progress(actor, run_id, after=after, until=until or Ending())


def listening(stack: AsyncExitStack, stream: AsyncGenerator[RunStreamEvent, None]) -> Next:
    """The next event of a stream, which is closed with the test; None when it has ended."""
    stack.push_async_callback(stream.aclose)

    async def next_event() -> RunStreamEvent | None:
        async with asyncio.timeout(DEADLINE):
            return await anext(stream, None)

    return next_event


async def whole(stream: AsyncGenerator[RunStreamEvent, None]) -> list[RunStreamEvent]:
    """Everything until the stream ends by itself."""
    async with asyncio.timeout(DEADLINE), aclosing(stream) as events:
        return [event async for event in events]


async def tell_all(told: Told) -> None:
    """Five events: begun, applying, a line, ready, finished."""
    await told.begin()
    await told.node(NodeState.APPLYING)
    await told.log("Applying Deployment default/web")
    await told.node(NodeState.READY)
    await told.finish()


async def test_a_run_is_told_from_its_snapshot_to_its_end(
    services: Services, owner: Actor, told: Told, stack: AsyncExitStack
) -> None:
    next_event = listening(stack, progress(services, owner, told.id))
    assert await next_event() == RunSnapshot(seq=0, run=told.run)
    await tell_all(told)
    events = [await next_event() for _ in range(6)]
    assert [type(event).__name__ for event in events] == [
        "RunChanged",
        "RunNodeChanged",
        "RunLog",
        "RunNodeChanged",
        "RunFinished",
        "NoneType",
    ]
    assert [event.seq for event in events if event is not None] == [1, 2, 3, 4, 5]
    assert isinstance(events[1], RunNodeChanged)
    assert events[1].node_state.state is NodeState.APPLYING
    assert isinstance(events[2], RunLog)
    assert events[2].text == "Applying Deployment default/web"
    assert isinstance(events[4], RunFinished)
    assert events[4].run == told.run


async def test_a_run_that_has_ended_is_its_snapshot_and_its_end(
    services: Services, owner: Actor, told: Told
) -> None:
    await tell_all(told)
    snapshot, finished = await whole(progress(services, owner, told.id))
    assert snapshot == RunSnapshot(seq=4, run=told.run)
    assert isinstance(finished, RunFinished)
    assert (finished.seq, finished.run) == (5, told.run)


@pytest.mark.parametrize("after", range(7))
async def test_after_gives_each_event_once_and_then_ends(
    services: Services, owner: Actor, told: Told, after: int
) -> None:
    await tell_all(told)
    events = await whole(progress(services, owner, told.id, after=after))
    if after > 5:
        assert [(type(event), event.seq) for event in events] == [
            (RunSnapshot, 4),
            (RunFinished, 5),
        ]
    else:
        assert [event.seq for event in events] == list(range(after + 1, 6))
        assert all(not isinstance(event, RunSnapshot) for event in events)


async def test_folding_any_suffix_gives_the_run(
    services: Services, owner: Actor, told: Told
) -> None:
    states = [told.run]
    for step in (
        told.begin(),
        told.node(NodeState.APPLYING),
        told.node(NodeState.FAILED, reason="ImagePullBackOff", message="No such image."),
        told.finish(RunStatus.FAILED, error="1 of 1 nodes failed."),
    ):
        await step
        states.append(told.run)
    for start, state in enumerate(states[:-1]):
        run = state
        for event in await whole(progress(services, owner, told.id, after=start)):
            if isinstance(event, RunNodeChanged):
                run = run.model_copy(update={"nodes": [event.node_state], "seq": event.seq})
            else:
                assert not isinstance(event, RunSnapshot | RunLog | Gap | StreamEnded)
                run = event.run
            assert run == states[event.seq]


async def test_who_comes_back_goes_on_at_another_replica(
    services: Services, settings: Settings, owner: Actor, told: Told, stack: AsyncExitStack
) -> None:
    here = listening(stack, progress(services, owner, told.id))
    await here()
    await told.begin()
    last = await here()
    assert last is not None
    await told.node(NodeState.APPLYING)
    async with bootstrap(settings) as other, AsyncExitStack() as there_stack:
        told.services = other  # the documents are its client's now
        there = listening(there_stack, progress(other, owner, told.id, after=last.seq))
        event = await there()
        assert isinstance(event, RunNodeChanged)
        assert event.seq == 2
        await told.finish()
        assert isinstance(await there(), RunFinished)
        assert await there() is None


async def test_a_slow_reader_misses_no_event(
    services: Services, settings: Settings, owner: Actor, told: Told, stack: AsyncExitStack
) -> None:
    tight = settings.model_copy(update={"stream_buffer": 2})
    async with bootstrap(tight) as other, AsyncExitStack() as there_stack:
        told.services = other  # the documents are its client's now
        slow = listening(there_stack, progress(other, owner, told.id))
        fast = listening(there_stack, progress(other, owner, told.id))
        assert isinstance(await slow(), RunSnapshot)
        assert isinstance(await fast(), RunSnapshot)
        for number in range(10):
            await told.log(f"line {number}")
            assert isinstance(await fast(), RunLog)
        await told.finish()
        seqs = []
        while (event := await slow()) is not None:
            assert not isinstance(event, Gap)
            seqs.append(event.seq)
    assert seqs == list(range(1, 12))


async def test_events_that_are_kept_no_more_are_a_gap_and_a_fresh_snapshot(
    services: Services,
    owner: Actor,
    told: Told,
    mongodb: AsyncMongoClient[dict[str, Any]],
    database_name: str,
) -> None:
    await tell_all(told)
    await mongodb[database_name]["events"].delete_many({"stream": run_stream(told.id)})
    gap, snapshot, finished = await whole(progress(services, owner, told.id, after=1))
    assert gap == Gap(from_seq=2, to_seq=4)
    assert snapshot == RunSnapshot(seq=4, run=told.run)
    assert isinstance(finished, RunFinished)
    fresh = await whole(progress(services, owner, told.id))
    assert [(type(event), event.seq) for event in fresh] == [(RunSnapshot, 4), (RunFinished, 5)]


async def test_nobody_else_watches_a_run(services: Services, stranger: Actor, told: Told) -> None:
    with pytest.raises(NotFound) as refused:
        await anext(progress(services, stranger, told.id))
    assert refused.value.path == ["runId"]
    assert refused.value.message == "There is no such run."


async def test_a_run_that_is_not_there_and_an_after_that_no_event_has(
    services: Services, owner: Actor, told: Told
) -> None:
    with pytest.raises(NotFound):
        await anext(progress(services, owner, new_id()))
    with pytest.raises(Invalid) as refused:
        await anext(progress(services, owner, told.id, after=-1))
    assert refused.value.path == ["after"]


async def test_deleting_the_workflow_ends_the_stream(
    services: Services, owner: Actor, workflow: Workflow, told: Told, stack: AsyncExitStack
) -> None:
    next_event = listening(stack, progress(services, owner, told.id))
    await next_event()
    await told.begin()
    await next_event()
    await services.workflows.update(owner, workflow.id, {"name": "another"})
    await services.workflows.delete(owner, workflow.id)
    assert await next_event() == StreamEnded(seq=1, reason=EndReason.DELETED)
    assert await next_event() is None
    with pytest.raises(NotFound):
        await anext(progress(services, owner, told.id))


async def test_the_callers_own_end_is_told_too(
    services: Services, owner: Actor, told: Told, stack: AsyncExitStack
) -> None:
    until = Ending()
    next_event = listening(stack, progress(services, owner, told.id, until=until))
    await next_event()
    until.say(EndReason.TOKEN_EXPIRED)
    assert await next_event() == StreamEnded(seq=0, reason=EndReason.TOKEN_EXPIRED)
    assert await next_event() is None
