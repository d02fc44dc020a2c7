"""Drift: what somebody else did to what is deployed, found by asking the cluster."""

import asyncio
from base64 import b64encode
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app.bootstrap import utc_now
from app.documents.database import Transaction
from app.documents.work import WorkStore
from app.domain.cluster import ClusterRole
from app.domain.drift import Drift, DriftedObject, DriftState
from app.domain.errors import ClusterError, ClusterFault, Forbidden, NotFound, RateLimited
from app.domain.ids import Id
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.accessing import Place, TokenDraft
from tests.deploying import There, bring, published, within
from tests.domain.drawing import deployment, node, service
from tests.kubernetes.asking import ok
from tests.kubernetes.sandbox import sandbox
from tests.secrecy import secret
from tests.services.watching.placing import Stage

IN_SYNC, MODIFIED, MISSING = DriftState.IN_SYNC, DriftState.MODIFIED, DriftState.MISSING
NODES = (
    deployment("web", replicas=2),
    service("front"),
    node("configmap", "settings", name="settings", data={"a": "b"}),
    node("secret", "credentials", name="credentials", keys=[{"name": "api-token"}]),
)


@pytest.fixture
async def workflow(stage: Stage, services: Services, owner: Actor, there: There) -> Workflow:
    """One that is deployed, with the values of its Secret."""
    made = await published(services, owner, there, nodes=NODES, edges=())
    await stage.deploy(made, there)
    await fill(there, secret("a value of a Secret"))
    return made


async def fill(there: There, value: str | None) -> None:
    """Gives the Secret its value as a deploy does, or takes it away."""
    data = {"api-token": value and b64encode(value.encode()).decode()}
    ok(
        await there.api.patch(
            "Secret", "credentials", body={"data": data}, fieldManager="kubeorch-secrets"
        )
    )


async def check(stage: Stage, owner: Actor, workflow: Workflow) -> Drift:
    found = await stage.drifts.check(owner, workflow)
    assert found is not None
    assert await stage.drifts.last(owner, [workflow.id]) == {workflow.id: found}
    return found


def of(found: Drift, node_id: str) -> DriftedObject:
    (one,) = [each for each in found.objects if each.node_id == node_id]
    return one


async def test_what_nobody_touched_is_in_sync(
    stage: Stage, owner: Actor, workflow: Workflow
) -> None:
    found = await check(stage, owner, workflow)
    assert [(one.kind, one.namespace, one.name, one.state) for one in found.objects] == [
        ("ConfigMap", "shop", "settings", IN_SYNC),
        ("Secret", "shop", "credentials", IN_SYNC),
        ("Service", "shop", "front", IN_SYNC),
        ("Deployment", "shop", "web", IN_SYNC),
    ]
    assert {(one.message, one.changes) for one in found.objects} == {(None, ())}
    assert not found.has_drifted
    assert abs(found.checked_at - utc_now()) < timedelta(seconds=20)


async def test_what_somebody_else_did(
    stage: Stage, owner: Actor, workflow: Workflow, there: There
) -> None:
    """Scaled, edited beside our fields, deleted: the changes lead back to what was deployed."""
    ok(
        await there.api.patch(
            "Deployment", "web", body={"spec": {"replicas": 5}}, fieldManager="kubectl-edit"
        )
    )
    ok(
        await there.api.patch(
            "ConfigMap", "settings", body={"data": {"a": "x"}}, fieldManager="somebody"
        )
    )
    ok(await there.api.delete("Service", "front"))
    found = await check(stage, owner, workflow)
    web, settings, front = (of(found, id_) for id_ in ("web", "settings", "front"))
    assert found.has_drifted
    assert web.state is MODIFIED
    assert [(one.path, one.before, one.after) for one in web.changes] == [("spec.replicas", 5, 2)]
    assert web.message == "spec.replicas of Deployment shop/web is set by kubectl-edit."
    assert [(one.path, one.before, one.after) for one in settings.changes] == [("data.a", "x", "b")]
    assert (front.state, front.changes) == (MISSING, ())
    assert of(found, "credentials").state is IN_SYNC
    live = await there.api.read("Deployment", "web")
    assert live["spec"]["replicas"] == 5  # nothing was written


async def test_what_others_add_beside_us_is_no_drift(
    stage: Stage, owner: Actor, workflow: Workflow, there: There
) -> None:
    body = {"metadata": {"annotations": {"somebody.example.com/note": "hi"}}}
    ok(await there.api.patch("Deployment", "web", body=body, fieldManager="somebody"))
    assert not (await check(stage, owner, workflow)).has_drifted


async def test_values_of_secrets(
    stage: Stage, owner: Actor, workflow: Workflow, there: There
) -> None:
    """Other values are no drift, because nobody knows ours; a key without one is."""
    await fill(there, secret("another value of a Secret"))
    assert not (await check(stage, owner, workflow)).has_drifted
    await fill(there, None)
    credentials = of(await check(stage, owner, workflow), "credentials")
    assert credentials.state is MODIFIED
    assert credentials.message == "It has no value for api-token any more."
    assert credentials.changes == ()


async def test_nothing_is_deployed(
    stage: Stage, services: Services, owner: Actor, there: There
) -> None:
    workflow = await published(services, owner, there, nodes=NODES, edges=())
    assert await stage.drifts.check(owner, workflow) is None
    assert await stage.drifts.last(owner, [workflow.id]) == {}


async def test_what_was_found_of_another_version_is_not_told(
    stage: Stage, owner: Actor, workflow: Workflow, there: There
) -> None:
    await check(stage, owner, workflow)
    await stage.deploy(workflow, there)
    assert await stage.drifts.last(owner, [workflow.id]) == {}
    await check(stage, owner, workflow)


async def run(stage: Stage, workflow: Workflow, there: There) -> Id:
    """An active run."""
    run_id, now = Id("0123456789abcdef01234567"), utc_now()
    place = {
        "workflow_id": workflow.id,
        "cluster_id": there.known.id,
        "started_by": stage.owner.id,
    }
    assert await WorkStore().reserve(run_id, **place, now=now, until=now + timedelta(minutes=1))

    async def work(transaction: Transaction) -> None:
        await WorkStore().add(
            run_id,
            **place,
            workflow_name=workflow.name,
            plan="{}",
            due_at=now,
            transaction=transaction,
        )

    await stage.database.transaction(work)
    return run_id


async def test_a_run_is_no_drift(
    stage: Stage, owner: Actor, workflow: Workflow, there: There
) -> None:
    """Then it is what was found before it, if anything was."""
    run_id = await run(stage, workflow, there)
    assert await stage.drifts.check(owner, workflow) is None

    async def withdraw(transaction: Transaction) -> None:
        await WorkStore().withdraw(run_id, transaction)

    await stage.database.transaction(withdraw)
    found = await check(stage, owner, workflow)
    await run(stage, workflow, there)
    await there.api.delete("Service", "front")
    assert await check(stage, owner, workflow) == found


async def test_many_who_ask_at_once_ask_the_cluster_once(
    stage: Stage, owner: Actor, workflow: Workflow
) -> None:
    found = await asyncio.gather(*(stage.drifts.check(owner, workflow) for _ in range(20)))
    assert found[0] is not None
    assert all(each is found[0] for each in found)
    again = await stage.drifts.check(owner, workflow)
    assert again is not None
    assert again.checked_at > found[0].checked_at


class Hanging:
    """In front of a cluster: while it is `stuck`, nothing is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.stuck = False
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        """Set when nobody waits for an answer any more."""
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.stuck:
            await self._app(scope, receive, send)
            return
        self._waiting += 1
        self.asked.set()
        self.left.clear()
        while (await receive())["type"] != "http.disconnect":
            pass
        self._waiting -= 1
        if not self._waiting:
            self.left.set()


async def test_a_cluster_that_hangs_holds_only_those_up_who_ask_it(
    *,
    stage: Stage,
    services: Services,
    owner: Actor,
    stranger: Actor,
    workflow: Workflow,
) -> None:
    """Nor does it hold a turn for people who have left."""
    made: list[Hanging] = []

    def around(app: ASGIApp) -> ASGIApp:
        made.append(Hanging(app))
        return made[-1]

    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(sandbox(around=around))
        api = await stack.enter_async_context(within(cluster, "shop"))
        elsewhere = There(await bring(services, stranger, cluster), cluster, api)
        other = Stage(services, stranger)
        other.drifts = stage.drifts
        theirs = []
        for number in range(8):
            name = f"settings-{number}"
            nodes = (node("configmap", "settings", name=name, data={"a": "b"}),)
            theirs.append(
                await published(services, stranger, elsewhere, nodes=nodes, edges=(), name=name)
            )
            await other.deploy(theirs[-1], elsewhere)
        (hanging,) = made
        hanging.stuck = True
        asking = [asyncio.create_task(stage.drifts.check(stranger, one)) for one in theirs]
        async with asyncio.timeout(30):
            await hanging.asked.wait()
        async with asyncio.timeout(2):
            assert not (await check(stage, owner, workflow)).has_drifted
        done, under_way = await asyncio.wait(asking, timeout=8)
        assert [type(task.exception()) for task in done] == [RateLimited] * 7
        for task in under_way:
            task.cancel()
        async with asyncio.timeout(10):
            await hanging.left.wait()
        hanging.stuck = False
        async with asyncio.timeout(4):
            found = await stage.drifts.check(stranger, theirs[0])
        assert found is not None
        assert not found.has_drifted


async def test_a_cluster_that_does_not_let_us_in(
    stage: Stage, services: Services, owner: Actor, workflow: Workflow, there: There
) -> None:
    """It is said; what was found before stays."""
    found = await check(stage, owner, workflow)
    wrong = TokenDraft(token=secret("a token of nobody"), ca=there.cluster.ca.decode())
    place = Place(there.cluster.server)
    await services.clusters.update_credentials(owner, there.known.id, wrong, place)
    with pytest.raises(ClusterError) as failed:
        await stage.drifts.check(owner, workflow)
    assert failed.value.fault is ClusterFault.UNAUTHORIZED
    assert await stage.drifts.last(owner, [workflow.id]) == {workflow.id: found}


async def test_who_may_look(
    *, stage: Stage, services: Services, owner: Actor, stranger: Actor, there: There
) -> None:
    async def share(*namespaces: str, role: ClusterRole) -> None:
        await services.sharing.share(
            owner, there.known.id, "stranger@example.com", role=role, namespaces=namespaces
        )

    await share(role=ClusterRole.DEPLOYER)
    workflow = await published(services, stranger, there, nodes=NODES[2:3], edges=())
    other = Stage(services, stranger)
    await other.deploy(workflow, there)
    await share("shop", role=ClusterRole.VIEWER)
    await check(stage, stranger, workflow)
    await share("blog", role=ClusterRole.ADMIN)
    with pytest.raises(Forbidden, match="in these namespaces only: blog"):
        await stage.drifts.check(stranger, workflow)
    assert await stage.drifts.last(stranger, [workflow.id]) == {}
    await services.sharing.unshare(owner, there.known.id, stranger.id)
    with pytest.raises(NotFound):
        await stage.drifts.check(stranger, workflow)


async def test_it_is_looked_for_again_and_again(
    stage: Stage, owner: Actor, workflow: Workflow, there: There
) -> None:
    """By the process that looks after the cluster."""
    async with (
        await stage.database.raw["drifts"].watch() as kept,
        stage.keeping(drift=timedelta(seconds=0.2)),
        asyncio.timeout(30),
    ):
        await kept.next()
        found = await stage.drifts.last(owner, [workflow.id])
        assert not found[workflow.id].has_drifted
        await there.api.delete("Service", "front")
        while not found[workflow.id].has_drifted:
            await kept.next()
            found = await stage.drifts.last(owner, [workflow.id])
