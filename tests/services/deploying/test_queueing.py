"""One deploy at a time: what is being prepared keeps its workflow, and only that writes values."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from app.bootstrap import utc_now
from app.domain.cluster import Cluster
from app.domain.deploying import DeployDraft
from app.domain.editing import RemoveNode
from app.domain.errors import ClusterError, ClusterFault, Conflict, NotFound
from app.domain.ids import Id
from app.domain.run import WorkflowRun
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.kube.client import KubeClient
from app.services import Services
from app.services.deploying.deployments import Deployments
from app.services.deploying.queueing import RESERVED_SECONDS, Preparing
from tests.deploying import There, deployments, ledgers, parts, published
from tests.domain.drawing import node
from tests.secrecy import secret

PREPARED = "Another deploy of this workflow is being prepared. Try again in a moment."


@pytest.fixture
async def key(services: Services, owner: Actor, there: There) -> Workflow:
    """A workflow of one Secret with one value."""
    only = node("secret", "key", name="key", keys=[{"name": "token"}])
    return await published(services, owner, there, name="Key", nodes=[only], edges=[])


def with_value(workflow: Workflow, value: str, *, once: str | None = None) -> DeployDraft:
    return DeployDraft(workflow.id, idempotency_key=once, values={"key": {"token": value}})


async def value(there: There) -> str:
    return b64decode((await there.api.read("Secret", "key"))["data"]["token"]).decode()


class Held:
    """Deployments that are held up while their values are written: in their second connection."""

    def __init__(self, services: Services, error: Exception | None = None) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self._connect = parts(services).connect
        self._connections, self._error = 0, error
        self.deploys = deployments(services, connect=self.to)

    @asynccontextmanager
    async def to(self, cluster: Cluster) -> AsyncIterator[KubeClient]:
        self._connections += 1
        if self._connections == 2:
            self.reached.set()
            await self.go_on.wait()
            if self._error is not None:
                raise self._error
        async with self._connect(cluster) as client:
            yield client


async def test_of_many_deploys_at_once_only_that_writes_values_which_becomes_a_run(
    services: Services, owner: Actor, there: There, key: Workflow
) -> None:
    values = [secret(f"value {number}") for number in range(8)]
    replicas = [deployments(services) for _ in values]
    answers = await asyncio.gather(
        *(
            one.deploy(owner, with_value(key, given))
            for one, given in zip(replicas, values, strict=True)
        ),
        return_exceptions=True,
    )
    [won] = [n for n, one in enumerate(answers) if isinstance(one, WorkflowRun)]
    assert all(isinstance(one, Conflict) for n, one in enumerate(answers) if n != won)
    assert await value(there) == values[won]


async def test_who_comes_second_is_told_and_writes_nothing(
    services: Services, deploys: Deployments, owner: Actor, there: There, key: Workflow
) -> None:
    mine, others = secret("a value"), secret("another value")
    held = Held(services)
    first = asyncio.create_task(held.deploys.deploy(owner, with_value(key, mine)))
    await held.reached.wait()
    with pytest.raises(Preparing, match=PREPARED):
        await deploys.deploy(owner, with_value(key, others))
    assert (await there.api.get("Secret", "key")).status_code == 404
    held.go_on.set()
    run = await first
    assert await value(there) == mine
    assert await ledgers(services).work.active_run(key.id) == run.id


async def test_the_same_request_waits_for_the_first(
    services: Services, deploys: Deployments, owner: Actor, key: Workflow
) -> None:
    draft = with_value(key, secret("a value"), once="once")
    held = Held(services)
    first = asyncio.create_task(held.deploys.deploy(owner, draft))
    await held.reached.wait()
    second = asyncio.create_task(deploys.deploy(owner, draft))
    held.go_on.set()
    assert await second == await first


async def test_what_is_being_prepared_is_no_run_yet(
    services: Services, owner: Actor, there: There, key: Workflow
) -> None:
    held, books = Held(services), ledgers(services)
    first = asyncio.create_task(held.deploys.deploy(owner, with_value(key, secret("a value"))))
    await held.reached.wait()
    now = utc_now() + timedelta(hours=1)
    assert await books.work.active_run(key.id) is None
    assert await books.work.next_due() is None
    assert await books.work.claim_due(now=now, until=now + timedelta(hours=1)) is None
    [reserved] = await parts(services).database.raw["run_work"].find({}).to_list()
    with pytest.raises(NotFound):
        await held.deploys.cancel(owner, Id(reserved["_id"]))
    with pytest.raises(Conflict, match="Wait for it"):
        await services.workflows.delete(owner, key.id)
    held.go_on.set()
    run = await first
    assert run.id == Id(reserved["_id"])
    due = await books.work.claim_due(now=now, until=now + timedelta(hours=1))
    assert due is not None
    assert due.run_id == run.id


@pytest.mark.parametrize("ending", ["refused", "cancelled"])
async def test_what_comes_to_nothing_gives_the_workflow_back(
    services: Services, deploys: Deployments, owner: Actor, key: Workflow, ending: str
) -> None:
    gone = ClusterError(ClusterFault.UNREACHABLE, "It is gone.")
    held = Held(services, gone)
    draft = with_value(key, secret("a value"))
    first = asyncio.create_task(held.deploys.deploy(owner, draft))
    await held.reached.wait()
    if ending == "cancelled":
        first.cancel()
    held.go_on.set()
    with pytest.raises((ClusterError, asyncio.CancelledError)):
        await first
    assert (await deploys.deploy(owner, draft)).version == 1


async def test_what_a_process_died_over_holds_nobody_up_for_longer_than_its_lease(
    services: Services, owner: Actor, there: There, key: Workflow
) -> None:
    """Should it be alive after all, it finds that its time is over."""
    held = Held(services)
    slow = asyncio.create_task(held.deploys.deploy(owner, with_value(key, secret("a value"))))
    await held.reached.wait()
    later = utc_now() + timedelta(seconds=RESERVED_SECONDS)
    mine = secret("another value")
    run = await deployments(services, now=lambda: later).deploy(owner, with_value(key, mine))
    assert await value(there) == mine
    held.go_on.set()
    with pytest.raises(Conflict):
        await slow
    assert await ledgers(services).work.active_run(key.id) == run.id
    assert await ledgers(services).runs.count(key.id) == 1


async def test_nothing_is_written_for_what_has_changed_before(
    services: Services, owner: Actor, there: There, key: Workflow
) -> None:
    """The last look at the workflow is after it was reserved."""

    @asynccontextmanager
    async def to(cluster: Cluster) -> AsyncIterator[KubeClient]:
        async with parts(services).connect(cluster) as client:
            yield client
        await services.workflows.edit(owner, key.id, [RemoveNode("key")], expected=key.revision)

    with pytest.raises(Conflict, match="changed meanwhile"):
        await deployments(services, connect=to).deploy(owner, with_value(key, secret("a value")))
    assert (await there.api.get("Secret", "key")).status_code == 404
    assert not await ledgers(services).work.is_busy(key.id)
