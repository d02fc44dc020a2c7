"""Cancelling: a run that nobody has begun ends at once, one that is done hears of it."""

import asyncio
from datetime import timedelta

import pytest

from app.bootstrap import utc_now
from app.documents.database import Transaction
from app.documents.work import Work
from app.domain.audit import AuditAction
from app.domain.cluster import ClusterRole
from app.domain.deploying import DeployDraft
from app.domain.errors import Conflict, NotFound
from app.domain.ids import Id
from app.domain.planning import NodeState
from app.domain.run import RunKind, RunStatus, WorkflowRun
from app.domain.runevents import RunChanged, RunEvent, RunFinished, run_stream
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.deploying.deployments import Deployments
from app.services.runtelling import run_event_of
from tests.deploying import There, demo_values, ledgers, published
from tests.domain.drawing import node
from tests.services.deploying.byhand import carried_out, claimed

LOST = Id("0" * 24)
one = node("configmap", "one", name="one", data={"a": "1"})


async def told(services: Services, run: WorkflowRun) -> list[RunEvent]:
    events = await ledgers(services).outbox.read(run_stream(run.id), after=0)
    return [run_event_of(event) for event in events]


async def queued(deploys: Deployments, owner: Actor, shop: Workflow) -> WorkflowRun:
    return await deploys.deploy(owner, DeployDraft(shop.id, values=demo_values()))


async def test_what_nobody_has_begun_ends_at_once(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    run = await queued(deploys, owner, shop)
    ended = await deploys.cancel(owner, run.id)
    assert (ended.status, ended.error) == (
        RunStatus.CANCELLED,
        "The run was cancelled before it began.",
    )
    assert ended.completed_at is not None
    assert (ended.started_at, ended.completed_at) == (None, ended.cancel_requested_at)
    assert {one.state for one in ended.nodes} == {NodeState.SKIPPED}

    books = ledgers(services)
    assert await books.runs.get(run.id) == ended
    assert await books.work.active_run(shop.id) is None
    [finished] = await told(services, run)
    assert isinstance(finished, RunFinished)
    assert (finished.seq, finished.run) == (1, ended)
    entries = await books.audits.of_workflow(shop.id)
    assert [(one.action, one.actor_id) for one in entries] == [
        (AuditAction.RUN_CANCELLED, owner.id),
        (AuditAction.WORKFLOW_DEPLOYED, owner.id),
    ]
    [after] = (await services.workflows.by_ids([shop.id])).values()
    assert (after.run_count, after.success_count, after.failure_count) == (1, 0, 0)


async def test_what_would_have_been_made_is_forgotten_and_what_is_there_is_not(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    run = await queued(deploys, owner, shop)
    await deploys.cancel(owner, run.id)
    inventory = await ledgers(services).inventories.get(shop.id, there.known.id)
    assert inventory is not None
    assert {one.key.kind for one in inventory.entries} == {"Secret"}
    assert (await deploys.deploy(owner, DeployDraft(shop.id))).version == 2


async def test_a_cancelled_undeploy_forgets_nothing(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    await carried_out(services, there, await queued(deploys, owner, shop))
    before = await ledgers(services).inventories.get(shop.id, there.known.id)
    run = await deploys.deploy(owner, DeployDraft(shop.id, kind=RunKind.UNDEPLOY))
    await deploys.cancel(owner, run.id)
    after = await ledgers(services).inventories.get(shop.id, there.known.id)
    assert before is not None
    assert after is not None
    known = {one.key.identity: one.uid for one in before.entries}
    assert known.items() <= {one.key.identity: one.uid for one in after.entries}.items()
    assert after.version == 1


async def test_whoever_does_it_hears_of_it(
    services: Services, deploys: Deployments, owner: Actor, shop: Workflow
) -> None:
    run = await queued(deploys, owner, shop)
    work = await claimed(services)
    asked = await deploys.cancel(owner, run.id)
    assert (asked.status, asked.completed_at) == (RunStatus.QUEUED, None)
    assert asked.cancel_requested_at is not None
    assert await ledgers(services).work.renew(work, until=asked.cancel_requested_at) is True
    [changed] = await told(services, run)
    assert isinstance(changed, RunChanged)
    assert (changed.seq, changed.run) == (1, asked)

    assert await deploys.cancel(owner, run.id) == asked
    assert len(await told(services, run)) == 1
    entries = await ledgers(services).audits.of_workflow(shop.id)
    assert [one.action for one in entries].count(AuditAction.RUN_CANCELLED) == 1


async def test_what_has_ended_is_not_cancelled(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    run = await queued(deploys, owner, shop)
    await carried_out(services, there, run)
    with pytest.raises(Conflict, match="it is COMPLETED"):
        await deploys.cancel(owner, run.id)
    again = await deploys.deploy(owner, DeployDraft(shop.id))
    await deploys.cancel(owner, again.id)
    with pytest.raises(Conflict, match="it is CANCELLED"):
        await deploys.cancel(owner, again.id)


async def test_a_stranger_finds_no_run(
    services: Services, deploys: Deployments, owner: Actor, stranger: Actor, shop: Workflow
) -> None:
    run = await queued(deploys, owner, shop)
    for somebody, id_ in ((stranger, run.id), (owner, LOST)):
        with pytest.raises(NotFound) as missing:
            await deploys.cancel(somebody, id_)
        assert (missing.value.kind, missing.value.path) == ("run", ["runId"])
    assert await ledgers(services).runs.get(run.id) == run


async def test_a_run_of_an_archived_workflow_can_be_cancelled(
    services: Services, deploys: Deployments, owner: Actor, shop: Workflow
) -> None:
    run = await queued(deploys, owner, shop)
    await services.workflows.archive(owner, shop.id)
    assert (await deploys.cancel(owner, run.id)).status is RunStatus.CANCELLED


async def test_a_worker_that_claims_at_the_same_moment_is_heeded(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    """Either it has the work and is told, or there is none any more: never both."""
    books = ledgers(services)
    for _ in range(15):
        run = await deploys.deploy(owner, DeployDraft(shop.id, values=demo_values()))
        now = utc_now()
        cancelled, work = await asyncio.gather(
            deploys.cancel(owner, run.id),
            books.work.claim_due(now=now, until=now + timedelta(hours=1)),
        )
        is_over = cancelled.status is RunStatus.CANCELLED
        assert is_over is (work is None)
        assert (await books.work.active_run(shop.id) is None) is is_over
        if work is not None:
            await given_up(services, work)


async def given_up(services: Services, work: Work) -> None:
    books = ledgers(services)

    async def end(transaction: Transaction) -> bool:
        return await books.work.finish(work, transaction)

    assert await books.database.transaction(end)


async def test_who_administers_the_cluster_ends_runs_on_it(
    services: Services, deploys: Deployments, owner: Actor, stranger: Actor, there: There
) -> None:
    async def shared(role: ClusterRole) -> None:
        email = stranger.user.email
        await services.sharing.share(owner, there.known.id, email=email, role=role)

    await shared(ClusterRole.DEPLOYER)
    mine = await published(services, owner, there)
    theirs = await published(services, stranger, there, name="Theirs", nodes=[one], edges=[])
    my_run = await queued(deploys, owner, mine)
    their_run = await deploys.deploy(stranger, DeployDraft(theirs.id))
    with pytest.raises(NotFound):
        await deploys.cancel(stranger, my_run.id)
    assert (await deploys.cancel(owner, their_run.id)).status is RunStatus.CANCELLED
    await shared(ClusterRole.ADMIN)
    assert (await deploys.cancel(stranger, my_run.id)).status is RunStatus.CANCELLED
