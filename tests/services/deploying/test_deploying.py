"""What becomes of a deploy: its run, its work, its version and inventory; and what is refused."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from app.bootstrap import utc_now
from app.documents.plans import plan_of
from app.documents.versions import VersionStore
from app.documents.work import WorkStore
from app.domain.audit import AuditAction
from app.domain.cluster import Cluster
from app.domain.deploying import DeployDraft, DeployRefused, PlanDraft
from app.domain.editing import AddNode, MoveNode, RemoveNode, UpdateNode
from app.domain.errors import Conflict, Forbidden, Invalid, NotFound
from app.domain.node import Position
from app.domain.planning import Consents, NodeState, PlanAction
from app.domain.run import RunKind, RunStatus, WorkflowRun
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.kube.client import KubeClient
from app.services import Services
from app.services.checking import Connect
from app.services.deploying.deployments import Deployments
from tests.commands import commands
from tests.deploying import (
    DEMO_KINDS,
    There,
    demo_values,
    deployments,
    ledgers,
    parts,
    published,
)
from tests.domain.drawing import deployment, node
from tests.kubernetes.asking import ok
from tests.secrecy import secret
from tests.services.deploying.byhand import carried_out, claimed

MAP = node("configmap", "words", name="words", data={"a": "1"})


@pytest.fixture
async def words(services: Services, owner: Actor, there: There) -> Workflow:
    """A workflow of one ConfigMap."""
    return await published(services, owner, there, name="Words", nodes=[MAP], edges=[])


def reworded(**data: str) -> UpdateNode:
    return UpdateNode("words", node("configmap", "words", name="words", data=data).data)


def meanwhile(connect: Connect, *happens: Callable[[], Awaitable[object]]) -> Connect:
    """Connections of which each does something more while it is open, the first the first."""
    left = list(happens)

    @asynccontextmanager
    async def to(cluster: Cluster) -> AsyncIterator[KubeClient]:
        async with connect(cluster) as client:
            yield client
        if left:
            await left.pop(0)()

    return to


async def nothing() -> None:
    pass


async def test_a_deploy_is_a_version_a_run_its_work_and_an_inventory_all_at_once(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    draft = DeployDraft(shop.id, message="First light", values=demo_values())
    run = await deploys.deploy(owner, draft)

    assert (run.status, run.kind, run.version, run.seq) == (RunStatus.QUEUED, RunKind.DEPLOY, 1, 0)
    assert (run.workflow_id, run.cluster_id, run.namespace) == (
        shop.id,
        there.known.id,
        there.namespace,
    )
    assert (run.message, run.started_by, run.started_at) == ("First light", owner.id, None)
    assert [one.node_id for one in run.nodes] == list(shop.nodes)
    assert {one.state for one in run.nodes} == {NodeState.PENDING}
    made = [one for each in run.nodes for one in each.objects]
    assert sorted(one.kind for one in made) == sorted(DEMO_KINDS)
    assert {one.action for one in made} == {PlanAction.CREATE}
    books = ledgers(services)
    assert await books.runs.get(run.id) == run

    version = await VersionStore().get(shop.id, 1)
    assert version is not None
    assert (version.automatic, version.run_id, version.nodes) == (True, run.id, shop.nodes)
    after = await services.workflows.get(owner, shop.id)
    assert after is not None
    assert (after.revision, after.current_version, after.run_count) == (shop.revision, 1, 1)
    assert after.last_run_at == run.created_at

    inventory = await books.inventories.get(shop.id, there.known.id)
    assert inventory is not None
    assert (inventory.version, inventory.namespace) == (None, there.namespace)
    assert sorted(one.key.kind for one in inventory.entries) == sorted(DEMO_KINDS)
    known = {one.key.kind for one in inventory.entries if one.uid is not None}
    assert known == {"Secret"}, "only those that have their values are there"

    [entry] = await books.audits.of_workflow(shop.id)
    assert (entry.action, entry.run_id) == (AuditAction.WORKFLOW_DEPLOYED, run.id)
    assert (entry.actor_id, entry.details["create"], entry.details["values"]) == (
        owner.id,
        len(DEMO_KINDS),
        True,
    )
    assert entry.details["value_names"] == "credentials: api-token; web: DATABASE_PASSWORD"

    work = await claimed(services)
    assert (work.run_id, work.workflow_id, work.cluster_id) == (run.id, shop.id, there.known.id)
    assert (work.workflow_name, work.fence, work.cancel, work.done) == ("Shop", 1, False, {})
    plan = plan_of(work.plan)
    assert tuple(one.key.kind for one in plan.objects) == DEMO_KINDS


async def test_a_worker_that_waits_hears_of_it(
    services: Services, deploys: Deployments, owner: Actor, words: Workflow
) -> None:
    async with WorkStore().watch() as changes:
        run = await deploys.deploy(owner, DeployDraft(words.id))
        async with asyncio.timeout(10):
            change = await changes.next()
    assert str(change["documentKey"]["_id"]) == run.id


async def test_a_second_deploy_of_the_same_canvas_writes_nothing(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    values = demo_values()
    first = await deploys.deploy(owner, DeployDraft(shop.id, values=values))
    await carried_out(services, there, first)
    before = ok(await there.api.get("Secret"))["items"]
    for again in (DeployDraft(shop.id), DeployDraft(shop.id, values=values)):
        run = await deploys.deploy(owner, again)
        assert {one.action for each in run.nodes for one in each.objects} == {PlanAction.UNCHANGED}
        await carried_out(services, there, run)
    assert ok(await there.api.get("Secret"))["items"] == before


async def refused(deploys: Deployments, owner: Actor, draft: DeployDraft) -> list[str]:
    """The codes of what stands in the way."""
    with pytest.raises(DeployRefused) as raised:
        await deploys.deploy(owner, draft)
    return [one.code for one in raised.value.problems]


async def untouched(services: Services, there: There, workflow: Workflow) -> None:
    """Nothing is left of a deploy that was refused."""
    books = ledgers(services)
    assert await books.runs.newest([workflow.id]) == []
    assert await books.work.active_run(workflow.id) is None
    assert await books.inventories.of_workflows([workflow.id]) == []
    assert await books.audits.of_workflow(workflow.id) == []
    [after] = (await services.workflows.by_ids([workflow.id])).values()
    assert (after.current_version, after.run_count) == (0, 0)
    assert ok(await there.api.get("Secret"))["items"] == []


async def test_what_the_cluster_does_not_admit_leaves_nothing_behind(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    with pytest.raises(DeployRefused) as raised:
        await deploys.deploy(owner, DeployDraft(shop.id))
    assert {one.node_id: one.keys for one in raised.value.missing} == {
        "credentials": ("api-token",),
        "web": ("DATABASE_PASSWORD",),
    }
    values = demo_values()
    missing = DeployDraft(shop.id, values={"web": values["web"]})
    assert await refused(deploys, owner, missing) == ["SECRET_VALUES_MISSING"]
    unknown = values | {"credentials": values["credentials"] | {"more": secret("unknown")}}
    assert await refused(deploys, owner, DeployDraft(shop.id, values=unknown)) == [
        "SECRET_VALUES_UNKNOWN"
    ]
    misplaced = values | {"settings": {"a": secret("a value that nobody needs")}}
    assert await refused(deploys, owner, DeployDraft(shop.id, values=misplaced)) == [
        "SECRET_VALUES_UNKNOWN"
    ]
    elsewhere = DeployDraft(shop.id, namespace="not-there", values=values)
    assert await refused(deploys, owner, elsewhere) == ["NAMESPACE_MISSING"]
    await untouched(services, there, shop)


async def test_what_is_somebody_elses_is_taken_by_consent_only(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words"}}
    await there.api.made(body)
    assert await refused(deploys, owner, DeployDraft(words.id)) == ["NOT_OWNED"]
    await untouched(services, there, words)
    identity = ("ConfigMap", "", there.namespace, "words")
    adopting = DeployDraft(words.id, consents=Consents(adopt=frozenset({identity})))
    run = await deploys.deploy(owner, adopting)
    [planned] = plan_of((await claimed(services)).plan).objects
    assert (planned.action, planned.force) == (PlanAction.UPDATE, True)
    [entry] = await ledgers(services).audits.of_workflow(words.id)
    assert (entry.run_id, entry.details["adopts"]) == (run.id, True)


async def test_fields_of_others_are_taken_over_by_consent_only(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    await carried_out(services, there, await deploys.deploy(owner, DeployDraft(words.id)))
    ok(
        await there.api.patch(
            "ConfigMap", "words", body={"data": {"a": "theirs"}}, fieldManager="kubectl-edit"
        )
    )
    assert await refused(deploys, owner, DeployDraft(words.id)) == ["CONFLICT"]
    run = await deploys.deploy(owner, DeployDraft(words.id, consents=Consents(take_over=True)))
    assert run.version == 2


async def test_only_published_workflows_deploy(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    await services.workflows.archive(owner, words.id)
    with pytest.raises(Forbidden):
        await deploys.deploy(owner, DeployDraft(words.id))
    await untouched(services, there, words)


async def test_a_stranger_finds_nothing(
    services: Services, deploys: Deployments, stranger: Actor, there: There, words: Workflow
) -> None:
    for kind in RunKind:
        with pytest.raises(NotFound):
            await deploys.deploy(stranger, DeployDraft(words.id, kind=kind))
    await untouched(services, there, words)


async def test_a_plan_that_was_looked_at_is_deployed_as_it_is(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    stored = await deploys.plan(owner, PlanDraft(words.id))
    moved = [MoveNode("words", Position(x=5, y=5))]
    await services.workflows.edit(owner, words.id, moved, expected=words.revision)
    run = await deploys.deploy(owner, DeployDraft(words.id, plan_id=stored.id))
    assert plan_of((await claimed(services)).plan).hash == stored.hash
    assert run.version == 1


async def test_a_plan_does_not_hold_when_the_canvas_has_moved(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    stored = await deploys.plan(owner, PlanDraft(words.id))
    await services.workflows.edit(owner, words.id, [reworded(a="2")], expected=words.revision)
    with pytest.raises(Conflict) as conflict:
        await deploys.deploy(owner, DeployDraft(words.id, plan_id=stored.id))
    assert conflict.value.message == (
        f"The plan does not hold any more. ConfigMap {there.namespace}/words was changed on the "
        "canvas. Plan again."
    )
    assert conflict.value.path == ["planId"]
    await untouched(services, there, words)


async def test_a_plan_does_not_hold_when_the_cluster_has_moved(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    await carried_out(services, there, await deploys.deploy(owner, DeployDraft(words.id)))
    words = await services.workflows.edit(
        owner, words.id, [reworded(a="2")], expected=words.revision
    )
    stored = await deploys.plan(owner, PlanDraft(words.id))
    ok(await there.api.patch("ConfigMap", "words", body={"data": {"b": "theirs"}}))
    with pytest.raises(Conflict, match="words was changed on the cluster"):
        await deploys.deploy(owner, DeployDraft(words.id, plan_id=stored.id))


async def test_a_plan_is_for_what_it_was_made_for(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    stored = await deploys.plan(owner, PlanDraft(words.id))
    other = await published(services, owner, there, name="Other", nodes=[MAP], edges=[])
    with pytest.raises(NotFound) as missing:
        await deploys.deploy(owner, DeployDraft(other.id, plan_id=stored.id))
    assert missing.value.path == ["planId"]
    for wrong, path in (
        (DeployDraft(words.id, plan_id=stored.id, namespace="default"), "namespace"),
        (DeployDraft(words.id, plan_id=stored.id, cluster_id=words.id), "clusterId"),
        (DeployDraft(words.id, plan_id=stored.id, version=3), "version"),
        (DeployDraft(words.id, plan_id=stored.id, kind=RunKind.UNDEPLOY), "planId"),
    ):
        with pytest.raises(Invalid) as invalid:
            await deploys.deploy(owner, wrong)
        assert invalid.value.path == [path]
    same = DeployDraft(
        words.id, plan_id=stored.id, namespace=there.namespace, cluster_id=there.known.id
    )
    assert (await deploys.deploy(owner, same)).version == 1


async def test_a_plan_expires(services: Services, owner: Actor, words: Workflow) -> None:
    moment = utc_now()

    def clock() -> datetime:
        return moment

    deploys = deployments(services, now=clock)
    stored = await deploys.plan(owner, PlanDraft(words.id))
    moment += timedelta(hours=1)
    with pytest.raises(Conflict, match="The plan has expired") as expired:
        await deploys.deploy(owner, DeployDraft(words.id, plan_id=stored.id))
    assert expired.value.path == ["planId"]


async def test_who_deploys_a_plan_agrees_to_what_it_replaces(
    services: Services, deploys: Deployments, owner: Actor, there: There
) -> None:
    front = node("service", "front", name="front", port=80, selector={"app": "x"})
    workflow = await published(services, owner, there, nodes=[front], edges=[])
    await carried_out(services, there, await deploys.deploy(owner, DeployDraft(workflow.id)))
    headless = UpdateNode("front", front.data.model_copy(update={"headless": True}))
    await services.workflows.edit(owner, workflow.id, [headless], expected=workflow.revision)
    assert await refused(deploys, owner, DeployDraft(workflow.id)) == ["REPLACE_UNCONFIRMED"]
    stored = await deploys.plan(owner, PlanDraft(workflow.id))
    assert [one.action for one in stored.plan.objects] == [PlanAction.REPLACE]
    run = await deploys.deploy(owner, DeployDraft(workflow.id, plan_id=stored.id))
    assert [one.action for each in run.nodes for one in each.objects] == [PlanAction.REPLACE]


async def test_one_of_two_deploys_at_once_is_told_of_the_other(
    services: Services, deploys: Deployments, owner: Actor, words: Workflow
) -> None:
    asked = [deploys.deploy(owner, DeployDraft(words.id)) for _ in range(3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    [run] = [one for one in answers if isinstance(one, WorkflowRun)]
    conflicts = [one for one in answers if isinstance(one, Conflict)]
    assert {one.message for one in conflicts} <= {
        f"The run {run.id} of this workflow has not ended. Wait for it, or cancel it first.",
        "Another deploy of this workflow is being prepared. Try again in a moment.",
    }
    assert len(conflicts) == 2
    books = ledgers(services)
    assert await books.runs.count(words.id) == 1
    assert len(await books.audits.of_workflow(words.id)) == 1
    with pytest.raises(Conflict, match=run.id):
        await deploys.deploy(owner, DeployDraft(words.id, kind=RunKind.UNDEPLOY))


async def test_a_run_that_is_active_is_no_reason_to_write_values(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    await deploys.deploy(owner, DeployDraft(shop.id, values=demo_values()))
    before = await there.api.read("Secret", "credentials")
    with pytest.raises(Conflict, match="has not ended"):
        await deploys.deploy(owner, DeployDraft(shop.id, values=demo_values()))
    assert await there.api.read("Secret", "credentials") == before


async def test_the_same_key_is_answered_with_the_first_run(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    draft = DeployDraft(words.id, idempotency_key="once")
    run = await deploys.deploy(owner, draft)
    assert await deploys.deploy(owner, draft) == run
    ended = await carried_out(services, there, run)
    assert await deploys.deploy(owner, draft) == ended
    assert await ledgers(services).runs.count(words.id) == 1


async def test_the_same_key_at_once_makes_one_run(
    services: Services, owner: Actor, words: Workflow
) -> None:
    """On several replicas, each of which has found nothing before."""
    replicas = [deployments(services) for _ in range(4)]
    draft = DeployDraft(words.id, idempotency_key="once")
    runs = await asyncio.gather(*(one.deploy(owner, draft) for one in replicas))
    assert len({run.id for run in runs}) == 1
    assert await ledgers(services).runs.count(words.id) == 1


async def test_a_key_is_for_one_request(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    values = demo_values()
    draft = DeployDraft(shop.id, idempotency_key="once", values=values)
    run = await deploys.deploy(owner, draft)
    other = await published(services, owner, there, name="Other", nodes=[MAP], edges=[])
    stored = await deploys.plan(owner, PlanDraft(shop.id))
    more = values | {"web": {"OTHER": secret("another value")}}
    for different in (
        DeployDraft(other.id, idempotency_key="once", values=values),
        DeployDraft(shop.id, idempotency_key="once", values=values, message="hi"),
        DeployDraft(shop.id, idempotency_key="once", values=values, namespace="default"),
        DeployDraft(shop.id, idempotency_key="once", values=values, plan_id=stored.id),
        DeployDraft(shop.id, idempotency_key="once", values=values, kind=RunKind.UNDEPLOY),
        DeployDraft(
            shop.id, idempotency_key="once", values=values, consents=Consents(take_over=True)
        ),
        DeployDraft(shop.id, idempotency_key="once", values=more),
    ):
        with pytest.raises(Conflict) as taken:
            await deploys.deploy(owner, different)
        assert taken.value.path == ["idempotencyKey"]
    # The values themselves are not kept, so that others under the same names are the same request.
    again = DeployDraft(shop.id, idempotency_key="once", values=demo_values())
    assert await deploys.deploy(owner, again) == run


async def test_a_key_is_the_callers_own(
    services: Services, deploys: Deployments, owner: Actor, stranger: Actor, words: Workflow
) -> None:
    draft = DeployDraft(words.id, idempotency_key="once")
    await deploys.deploy(owner, draft)
    with pytest.raises(NotFound):
        await deploys.deploy(stranger, draft)


async def test_a_key_shows_nothing_that_the_caller_does_not_see_any_more(
    services: Services, deploys: Deployments, owner: Actor, words: Workflow
) -> None:
    draft = DeployDraft(words.id, idempotency_key="once")
    run = await deploys.deploy(owner, draft)
    await deploys.cancel(owner, run.id)
    await services.workflows.delete(owner, words.id)
    with pytest.raises(NotFound):
        await deploys.deploy(owner, draft)


async def test_what_is_too_long_is_refused(
    deploys: Deployments, owner: Actor, words: Workflow
) -> None:
    for draft, path in (
        (DeployDraft(words.id, idempotency_key=""), "idempotencyKey"),
        (DeployDraft(words.id, idempotency_key="k" * 201), "idempotencyKey"),
        (DeployDraft(words.id, message="m" * 2_001), "message"),
    ):
        with pytest.raises(Invalid) as invalid:
            await deploys.deploy(owner, draft)
        assert invalid.value.path == [path]


async def test_a_move_on_the_canvas_meanwhile_changes_nothing(
    services: Services, owner: Actor, there: There, shop: Workflow
) -> None:
    async def move() -> None:
        moved = [MoveNode("web", Position(x=9, y=9))]
        await services.workflows.edit(owner, shop.id, moved, expected=shop.revision)

    connect = meanwhile(parts(services).connect, move)
    draft = DeployDraft(shop.id, values=demo_values())
    run = await deployments(services, connect=connect).deploy(owner, draft)
    version = await VersionStore().get(shop.id, run.version)
    assert version is not None
    assert version.nodes["web"].position == Position(x=9, y=9)


async def test_a_change_of_the_canvas_meanwhile_is_a_conflict(
    services: Services, owner: Actor, there: There, shop: Workflow
) -> None:
    async def change() -> None:
        await services.workflows.edit(
            owner, shop.id, [RemoveNode("report")], expected=shop.revision
        )

    before_values = meanwhile(parts(services).connect, change)
    with pytest.raises(Conflict, match="changed meanwhile"):
        await deployments(services, connect=before_values).deploy(
            owner, DeployDraft(shop.id, values=demo_values())
        )
    await untouched(services, there, shop)


async def test_a_change_after_the_values_comes_after_the_run(
    services: Services, owner: Actor, there: There, shop: Workflow
) -> None:
    """What has its values already is not refused any more."""

    async def change() -> None:
        await services.workflows.edit(
            owner, shop.id, [RemoveNode("report")], expected=shop.revision
        )

    after_values = meanwhile(parts(services).connect, nothing, change)
    run = await deployments(services, connect=after_values).deploy(
        owner, DeployDraft(shop.id, values=demo_values())
    )
    assert [one.node_id for one in run.nodes] == list(shop.nodes)
    version = await VersionStore().get(shop.id, run.version)
    assert version is not None
    assert version.nodes == shop.nodes
    ended = await carried_out(services, there, run)
    assert ended.status is RunStatus.COMPLETED


async def test_a_run_that_came_and_went_meanwhile_is_a_conflict(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    """What it made is not in the inventory that was planned with."""

    async def another() -> None:
        await carried_out(services, there, await deploys.deploy(owner, DeployDraft(words.id)))

    connect = meanwhile(parts(services).connect, another)
    with pytest.raises(Conflict, match="Another run has ended meanwhile"):
        await deployments(services, connect=connect).deploy(owner, DeployDraft(words.id))
    assert await ledgers(services).runs.count(words.id) == 1
    inventory = await ledgers(services).inventories.get(words.id, there.known.id)
    assert inventory is not None
    assert [one.uid is not None for one in inventory.entries] == [True]


async def test_an_archive_meanwhile_is_heeded(
    services: Services, owner: Actor, there: There, words: Workflow
) -> None:
    connect = meanwhile(
        parts(services).connect, lambda: services.workflows.archive(owner, words.id)
    )
    with pytest.raises(Forbidden, match="Only a published workflow deploys"):
        await deployments(services, connect=connect).deploy(owner, DeployDraft(words.id))
    await untouched(services, there, words)


async def test_a_rollback_is_a_version_of_its_own_and_leaves_the_canvas_alone(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    await carried_out(services, there, await deploys.deploy(owner, DeployDraft(words.id)))
    change = [reworded(a="2"), AddNode(node("configmap", "more", name="more"))]
    edited = await services.workflows.edit(owner, words.id, change, expected=words.revision)
    await carried_out(services, there, await deploys.deploy(owner, DeployDraft(words.id)))

    run = await deploys.deploy(owner, DeployDraft(words.id, kind=RunKind.ROLLBACK, version=1))
    assert (run.kind, run.version) == (RunKind.ROLLBACK, 3)
    assert {(one.name, one.action) for each in run.nodes for one in each.objects} == {
        ("words", PlanAction.UPDATE),
        ("more", PlanAction.DELETE),
    }
    version = await VersionStore().get(words.id, 3)
    assert version is not None
    assert (version.restored_from, version.automatic, version.run_id) == (1, True, run.id)
    assert version.nodes == words.nodes
    after = await services.workflows.get(owner, words.id)
    assert after is not None
    assert (after.nodes, after.revision) == (edited.nodes, edited.revision)
    entries = await ledgers(services).audits.of_workflow(words.id)
    assert entries[0].action is AuditAction.WORKFLOW_ROLLED_BACK
    assert entries[0].details["rolled_back_to"] == 1
    await carried_out(services, there, run)
    assert (await there.api.read("ConfigMap", "words"))["data"] == {"a": "1"}


async def test_an_undeploy_removes_everything_but_data(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    first = await deploys.deploy(owner, DeployDraft(shop.id, values=demo_values()))
    await carried_out(services, there, first)
    await there.api.until("PersistentVolumeClaim", "data-database-0", lambda _: True)
    run = await deploys.deploy(owner, DeployDraft(shop.id, kind=RunKind.UNDEPLOY))
    assert (run.kind, run.version) == (RunKind.UNDEPLOY, 1)
    assert {one.action for each in run.nodes for one in each.objects} == {PlanAction.DELETE}
    assert await VersionStore().get(shop.id, 2) is None
    entries = await ledgers(services).audits.of_workflow(shop.id)
    assert entries[0].action is AuditAction.WORKFLOW_UNDEPLOYED
    await carried_out(services, there, run)
    inventory = await ledgers(services).inventories.get(shop.id, there.known.id)
    assert inventory is not None
    assert [one.key.name for one in inventory.entries] == ["data-database-0"]
    assert inventory.version is None

    consents = Consents(delete_data=True)
    last = DeployDraft(shop.id, kind=RunKind.UNDEPLOY, consents=consents)
    run = await deploys.deploy(owner, last)
    [claim] = [one for each in run.nodes for one in each.objects]
    assert (claim.kind, claim.action) == ("PersistentVolumeClaim", PlanAction.DELETE)
    await carried_out(services, there, run)
    with pytest.raises(Conflict, match="Nothing of this workflow is deployed"):
        await deploys.deploy(owner, DeployDraft(shop.id, kind=RunKind.UNDEPLOY))


async def test_data_of_others_stays_whatever_its_claim_is_called(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    helm = {"name": "data-database-7", "labels": {"app.kubernetes.io/managed-by": "Helm"}}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": helm,
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    await there.api.made(claim)
    first = await deploys.deploy(owner, DeployDraft(shop.id, values=demo_values()))
    await carried_out(services, there, first)
    await there.api.until("PersistentVolumeClaim", "data-database-0", lambda _: True)

    delete_data = Consents(delete_data=True)
    away = PlanDraft(shop.id, kind=RunKind.UNDEPLOY, consents=delete_data)
    plan = (await deploys.plan(owner, away)).plan
    assert [o.key.name for o in plan.objects if o.key.kind == "PersistentVolumeClaim"] == [
        "data-database-0"
    ]
    assert [(one.code, one.message) for one in plan.problems] == [
        (
            "KEPT",
            f"Claims that are only called like those of StatefulSet {there.namespace}/database "
            "stay: data-database-7 belongs to Helm.",
        )
    ]
    draft = DeployDraft(shop.id, kind=RunKind.UNDEPLOY, consents=delete_data)
    await carried_out(services, there, await deploys.deploy(owner, draft))
    assert (await there.api.read("PersistentVolumeClaim", "data-database-7"))["metadata"][
        "labels"
    ] == helm["labels"]
    assert (await there.api.get("PersistentVolumeClaim", "data-database-0")).status_code == 404


async def test_a_deploy_costs_as_many_commands_however_many_nodes_there_are(
    services: Services, deploys: Deployments, owner: Actor, there: There
) -> None:
    few = await published(services, owner, there, nodes=[deployment("a")], edges=[])
    many = [deployment(f"n-{number}") for number in range(120)]
    much = await published(services, owner, there, nodes=many, edges=[])
    await deploys.plan(owner, PlanDraft(few.id))
    with commands.during() as one:
        await deploys.deploy(owner, DeployDraft(few.id))
    with commands.during() as hundred:
        run = await deploys.deploy(owner, DeployDraft(much.id))
    assert len(run.nodes) == 120
    assert sorted(hundred) == sorted(one)
    assert len(one) <= 20


async def test_a_workflow_that_is_deployed_is_not_deleted(
    services: Services, deploys: Deployments, owner: Actor, there: There, shop: Workflow
) -> None:
    run = await deploys.deploy(owner, DeployDraft(shop.id, values=demo_values()))
    with pytest.raises(Conflict, match="A run of this workflow has not ended"):
        await services.workflows.delete(owner, shop.id)
    await carried_out(services, there, run)
    await there.api.until("PersistentVolumeClaim", "data-database-0", lambda _: True)
    with pytest.raises(Conflict, match="one of 11 objects"):
        await services.workflows.delete(owner, shop.id)
    away = await deploys.deploy(owner, DeployDraft(shop.id, kind=RunKind.UNDEPLOY))
    await carried_out(services, there, away)
    assert (await services.workflows.delete(owner, shop.id)).deleted_at is not None


async def test_a_cluster_with_something_deployed_is_removed_by_force_only(
    services: Services, deploys: Deployments, owner: Actor, there: There, words: Workflow
) -> None:
    run = await deploys.deploy(owner, DeployDraft(words.id))
    for force in (False, True):
        with pytest.raises(Conflict, match="1 run is active on this cluster"):
            await services.clusters.remove(owner, there.known.id, force=force)
    await carried_out(services, there, run)
    await services.workflows.update(owner, words.id, {"cluster_id": None})
    with pytest.raises(Conflict, match="1 workflow has something deployed on this cluster"):
        await services.clusters.remove(owner, there.known.id)
    await services.clusters.remove(owner, there.known.id, force=True)
    assert await ledgers(services).inventories.of_workflows([words.id]) == []
    await services.workflows.delete(owner, words.id)


async def test_of_the_values_only_their_names_stand_for_the_request(
    services: Services, deploys: Deployments, owner: Actor, shop: Workflow
) -> None:
    """That no value is anywhere in the database is looked for after every test."""
    draft = DeployDraft(shop.id, values=demo_values(), idempotency_key="once")
    assert "api-token" not in repr(draft)
    run = await deploys.deploy(owner, draft)
    found = await parts(services).database.raw["workflow_runs"].find_one({"request_key": "once"})
    assert found is not None
    assert str(found["_id"]) == run.id
    assert re.fullmatch("[0-9a-f]{64}", found["request_digest"])
