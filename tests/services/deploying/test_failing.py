"""Runs against clusters that refuse, are busy, break down, or have moved since the plan."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.bootstrap import utc_now
from app.domain.cluster import ClusterRole
from app.domain.editing import RemoveNode
from app.domain.errors import ClusterError, ClusterFault
from app.domain.planning import NodeState
from app.domain.run import RunStatus
from app.domain.user import Actor
from app.kube.client import Answer, Request
from app.services import Services
from tests.deploying import There, on_sandbox, parts
from tests.domain.drawing import deployment, node, service
from tests.kubernetes.asking import ok
from tests.services.deploying.test_engine import states
from tests.services.deploying.working import (
    QUICK,
    Wire,
    deployed,
    drawn,
    ended,
    queued,
    redrawn,
    updated,
    working,
)

GoOn = Callable[[], Awaitable[Answer]]


@pytest.fixture
async def there(services: Services, owner: Actor) -> AsyncIterator[There]:
    async with on_sandbox(services, owner) as found:
        yield found


@pytest.fixture
def wire(services: Services) -> Wire:
    return Wire(parts(services).connect)


async def test_a_field_of_somebody_else_fails_the_object_and_stops_the_next_waves(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(
        services,
        owner,
        there,
        node("configmap", "theirs", name="theirs", data={"a": "1"}),
        node("configmap", "ours", name="ours", data={"a": "1"}),
        deployment("web", replicas=1),
    )
    async with working(services):
        await deployed(services, owner, workflow.id)
    workflow = await redrawn(
        services,
        owner,
        workflow.id,
        updated(workflow, "theirs", data={"a": "2"}),
        updated(workflow, "ours", data={"a": "2"}),
        updated(workflow, "web", replicas=2),
    )
    run = await queued(services, owner, workflow.id)
    body = {"data": {"a": "3"}}
    ok(await there.api.patch("ConfigMap", "theirs", body=body, fieldManager="kubectl-edit"))
    async with working(services):
        run, told = await ended(services, run.id)
    why = (
        "Somebody else has set fields of ConfigMap shop/theirs: data.a is set by kubectl-edit. "
        "Take them over explicitly, or let the canvas say the same."
    )
    assert (run.status, run.error) == (
        RunStatus.FAILED,
        f"1 of 3 nodes failed: theirs (Conflict): {why.rstrip('.')}",
    )
    assert {each.node_id: (each.state, each.message) for each in run.nodes} == {
        "ours": (NodeState.READY, "It is on the cluster."),
        "theirs": (NodeState.FAILED, why),
        "web": (NodeState.SKIPPED, f"Not applied, because the run failed before: {why}"),
    }
    assert (await there.api.read("Deployment", "web"))["spec"]["replicas"] == 1
    assert set(told.lines) == {"Updated ConfigMap shop/ours", why}


async def test_an_object_that_was_made_anew_is_not_overwritten(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(
        services, owner, there, node("configmap", "m", name="m", data={"a": "1"})
    )
    async with working(services):
        await deployed(services, owner, workflow.id)
    await redrawn(services, owner, workflow.id, updated(workflow, "m", data={"a": "2"}))
    run = await queued(services, owner, workflow.id)
    ok(await there.api.delete("ConfigMap", "m"))
    await there.api.made({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}})
    async with working(services):
        run, _ = await ended(services, run.id)
    assert run.status is RunStatus.FAILED
    assert run.nodes[0].reason == "Moved"
    assert run.nodes[0].message == (
        "ConfigMap shop/m was deleted on the cluster and made anew. Plan again."
    )
    assert "data" not in await there.api.read("ConfigMap", "m")


async def test_who_waited_long_looks_whether_anything_moved(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    workflow = await drawn(
        services,
        owner,
        there,
        node("configmap", "m", name="m", data={"a": "1"}),
        node("configmap", "n", name="n", data={"a": "1"}),
    )
    run = await queued(services, owner, workflow.id)
    await there.api.made({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "n"}})
    async with working(
        services, connect=wire.connect, now=lambda: utc_now() + timedelta(seconds=6)
    ):
        run, _ = await ended(services, run.id)
    assert run.status is RunStatus.FAILED
    assert run.error == "ConfigMap shop/n is on the cluster now. Plan again: nothing was applied."
    assert set(states(run).values()) == {NodeState.SKIPPED}
    assert wire.writes == []


async def test_who_may_not_deploy_any_more_does_not(
    services: Services, owner: Actor, stranger: Actor, there: There, wire: Wire
) -> None:
    await services.sharing.share(
        owner, there.known.id, email=stranger.user.email, role=ClusterRole.DEPLOYER
    )
    workflow = await drawn(services, stranger, there, node("configmap", "m", name="m"))
    run = await queued(services, stranger, workflow.id)
    await services.sharing.unshare(owner, there.known.id, stranger.id)
    async with working(services, connect=wire.connect):
        run, _ = await ended(services, run.id)
    assert (run.status, run.error) == (
        RunStatus.FAILED,
        "Who started the run may not deploy there any more. This cluster is not shared with you.",
    )
    assert wire.requests == []


FAULTS = {
    "throttled": ClusterError(ClusterFault.THROTTLED, "Slow down.", status=429, retry_after=0.2),
    "broken": ClusterError(ClusterFault.UNAVAILABLE, "It is broken.", status=500),
    "away": ClusterError(ClusterFault.UNREACHABLE, "Nobody listens."),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_passes_is_waited_out(
    services: Services, owner: Actor, there: There, wire: Wire, fault: str
) -> None:
    failures = 3

    async def answers(request: Request, go_on: GoOn) -> Answer:
        nonlocal failures
        if request.method == "PATCH" and failures:
            failures -= 1
            raise FAULTS[fault]
        return await go_on()

    wire.answers = answers
    workflow = await drawn(services, owner, there, deployment("web"))
    async with working(services, connect=wire.connect):
        run, _ = await deployed(services, owner, workflow.id)
    assert (run.status, run.error, failures) == (RunStatus.COMPLETED, None, 0)


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_does_not_pass_fails_at_the_deadline(
    services: Services, owner: Actor, there: There, wire: Wire, fault: str
) -> None:
    async def answers(request: Request, go_on: GoOn) -> Answer:
        if request.method == "PATCH":
            raise FAULTS[fault]
        return await go_on()

    wire.answers = answers
    workflow = await drawn(services, owner, there, deployment("web"), service("s"))
    async with working(services, replace(QUICK, seconds=2.0), connect=wire.connect):
        run, _ = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert FAULTS[fault].message.rstrip(".") in run.error
    assert states(run) == {"s": NodeState.FAILED, "web": NodeState.SKIPPED}


async def test_an_answer_that_never_comes(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    async def hang(request: Request, go_on: GoOn) -> Answer:
        if request.method == "PATCH":
            await asyncio.Event().wait()
        return await go_on()

    wire.answers = hang
    workflow = await drawn(services, owner, there, service("s"))
    async with working(services, replace(QUICK, seconds=2.0), connect=wire.connect):
        run, _ = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.FAILED
    assert run.nodes[0].state is NodeState.FAILED


async def test_the_api_server_restarts(services: Services, owner: Actor, there: There) -> None:
    workflow = await drawn(services, owner, there, *(deployment(f"d{n}") for n in range(8)))
    async with working(services, replace(QUICK, applies_at_once=1)):
        run = await queued(services, owner, workflow.id)
        await there.api.until("Deployment", "d3", lambda _: True)
        await there.cluster.restart()
        run, _ = await ended(services, run.id)
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)


async def test_what_is_kept_by_a_finalizer_is_waited_for(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(
        services, owner, there, node("configmap", "m", name="m"), service("kept")
    )
    async with working(services, replace(QUICK, seconds=4.0)):
        await deployed(services, owner, workflow.id)
        holding = {"metadata": {"finalizers": ["example.com/hold"]}}
        ok(await there.api.patch("ConfigMap", "m", body=holding))
        await redrawn(services, owner, workflow.id, RemoveNode("m"))
        run, told = await deployed(services, owner, workflow.id)
        assert run.status is RunStatus.FAILED
        assert "waits for example.com/hold" in " ".join(told.lines)
        ok(await there.api.patch("ConfigMap", "m", body={"metadata": {"finalizers": None}}))
        run, _ = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.COMPLETED


async def test_events_say_why_there_are_no_pods(
    services: Services, owner: Actor, there: There
) -> None:
    workflow = await drawn(
        services,
        owner,
        there,
        node(
            "statefulset",
            "data",
            name="data",
            image="postgres:18",
            service_name="data",
            service_account_name="nobody",
        ),
    )
    async with working(services):
        run, _ = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.FAILED
    assert run.nodes[0].reason == "ServiceAccountMissing"


async def test_what_may_not_be_watched_is_read(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    async def answers(request: Request, go_on: GoOn) -> Answer:
        if request.method == "GET" and request.path.endswith("/deployments"):
            raise ClusterError(ClusterFault.FORBIDDEN, "You may not list them.", status=403)
        return await go_on()

    wire.answers = answers
    workflow = await drawn(services, owner, there, deployment("web"))
    async with working(services, connect=wire.connect):
        run, told = await deployed(services, owner, workflow.id)
    assert (run.status, run.error) == (RunStatus.COMPLETED, None)
    assert run.nodes[0].message == "1 of 1 pod is ready."
    assert (
        "Deployment objects can't be watched on the cluster. You may not list them." in told.lines
    )


async def test_what_may_not_even_be_read_is_not_said_to_work(
    services: Services, owner: Actor, there: There, wire: Wire
) -> None:
    """A right that is lost when it is made: before, nothing is made that can't be read."""
    is_made = asyncio.Event()

    async def answers(request: Request, go_on: GoOn) -> Answer:
        if request.method == "PATCH":
            is_made.set()
        if request.method == "GET" and "/deployments" in request.path:
            is_one = request.path.endswith("/web")
            if is_made.is_set() or not is_one:
                raise ClusterError(ClusterFault.FORBIDDEN, "You may not read them.", status=403)
        return await go_on()

    wire.answers = answers
    workflow = await drawn(services, owner, there, deployment("web"))
    async with working(services, connect=wire.connect):
        run, told = await deployed(services, owner, workflow.id)
    assert run.status is RunStatus.COMPLETED
    assert (run.nodes[0].state, run.nodes[0].reason) == (NodeState.READY, "NotObservable")
    assert (
        f"The cluster's credentials may not look at Deployment {there.namespace}/web: whether it "
        "works is not known."
    ) in told.lines
