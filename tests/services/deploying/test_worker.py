"""Who does a run, and who stops: claims, leases, hand-over and cancelling."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from bson import ObjectId

from app.bootstrap import utc_now
from app.documents.work import WorkStore
from app.domain.cluster import ClusterRole
from app.domain.planning import NodeState
from app.domain.run import RunStatus
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.kube.client import Answer, Request
from app.services import Services
from app.services.deploying import leaving
from tests.deploying import There, deployments, on_sandbox, parts
from tests.domain.drawing import deployment, node
from tests.services.deploying.test_engine import states
from tests.services.deploying.working import (
    QUICK,
    Wire,
    deployed,
    drawn,
    ended,
    queued,
    redrawn,
    told,
    until,
    updated,
    working,
)

ONE_BY_ONE = replace(QUICK, applies_at_once=1)
GoOn = Callable[[], Awaitable[Answer]]


@pytest.fixture
async def there(services: Services, owner: Actor) -> AsyncIterator[There]:
    async with on_sandbox(services, owner) as found:
        yield found


class Gate:
    """Holds back the request that writes one object, until it is opened."""

    def __init__(self, wire: Wire, name: str, method: str = "PATCH") -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self._ending = f"/{name}"
        self._method = method
        wire.answers = self._answer

    async def _answer(self, request: Request, go_on: GoOn) -> Answer:
        if request.method == self._method and request.path.endswith(self._ending):
            self.reached.set()
            await self.opened.wait()
        return await go_on()


async def maps(services: Services, owner: Actor, there: There, *names: str) -> Workflow:
    """A workflow of ConfigMaps, which are applied in this order."""
    nodes = [node("configmap", name, name=name, data={"a": "1"}) for name in names]
    return await drawn(services, owner, there, *nodes)


def wire_of(services: Services) -> Wire:
    return Wire(parts(services).connect)


async def test_a_queued_run_is_begun_at_once(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await maps(services, owner, there, "a")
    async with working(services):
        run, _ = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.COMPLETED
    assert run.started_at is not None
    assert run.started_at - run.created_at < timedelta(seconds=1)
    assert services.metrics.runs.labels("completed")._value.get() == 1
    assert services.metrics.active_runs._value.get() == 0


async def test_what_was_queued_before_is_found(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await maps(services, owner, there, "a")
    run = await queued(services, owner, workflow.id)
    async with working(services):
        run, _ = await ended(services, run.id)
    assert run.status is RunStatus.COMPLETED


async def test_no_more_than_some_at_once(services: Services, owner: Actor, there: There) -> None:
    wire = wire_of(services)
    gate = Gate(wire, "b")
    first = await maps(services, owner, there, "b")
    second = await maps(services, owner, there, "c")
    async with working(services, replace(QUICK, at_once=1), connect=wire.connect):
        run = await queued(services, owner, first.id)
        await gate.reached.wait()
        other = await queued(services, owner, second.id)
        assert other.status is RunStatus.QUEUED
        gate.opened.set()
        await ended(services, run.id)
        other, _ = await ended(services, other.id)
    assert other.status is RunStatus.COMPLETED
    assert "PATCH configmaps/c" in wire.writes


async def test_a_cancelled_run_stops_before_the_next_object(
    services: Services, owner: Actor, there: There
) -> None:
    wire = wire_of(services)
    gate = Gate(wire, "b")
    workflow = await maps(services, owner, there, "a", "b", "c")
    async with working(services, ONE_BY_ONE, connect=wire.connect) as worker:
        run = await queued(services, owner, workflow.id)
        await gate.reached.wait()
        asked = await deployments(services).cancel(owner, run.id)
        assert asked.status is RunStatus.RUNNING
        await worker._leases[run.id].cancelled.wait()
        gate.opened.set()
        run, found = await ended(services, run.id)
    assert run.status is RunStatus.CANCELLED
    assert run.error == "Cancelled: 2 of 3 nodes are deployed, and stay."
    assert run.cancel_requested_at == asked.cancel_requested_at
    assert states(run) == {"a": NodeState.READY, "b": NodeState.READY, "c": NodeState.SKIPPED}
    assert wire.writes == ["PATCH configmaps/a", "PATCH configmaps/b"]
    assert found.lines[:2] == ["Created ConfigMap shop/a", "Created ConfigMap shop/b"]
    after = await services.workflows.get(owner, workflow.id)
    assert after is not None
    assert (after.run_count, after.success_count, after.failure_count) == (1, 0, 0)


async def test_a_run_that_waits_is_cancelled_at_once(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(services, owner, there, deployment("web", image="example.com/missing:1"))
    async with working(services, replace(QUICK, trouble_seconds=60.0)):
        run = await queued(services, owner, workflow.id)
        await until(services, run.id, lambda run: states(run)["web"] is NodeState.WAITING)
        await deployments(services).cancel(owner, run.id)
        run, _ = await ended(services, run.id)
    assert run.status is RunStatus.CANCELLED
    assert states(run) == {"web": NodeState.SKIPPED}


async def test_who_is_asked_to_stop_hands_the_run_over(
    services: Services, owner: Actor, there: There
) -> None:
    """The next one goes on at once, and does nothing twice."""
    first, second = wire_of(services), wire_of(services)
    gate = Gate(first, "b")
    workflow = await maps(services, owner, there, "a", "b", "c")
    long = replace(ONE_BY_ONE, lease_seconds=600.0)
    async with working(services, long, connect=first.connect) as worker:
        run = await queued(services, owner, workflow.id)
        await gate.reached.wait()
        async with working(services, long, connect=second.connect):
            closing = asyncio.create_task(worker.close())
            gate.opened.set()
            await closing
            run, found = await ended(services, run.id)
    assert run.status is RunStatus.COMPLETED
    assert first.writes == ["PATCH configmaps/a", "PATCH configmaps/b"]
    assert second.writes == ["PATCH configmaps/c"]
    assert found.lines == [f"Created ConfigMap shop/{name}" for name in "abc"]


async def test_who_has_lost_a_run_writes_nothing_more(
    services: Services, owner: Actor, there: There
) -> None:
    """A process that slept: somebody else has finished its run when it wakes."""
    slow, quick = wire_of(services), wire_of(services)
    gate = Gate(slow, "b")
    workflow = await maps(services, owner, there, "a", "b", "c")
    full = replace(ONE_BY_ONE, at_once=1)  # or it would take its own run up again
    async with working(services, full, connect=slow.connect):
        run = await queued(services, owner, workflow.id)
        await gate.reached.wait()
        works = parts(services).database.raw["run_work"]
        past = utc_now() - timedelta(seconds=1)
        async with working(services, ONE_BY_ONE, connect=quick.connect):
            await works.update_one(
                {"_id": ObjectId(run.id)}, {"$set": {"due_at": past, "handed_back": 0}}
            )
            run, found = await ended(services, run.id)
        gate.opened.set()
        await lost(services)
    assert run.status is RunStatus.COMPLETED
    assert slow.writes == ["PATCH configmaps/a", "PATCH configmaps/b"]
    assert quick.writes[-1] == "PATCH configmaps/c"
    assert (await told(services, run)).seqs == found.seqs


async def lost(services: Services) -> None:
    """Returns when a worker has noticed that it lost a run. Polls: nothing tells of it."""
    async with asyncio.timeout(20):
        while services.metrics.lost_leases._value.get() != 1:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_run_whose_worker_died_is_gone_on_with(
    services: Services, owner: Actor, there: There
) -> None:
    """The lease ends by itself."""
    workflow = await maps(services, owner, there, "a")
    run = await queued(services, owner, workflow.id)
    now = utc_now()
    died = await WorkStore().claim_due(now=now, until=now + timedelta(seconds=1))
    assert died is not None
    async with working(services):
        run, _ = await ended(services, run.id)
    assert run.status is RunStatus.COMPLETED


async def test_an_error_that_nobody_expected_ends_the_run(
    services: Services, owner: Actor, there: There
) -> None:
    wire = wire_of(services)

    async def broken(request: Request, go_on: GoOn) -> Answer:
        if request.method == "PATCH":
            raise ZeroDivisionError
        return await go_on()

    wire.answers = broken
    workflow = await maps(services, owner, there, "a")
    async with working(services, connect=wire.connect):
        run, _ = await deployed(services, owner, workflow.id)
        assert run.status is RunStatus.FAILED
        assert run.error == "The server met an error that nobody expected; its log says more."
        wire.answers = None
        run, _ = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.COMPLETED


async def test_a_run_that_nobody_went_on_with_ends(
    services: Services, owner: Actor, there: There
) -> None:
    wire = wire_of(services)
    workflow = await maps(services, owner, there, "a")
    run = await queued(services, owner, workflow.id)
    began = {"status": "running", "started_at": utc_now() - timedelta(hours=1)}
    runs = parts(services).database.raw["workflow_runs"]
    await runs.update_one({"_id": ObjectId(run.id)}, {"$set": began})
    async with working(services, connect=wire.connect):
        run, _ = await ended(services, run.id)
    assert (run.status, run.error) == (RunStatus.FAILED, "The run was not done within 30 s.")
    assert states(run) == {"a": NodeState.FAILED}
    assert wire.requests == []


async def test_who_only_waits_holds_nobody_up(
    services: Services, owner: Actor, stranger: Actor, there: There
) -> None:
    """One place, and a run of somebody's that never gets ready."""
    await services.sharing.share(
        owner, there.known.id, email=stranger.user.email, role=ClusterRole.DEPLOYER
    )
    stuck = await drawn(services, stranger, there, deployment("x", image="example.com/missing:1"))
    workflow = await maps(services, owner, there, "a")
    async with working(services, replace(QUICK, at_once=1, trouble_seconds=60.0)):
        waits = await queued(services, stranger, stuck.id)
        await until(services, waits.id, lambda run: states(run)["x"] is NodeState.WAITING)
        run, _ = await deployed(services, owner, workflow.id)
        assert run.status is RunStatus.COMPLETED
        await deployments(services).cancel(stranger, waits.id)
        await ended(services, waits.id)


async def test_one_person_does_not_take_every_place(
    services: Services, owner: Actor, stranger: Actor, there: There
) -> None:
    """Requests that hang take a place: those of one person, a quarter of them."""
    wire = wire_of(services)
    async with on_sandbox(services, stranger) as elsewhere:
        hanging = [await maps(services, owner, there, name) for name in ("b", "c", "d")]
        workflow = await maps(services, stranger, elsewhere, "e")
        gates = asyncio.Event()

        async def answer(request: Request, go_on: GoOn) -> Answer:
            if request.method == "PATCH" and not request.path.endswith("/e"):
                await gates.wait()
            return await go_on()

        wire.answers = answer
        async with working(services, replace(QUICK, at_once=4), connect=wire.connect):
            runs = [await queued(services, owner, each.id) for each in hanging]
            run, _ = await deployed(services, stranger, workflow.id)
            assert run.status is RunStatus.COMPLETED
            assert sum(line.startswith("PATCH") for line in wire.writes) == 2
            gates.set()
            for each in runs:
                assert (await ended(services, each.id))[0].status is RunStatus.COMPLETED


async def test_a_read_that_hangs_does_not_hold_up_a_cancel(
    services: Services, owner: Actor, there: There
) -> None:
    wire = wire_of(services)
    gate = Gate(wire, "a", method="GET")
    workflow = await maps(services, owner, there, "a")
    async with working(services, connect=wire.connect):
        run = await queued(services, owner, workflow.id)
        await gate.reached.wait()
        await deployments(services).cancel(owner, run.id)
        async with asyncio.timeout(5):
            run, _ = await ended(services, run.id)
    assert run.status is RunStatus.CANCELLED
    assert wire.writes == []


async def test_what_holds_an_object_that_is_made_anew_does_not_hold_the_run(
    services: Services, owner: Actor, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "_GRACE", 0.1)
    workflow = await drawn(services, owner, there, node("job", "j", name="j", image="busybox:1"))
    async with working(services):
        await deployed(services, owner, workflow.id)
        held = {"metadata": {"finalizers": ["example.com/hold"]}}
        await there.api.patch("Job", "j", body=held)
        await redrawn(services, owner, workflow.id, updated(workflow, "j", image="busybox:2"))
        run = await queued(services, owner, workflow.id)
        await there.api.until("Job", "j", lambda job: "deletionTimestamp" in job["metadata"])
        await deployments(services).cancel(owner, run.id)
        run, _ = await ended(services, run.id)
    assert run.status is RunStatus.CANCELLED
    assert (run.nodes[0].state, run.nodes[0].message) == (
        NodeState.FAILED,
        "Job shop/j was deleted to be made anew, and something holds it. The run was stopped "
        "before it was gone: deploy again when it is.",
    )


@pytest.mark.parametrize("way", ["unshared", "expired"])
async def test_who_loses_the_cluster_gets_no_further(
    services: Services, owner: Actor, stranger: Actor, there: There, way: str
) -> None:
    lasts = timedelta(seconds=2) if way == "expired" else None
    workflow_ends = utc_now() + lasts if lasts is not None else None
    await services.sharing.share(
        owner,
        there.known.id,
        email=stranger.user.email,
        role=ClusterRole.DEPLOYER,
        expires_at=workflow_ends,
    )
    wire = wire_of(services)
    gate = Gate(wire, "b")
    workflow = await maps(services, stranger, there, "a", "b", "c")
    async with working(services, ONE_BY_ONE, connect=wire.connect) as worker:
        run = await queued(services, stranger, workflow.id)
        await gate.reached.wait()
        if way == "unshared":
            await services.sharing.unshare(owner, there.known.id, stranger.id)
        await worker._leases[run.id].cancelled.wait()
        gate.opened.set()
        run, _ = await ended(services, run.id)
    assert (run.status, run.error) == (
        RunStatus.FAILED,
        "Who started the run may not deploy there any more. This cluster is not shared with you. "
        "What was applied before is on the cluster.",
    )
    assert states(run) == {"a": NodeState.READY, "b": NodeState.READY, "c": NodeState.SKIPPED}
    assert wire.writes == ["PATCH configmaps/a", "PATCH configmaps/b"]
