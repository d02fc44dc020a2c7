"""Runs on an API server in trouble: they end right, or at their deadline with the reason."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace

import pytest

from app.documents.inventories import InventoryStore
from app.domain.deploying import PlanDraft
from app.domain.errors import ClusterError, ClusterFault
from app.domain.planning import NodeState, PlanAction
from app.domain.run import RunStatus, WorkflowRun
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from tests.deploying import (
    DEMO_KINDS,
    There,
    bring,
    demo_values,
    deployments,
    published,
    within,
)
from tests.domain.drawing import deployment
from tests.kubernetes.asking import ok
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.faults import (
    Asked,
    Fault,
    Faults,
    Plan,
    answered,
    closed_after,
    dropped,
    every,
    first,
    hanging,
    lost,
    slow,
)
from tests.kubernetes.sandbox import sandbox
from tests.services.deploying.working import QUICK, drawn, ended, queued, until, working

Troubled = tuple[Faults, Cluster]


@pytest.fixture(scope="module")
async def trouble() -> AsyncIterator[Troubled]:
    faults = Faults()
    async with sandbox(around=faults.around) as cluster:
        yield faults, cluster


@pytest.fixture
async def faults(trouble: Troubled) -> AsyncIterator[Faults]:
    """What goes wrong in this test: nothing, until it plans something."""
    found, _ = trouble
    found.asked.clear()
    found.met.clear()
    yield found
    found.plan = lambda _: None


@pytest.fixture
async def there(
    services: Services, owner: Actor, trouble: Troubled, faults: Faults
) -> AsyncIterator[There]:
    _, cluster = trouble
    async with within(cluster, f"shop-{secrets.token_hex(4)}") as api:
        yield There(await bring(services, owner, cluster), cluster, api)


def some(kinds: Iterable[str], one_of: int) -> list[str]:
    """All kinds of trouble in a soak, and one of so many in between."""
    return list(kinds)[:: 1 if os.environ.get("KUBEORCH_SOAK") else one_of]


def writes(asked: Asked) -> bool:
    return asked.is_write


def watches(asked: Asked) -> bool:
    return asked.is_watch


def calls(asked: Asked) -> bool:
    return not asked.is_watch


PASSING: dict[str, Callable[[], Plan]] = {
    "throttled, with a pause to make": lambda: first(5, answered(429, retry_after=1), of=writes),
    "throttled": lambda: every(3, answered(429), of=calls),
    "unavailable": lambda: every(3, answered(503), of=calls),
    "broken inside": lambda: every(3, answered(500), of=writes),
    "connections break before": lambda: every(3, dropped, of=calls),
    "connections break behind": lambda: every(2, lost, of=writes),
    "slow": lambda: every(1, slow(0.05)),
    "watches end": lambda: every(1, closed_after(1), of=watches),
    "watches break": lambda: every(1, closed_after(2, broken=True), of=watches),
    "watches forget": lambda: every(1, closed_after(1, gone=True), of=watches),
    "no watch at first": lambda: first(12, answered(503), of=watches),
}


async def applied(services: Services, there: There, workflow: Workflow) -> None:
    """Everything that the inventory names is there, under the uid that it has there."""
    inventory = await InventoryStore().get(workflow.id, there.known.id)
    assert inventory is not None
    for entry in inventory.entries:
        live = await there.api.read(entry.key.kind, entry.key.name)
        assert live["metadata"]["uid"] == entry.uid, entry


async def run_of(services: Services, owner: Actor, workflow: Workflow) -> WorkflowRun:
    return await queued(services, owner, workflow.id, values=demo_values())


def settled(run: WorkflowRun) -> dict[str, NodeState]:
    return {each.node_id: each.state for each in run.nodes}


@pytest.mark.soak
@pytest.mark.parametrize("kind", some(PASSING, 4))
async def test_trouble_that_passes(
    services: Services, owner: Actor, there: There, faults: Faults, kind: str
) -> None:
    workflow = await published(services, owner, there)
    run = await run_of(services, owner, workflow)
    faults.plan = PASSING[kind]()
    async with working(services):
        done, _ = await ended(services, run.id)
    assert faults.met
    assert (done.status, done.error) == (RunStatus.COMPLETED, None)
    assert settled(done) == dict.fromkeys(workflow.nodes, NodeState.READY)
    await applied(services, there, workflow)
    faults.plan = lambda _: None
    again = await queued(services, owner, workflow.id)
    async with working(services):
        done, told = await ended(services, again.id)
    assert settled(done) == dict.fromkeys(workflow.nodes, NodeState.UNCHANGED)
    assert told.lines == []


async def test_a_server_that_hangs_and_comes_back(
    services: Services, owner: Actor, there: There, faults: Faults
) -> None:
    workflow = await published(services, owner, there)
    run = await run_of(services, owner, workflow)
    back = asyncio.Event()
    faults.plan = first(6, hanging(back), of=writes)
    async with working(services):
        await faults.until_met(2)
        back.set()
        done, _ = await ended(services, run.id)
    assert done.status is RunStatus.COMPLETED
    await applied(services, there, workflow)


async def test_a_server_that_starts_anew(
    services: Services, owner: Actor, there: There, faults: Faults
) -> None:
    """Objects outlive it; what watches have missed does not."""
    workflow = await published(services, owner, there)
    run = await run_of(services, owner, workflow)
    faults.plan = every(1, slow(0.2), of=writes)
    async with working(services):
        await faults.until_met(4)
        await there.cluster.restart()
        faults.plan = lambda _: None
        done, _ = await ended(services, run.id)
    assert (done.status, done.error) == (RunStatus.COMPLETED, None)
    assert settled(done) == dict.fromkeys(workflow.nodes, NodeState.READY)
    await applied(services, there, workflow)


async def test_a_server_that_starts_anew_while_pods_are_waited_for(
    services: Services, owner: Actor, there: There, faults: Faults
) -> None:
    workflow = await drawn(services, owner, there, deployment("web", image="missing:1"))
    run = await queued(services, owner, workflow.id)
    pace = replace(QUICK, trouble_seconds=60.0)
    async with working(services, pace):
        await until(services, run.id, lambda now: now.nodes[0].state is NodeState.WAITING)
        await there.cluster.restart()
        containers = [{"name": "web", "image": "good:1"}]
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        ok(await there.api.patch("Deployment", "web", body=body))
        done, _ = await ended(services, run.id)
    assert done.status is RunStatus.COMPLETED


LATE = replace(QUICK, seconds=4.0)

LASTING: dict[str, tuple[Plan, str]] = {
    "unavailable": (every(1, answered(503), of=calls), "cannot answer now (HTTP 503)"),
    "broken inside": (every(1, answered(500), of=calls), "cannot answer now (HTTP 500)"),
    "throttled": (every(1, answered(429, retry_after=1), of=calls), "asks to slow down"),
    "throttled for long": (every(1, answered(429, retry_after=600), of=calls), "slow down"),
    "connections break": (every(1, dropped, of=calls), "broke"),
    "hanging": (every(1, hanging(asyncio.Event()), of=calls), "did not answer"),
}


@pytest.mark.soak
@pytest.mark.parametrize("kind", some(LASTING, 3))
async def test_trouble_that_lasts_fails_a_run_at_its_deadline(
    services: Services, owner: Actor, there: There, faults: Faults, kind: str
) -> None:
    workflow = await drawn(services, owner, there, deployment("web"))
    run = await queued(services, owner, workflow.id)
    faults.plan, words = LASTING[kind]
    async with working(services, LATE):
        done, _ = await ended(services, run.id)
    assert done.status is RunStatus.FAILED
    assert done.error is not None
    assert words in done.error
    assert done.started_at is not None
    assert done.completed_at is not None
    took = (done.completed_at - done.started_at).total_seconds()
    assert 3.0 <= took <= 10.0
    assert NodeState.READY not in settled(done).values()


REFUSALS: dict[str, tuple[int, str, str]] = {
    "forbidden": (403, "deployments is forbidden", "may not create and change Deployment"),
    "not known": (401, "Unauthorized", "does not accept the credentials"),
    "not understood": (400, "strict decoding error", "refuses what was sent"),
    "not valid": (422, "spec is invalid", "refuses what was sent"),
    "not typed": (500, "failed to create typed patch object: .spec.x: no field", "refuses"),
}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_refusal_fails_a_run_at_once(
    services: Services, owner: Actor, there: There, faults: Faults, kind: str
) -> None:
    workflow = await drawn(services, owner, there, deployment("web"))
    run = await queued(services, owner, workflow.id)
    code, message, words = REFUSALS[kind]
    faults.plan = every(1, answered(code, message=message), of=writes)
    async with working(services):
        done, _ = await ended(services, run.id)
    assert done.status is RunStatus.FAILED
    assert done.error is not None
    assert words in done.error
    assert settled(done) == {"web": NodeState.FAILED}
    # An answer that does not accept a token is asked for once more, with a new one if there is any.
    assert len(faults.met) <= 2


UNWATCHED: dict[str, Plan] = {
    "unavailable": every(1, answered(503), of=watches),
    "forbidden": every(1, answered(403, message="no watch"), of=watches),
    "hanging": every(1, hanging(asyncio.Event()), of=watches),
}


@pytest.mark.parametrize("kind", UNWATCHED)
async def test_what_cannot_be_watched_is_looked_at(
    services: Services, owner: Actor, there: There, faults: Faults, kind: str
) -> None:
    """At the deadline at the latest: what works has not failed, and what does not, has."""
    good = await drawn(services, owner, there, deployment("good"), name="Good")
    bad = await drawn(services, owner, there, deployment("bad", image="crash:1"), name="Bad")
    runs = [await queued(services, owner, each.id) for each in (good, bad)]
    faults.plan = UNWATCHED[kind]
    async with working(services, LATE):
        (well, _), (ill, _) = [await ended(services, each.id) for each in runs]
    assert (well.status, well.error) == (RunStatus.COMPLETED, None)
    assert ill.status is RunStatus.FAILED
    await applied(services, there, good)


LISTS = ("/deployments", "/replicasets", "/pods", "/jobs", "/events")


def blind(fault: Fault) -> Plan:
    """Lists and watches meet the fault, and from the first write on everything that is read."""
    begun = False

    def plan(asked: Asked) -> Fault | None:
        nonlocal begun
        begun = begun or asked.is_write
        meant = begun or asked.path.endswith(LISTS)
        return fault if meant and not asked.is_write else None

    return plan


async def test_what_cannot_be_seen_is_not_taken_for_working(
    services: Services, owner: Actor, there: There, faults: Faults
) -> None:
    workflow = await drawn(services, owner, there, deployment("web"))
    run = await queued(services, owner, workflow.id)
    faults.plan = blind(answered(503))
    async with working(services, LATE):
        done, _ = await ended(services, run.id)
    assert done.status is RunStatus.FAILED
    assert done.error is not None
    assert "It was not ready within 4 s." in done.error
    faults.plan = lambda _: None
    # It was applied all the same, and the inventory knows.
    await applied(services, there, workflow)


async def test_what_may_not_be_seen_is_said(
    services: Services, owner: Actor, there: There, faults: Faults
) -> None:
    workflow = await drawn(services, owner, there, deployment("web"))
    run = await queued(services, owner, workflow.id)
    faults.plan = blind(answered(403, message="no"))
    async with working(services, LATE):
        done, _ = await ended(services, run.id)
    assert done.status is RunStatus.COMPLETED
    [web] = done.nodes
    assert web.message is not None
    assert "nobody can say how it is" in web.message
    faults.plan = lambda _: None
    await applied(services, there, workflow)


PLANNING: dict[str, Callable[[], Plan]] = {
    "throttled": lambda: first(4, answered(429, retry_after=1)),
    "unavailable": lambda: every(4, answered(503)),
    "connections break before": lambda: every(4, dropped),
    "connections break behind": lambda: every(4, lost),
    "slow": lambda: every(1, slow(0.05)),
}


@pytest.mark.soak
@pytest.mark.parametrize("kind", some(PLANNING, 3))
async def test_planning_waits_for_trouble_to_pass(
    services: Services, owner: Actor, there: There, faults: Faults, kind: str
) -> None:
    workflow = await published(services, owner, there)
    faults.plan = PLANNING[kind]()
    plan = await deployments(services).plan(owner, PlanDraft(workflow.id))
    assert faults.met
    assert [one.action for one in plan.plan.objects] == [PlanAction.CREATE] * len(DEMO_KINDS)
    assert not any(asked.method == "DELETE" for asked in faults.asked)


async def test_a_plan_that_cannot_be_made_says_why(
    services: Services, owner: Actor, there: There, faults: Faults
) -> None:
    workflow = await published(services, owner, there)
    faults.plan = every(1, answered(503))
    with pytest.raises(ClusterError) as failed:
        await deployments(services).plan(owner, PlanDraft(workflow.id))
    assert failed.value.fault is ClusterFault.UNAVAILABLE
    assert "cannot answer now (HTTP 503)" in failed.value.message
