"""What a run tells: whole, once, in its order, and not without end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from bson import ObjectId

from app.bootstrap import utc_now
from app.documents.inventories import InventoryStore
from app.documents.runs import RunStore
from app.documents.work import Marked, WorkStore
from app.domain.planning import Ended, NodeState
from app.domain.run import RunStatus, WorkflowRun
from app.domain.runevents import LogLevel, RunLog
from app.domain.user import Actor
from app.services import Services
from app.services.deploying import recording
from app.services.deploying.committing import Group
from app.services.deploying.lease import Lease
from app.services.deploying.recording import Line, Recorder
from tests.deploying import There, ledgers, on_sandbox, parts
from tests.domain.drawing import node
from tests.services.deploying.working import drawn, queued, told


@pytest.fixture
async def there(services: Services, owner: Actor) -> AsyncIterator[There]:
    async with on_sandbox(services, owner) as found:
        yield found


@pytest.fixture
async def run(services: Services, owner: Actor, there: There) -> WorkflowRun:
    """Queued; of one node."""
    workflow = await drawn(services, owner, there, node("configmap", "a", name="a"))
    return await queued(services, owner, workflow.id)


async def claimed(services: Services, *, seconds: float = 60.0) -> Lease:
    now, store = utc_now(), WorkStore()
    work = await store.claim_due(now=now, until=now + timedelta(seconds=seconds))
    assert work is not None
    loop = asyncio.get_running_loop()
    return Lease(work, store=store, seconds=seconds, held_from=loop.time(), now=utc_now)


async def test_a_group_is_written_once_however_often_it_is_tried(
    services: Services, run: WorkflowRun
) -> None:
    """Who does not know whether a transaction came to be makes it again."""
    lease = await claimed(services)
    recorder = Recorder(run, lease, ledgers(services), now=utc_now)
    recorder.begin()
    group = Group(recorder._pile, recorder.run, lease, ledgers(services), now=utc_now)
    assert [await group.make(), await group.make()] == [Marked.MARKED, Marked.BEFORE]
    assert (await told(services, run)).seqs == [1]
    lease.close()


async def test_what_was_told_in_one_group_is_there_together(
    services: Services, run: WorkflowRun
) -> None:
    lease = await claimed(services)
    recorder = Recorder(run, lease, ledgers(services), now=utc_now)
    [target] = run.nodes[0].objects
    recorder.begin()
    progress = run.nodes[0].progress()
    recorder.node(progress.to(NodeState.APPLYING))
    recorder.node(progress.to(NodeState.APPLYING))
    recorder.line("Created it", node_id="a")
    recorder.done("0" * 24, "a-uid")
    await recorder.flush()
    found = await told(services, run)
    assert [type(event).__name__ for event in found.events] == [
        "RunChanged",
        "RunNodeChanged",
        "RunLog",
    ]
    after = await RunStore().get(run.id)
    assert after is not None
    assert (after.status, after.seq) == (RunStatus.RUNNING, 3)
    assert after.nodes[0].state is NodeState.APPLYING
    assert target.name == "a"
    lease.close()
    later = utc_now() + timedelta(minutes=2)
    again = await WorkStore().claim_due(now=later, until=later)
    assert again is not None
    assert (again.fence, dict(again.done)) == (2, {"0" * 24: "a-uid"})


async def test_who_has_lost_the_run_writes_nothing(services: Services, run: WorkflowRun) -> None:
    lease = await claimed(services)
    recorder = Recorder(run, lease, ledgers(services), now=utc_now)
    later = utc_now() + timedelta(minutes=2)
    assert await WorkStore().claim_due(now=later, until=later) is not None
    recorder.begin()
    recorder.line("Nobody hears this")
    await recorder.flush()
    assert (lease.is_lost, lease.is_ours) == (True, False)
    assert not await recorder.finish(Ended(RunStatus.COMPLETED), is_applied=True)
    assert (await told(services, run)).seqs == []
    after = await RunStore().get(run.id)
    assert after is not None
    assert after == run
    inventory = await InventoryStore().get(run.workflow_id, run.cluster_id)
    assert inventory is not None
    assert inventory.version is None
    lease.close()


async def test_a_log_does_not_grow_without_end(services: Services, run: WorkflowRun) -> None:
    lease = await claimed(services)
    recorder = Recorder(run, lease, ledgers(services), now=utc_now)
    for number in range(3_000):
        recorder.line(f"line {number}")
    await recorder.flush()
    found = await told(services, run)
    assert len(found.events) == 2_000
    last = found.events[-1]
    assert isinstance(last, RunLog)
    assert (last.level, last.text) == (
        LogLevel.WARNING,
        "There is more to tell than is kept: the states of the nodes say the rest.",
    )
    lease.close()


async def test_a_lease_ends_by_its_own_clock(services: Services, run: WorkflowRun) -> None:
    lease = await claimed(services, seconds=0.2)
    async with asyncio.timeout(5):
        await lease.ended.wait()
    assert lease.is_lost


async def test_what_a_dead_process_has_locked_holds_nothing_up(
    services: Services, run: WorkflowRun, owner: Actor, there: There
) -> None:
    workflow = await drawn(services, owner, there, node("configmap", "b", name="b"))
    other = await queued(services, owner, workflow.id)
    database = parts(services).database
    now = utc_now()
    until = now + timedelta(minutes=1)
    async with database.client.start_session() as session, await session.start_transaction():
        await database.raw["run_work"].update_one(
            {"_id": ObjectId(run.id)}, {"$set": {"marked": "x"}}, session=session
        )
        found = await WorkStore().claim_due(now=now, until=until)
        assert found is not None
        assert found.run_id == other.id
        await session.abort_transaction()
    found = await WorkStore().claim_due(now=now, until=until)
    assert found is not None
    assert found.run_id == run.id


async def test_a_node_that_only_says_something_else_is_told_of_now_and_then(
    services: Services, run: WorkflowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest is told, with its line."""
    monkeypatch.setattr(recording, "_NODE_PAUSE", 0.3)
    lease = await claimed(services)
    recorder = Recorder(run, lease, ledgers(services), now=utc_now)
    progress = run.nodes[0].progress()
    async with recorder.writing():
        for number in range(1_000):
            progress = progress.to(NodeState.WAITING, "Waits", f"{number}")
            recorder.node(progress, Line(f"line {number}"))
        assert recorder.progress() == [progress]
        async with asyncio.timeout(10):
            while len((await told(services, run)).events) < 4:  # noqa: ASYNC110 nothing tells of it
                await asyncio.sleep(0.02)
    found = await told(services, run)
    assert [event.node_state.message for event in found.events if hasattr(event, "node_state")] == [
        "0",
        "999",
    ]
    assert found.lines == ["line 0", "line 999"]
    after = await RunStore().get(run.id)
    assert after is not None
    assert after.nodes[0].message == "999"
    lease.close()


async def test_a_node_that_goes_back_and_forth_is_not_told_of_without_end(
    services: Services, run: WorkflowRun
) -> None:
    """At the end it is told how it is."""
    lease = await claimed(services)
    recorder = Recorder(run, lease, ledgers(services), now=utc_now)
    recorder.begin()
    progress = run.nodes[0].progress().to(NodeState.APPLYING)
    for number in range(1_000):
        state = NodeState.READY if number % 2 else NodeState.WAITING
        progress = progress.to(state, "", f"{number}")
        recorder.node(progress)
    assert await recorder.finish(Ended(RunStatus.COMPLETED), is_applied=True)
    found = await told(services, run)
    assert len(found.events) == 1 + 20 + 1 + 1
    after = await RunStore().get(run.id)
    assert after is not None
    assert (after.nodes[0].state, after.nodes[0].message) == (NodeState.READY, "999")
    lease.close()


async def test_what_is_said_in_between_has_an_end(
    services: Services, run: WorkflowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_NODE_PAUSE", 0.0)
    lease = await claimed(services)
    recorder = Recorder(run, lease, ledgers(services), now=utc_now)
    progress = run.nodes[0].progress()
    for number in range(1_000):
        progress = progress.to(NodeState.WAITING, "Waits", f"{number}")
        recorder.node(progress)
    await recorder.flush()
    assert len((await told(services, run)).events) == 1 + 300
    recorder.node(progress.to(NodeState.FAILED, "Bad", "It is bad."))
    await recorder.flush()
    assert len((await told(services, run)).events) == 1 + 300 + 1
    lease.close()
