"""Who may watch how nodes are, from where, and until when."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.bootstrap import utc_now
from app.domain.cluster import ClusterRole
from app.domain.editing import NodeDraft
from app.domain.errors import Forbidden, NotFound
from app.domain.events import EndReason, StreamEnded
from app.domain.health import HealthState
from app.domain.ids import Id
from app.domain.node import NodeStatus
from app.domain.planning import InventoryEntry
from app.domain.statusevents import NodeStatusChanged, WorkflowStatusSnapshot
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.watching.telling import Seen
from tests.deploying import There, bring, published
from tests.domain.drawing import node
from tests.kubernetes.asking import Api
from tests.kubernetes.sandbox import sandbox
from tests.services.watching.placing import Stage, entries

HEALTHY, PENDING = HealthState.HEALTHY, HealthState.PENDING
NAMESPACES = ("shop",)


def status(node_id: str, state: HealthState = HEALTHY) -> NodeStatus:
    return NodeStatus(node_id=node_id, state=state, updated_at=utc_now())


@pytest.fixture
async def workflow(services: Services, stranger: Actor, there: There, owner: Actor) -> Workflow:
    """A workflow of the stranger's, on the owner's cluster, which is shared with them."""
    await share(services, owner, there)
    return await published(services, stranger, there, nodes=[config()], edges=())


def config() -> NodeDraft:
    return node("configmap", "settings", name="settings", data={"a": "b"})


async def share(
    services: Services,
    owner: Actor,
    there: There,
    *namespaces: str,
    role: ClusterRole = ClusterRole.DEPLOYER,
) -> None:
    await services.sharing.share(
        owner, there.known.id, "stranger@example.com", role=role, namespaces=list(namespaces)
    )


class Keeper:
    """Tells of a workflow as whoever looks after its cluster does."""

    def __init__(self, stage: Stage, workflow: Workflow, cluster_id: Id) -> None:
        self._stage = stage
        self._workflow = workflow
        self._cluster_id = cluster_id

    async def tell(self, *nodes: NodeStatus, namespaces: tuple[str, ...] = NAMESPACES) -> None:
        await self._stage.watches.need([self._cluster_id], now=utc_now())
        until = utc_now() + timedelta(seconds=60)
        watch = None
        while watch is None or watch.cluster_id != self._cluster_id:
            watch = await self._stage.watches.claim_due(now=until, until=until)
        seen = Seen({each.node_id: each for each in nodes}, namespaces)
        await self._stage.telling.tell(watch, {self._workflow.id: seen}, until=utc_now())


@pytest.fixture
def keeper(stage: Stage, workflow: Workflow, there: There) -> Keeper:
    return Keeper(stage, workflow, there.known.id)


async def test_a_snapshot_and_what_comes_behind_it(
    stage: Stage, stranger: Actor, workflow: Workflow, keeper: Keeper
) -> None:
    await keeper.tell(status("web"), status("front", PENDING))
    async with stage.watching(workflow.id, actor=stranger) as followed:
        first = await followed.next()
        assert isinstance(first, WorkflowStatusSnapshot)
        assert (first.seq, {each.node_id: each.state for each in first.nodes}) == (
            2,
            {"web": HEALTHY, "front": PENDING},
        )
        await keeper.tell(status("web"), status("front"))
        second = await followed.next()
        assert isinstance(second, NodeStatusChanged)
        assert (second.seq, second.status.node_id, second.status.state) == (3, "front", HEALTHY)
        await keeper.tell(status("front"))
        third = await followed.next()
        assert (third.seq, third.status.node_id, third.status.reason) == (4, "web", "NotDeployed")

    async with stage.watching(workflow.id, actor=stranger, after=2) as again:
        assert [(await again.next()).status.node_id for _ in range(2)] == ["front", "web"]
    async with stage.watching(workflow.id, actor=stranger, after=99) as ahead:
        whole = await ahead.next()
        assert (whole.seq, [each.node_id for each in whole.nodes]) == (4, ["front"])


async def test_who_comes_late_gets_the_newest_of_every_node(
    stage: Stage, stranger: Actor, workflow: Workflow, keeper: Keeper
) -> None:
    for state in (PENDING, HEALTHY) * 3:
        await keeper.tell(status("web", state))
    await keeper.tell(status("web"), status("front"))
    async with stage.watching(workflow.id, actor=stranger, after=0) as followed:
        told = [await followed.next() for _ in range(2)]
        assert [(each.seq, each.status.node_id) for each in told] == [(6, "web"), (7, "front")]


async def test_what_one_may_not_see_is_not_there(
    stage: Stage, services: Services, owner: Actor, stranger: Actor, workflow: Workflow
) -> None:
    with pytest.raises(NotFound):  # the cluster's owner does not see the workflow
        async with stage.watching(workflow.id, actor=owner) as followed:
            await followed.next()
    await services.workflows.delete(stranger, workflow.id)
    with pytest.raises(NotFound):
        async with stage.watching(workflow.id, actor=stranger) as followed:
            await followed.next()


@pytest.mark.parametrize("namespaces", [("other",), ("other", "shop"), ()])
async def test_the_namespaces_of_a_share(
    *,
    stage: Stage,
    services: Services,
    owner: Actor,
    stranger: Actor,
    there: There,
    workflow: Workflow,
    keeper: Keeper,
    namespaces: tuple[str, ...],
) -> None:
    await keeper.tell(status("web"), namespaces=("shop", "other"))
    await share(services, owner, there, *namespaces, role=ClusterRole.VIEWER)
    shown = await stage.shown.of(stranger, [workflow.id])
    if namespaces == ("other",):
        with pytest.raises(Forbidden, match="in these namespaces only: other"):
            async with stage.watching(workflow.id, actor=stranger) as followed:
                await followed.next()
        assert shown == {}
    else:
        async with stage.watching(workflow.id, actor=stranger) as followed:
            await followed.next()
        assert [each.node_id for each in shown[workflow.id]] == ["web"]


async def test_a_share_that_ends(
    *,
    stage: Stage,
    services: Services,
    owner: Actor,
    stranger: Actor,
    there: There,
    workflow: Workflow,
    keeper: Keeper,
) -> None:
    await keeper.tell(status("web"))
    async with stage.watching(workflow.id, actor=stranger) as followed:
        await followed.next()
        await share(services, owner, there, "shop")
        await keeper.tell(status("web", PENDING))
        assert isinstance(await followed.next(), NodeStatusChanged)
        await share(services, owner, there, "blog")
        ended = await followed.next()
        assert isinstance(ended, StreamEnded)
        assert ended.reason is EndReason.ACCESS_REVOKED
    await services.sharing.unshare(owner, there.known.id, stranger.id)
    with pytest.raises(NotFound):
        async with stage.watching(workflow.id, actor=stranger) as followed:
            await followed.next()
    assert await stage.shown.of(stranger, [workflow.id]) == {}


async def test_a_workflow_that_spreads_to_where_one_may_not_look(
    *,
    stage: Stage,
    services: Services,
    owner: Actor,
    stranger: Actor,
    there: There,
    workflow: Workflow,
    keeper: Keeper,
) -> None:
    await keeper.tell(status("web"))
    await share(services, owner, there, "shop")
    async with stage.watching(workflow.id, actor=stranger) as followed:
        await followed.next()
        await keeper.tell(status("web"), status("front"), namespaces=("other", "shop"))
        ended = await followed.next()
        assert isinstance(ended, StreamEnded)
        assert ended.reason is EndReason.ACCESS_REVOKED


async def test_a_first_deploy_to_where_one_may_not_look(
    *,
    stage: Stage,
    services: Services,
    owner: Actor,
    stranger: Actor,
    there: There,
    workflow: Workflow,
    keeper: Keeper,
) -> None:
    await services.sharing.unshare(owner, there.known.id, stranger.id)
    async with stage.watching(workflow.id, actor=stranger) as followed:
        assert (await followed.next()).nodes == []
        await keeper.tell(status("web"))
        ended = await followed.next()
        assert isinstance(ended, StreamEnded)
        assert ended.reason is EndReason.ACCESS_REVOKED
        assert followed.told == []


async def test_a_cluster_that_is_removed(
    *,
    stage: Stage,
    services: Services,
    owner: Actor,
    stranger: Actor,
    there: There,
    workflow: Workflow,
    keeper: Keeper,
) -> None:
    await keeper.tell(status("web"))
    async with stage.watching(workflow.id, actor=stranger) as followed:
        await followed.next()
        await services.clusters.remove(owner, there.known.id, force=True)
        ended = await followed.next()
        assert isinstance(ended, StreamEnded)
        assert ended.reason is EndReason.DELETED
    async with stage.watching(workflow.id, actor=stranger) as followed:
        first = await followed.next()
        assert (first.seq, first.nodes) == (1, [])
    assert await stage.shown.of(stranger, [workflow.id]) == {}


@pytest.fixture
async def second(services: Services, stranger: Actor) -> AsyncIterator[There]:
    """A cluster of the stranger's own."""
    async with sandbox() as cluster, cluster.client() as http:
        yield There(await bring(services, stranger, cluster), cluster, Api(http, "shop"))


async def test_a_workflow_that_moves_to_another_cluster(
    *,
    stage: Stage,
    stranger: Actor,
    there: There,
    second: There,
    workflow: Workflow,
    keeper: Keeper,
) -> None:
    """The cluster that it was deployed to last is the one that tells."""
    deployed = entries(stage.manifests(workflow))
    other = Keeper(stage, workflow, second.known.id)
    await stage.note(workflow, there, deployed, version=1)
    await keeper.tell(status("settings"))
    await other.tell(status("settings", PENDING))  # nothing is deployed there: it is not heard
    async with stage.watching(workflow.id, actor=stranger) as followed:
        assert [each.state for each in (await followed.next()).nodes] == [HEALTHY]
        await stage.note(workflow, second, deployed, version=2)
        await other.tell(status("settings", PENDING))
        moved = await followed.next()
        assert (moved.seq, moved.status.state, moved.cluster_id) == (2, PENDING, second.known.id)
        await keeper.tell(status("settings"))  # too late
        await other.tell(status("settings"))
        assert (await followed.next()).seq == 3
        found = await stage.statuses.get(workflow.id)
        assert found is not None
        assert (found.cluster_id, found.seq) == (second.known.id, 3)
        kept = [InventoryEntry(one.key, None, one.node_id, kept=True) for one in deployed]
        await stage.note(workflow, second, kept)  # only what is kept is left there
        await keeper.tell(status("settings", PENDING))
        back = await followed.next()
        assert (back.seq, back.cluster_id) == (4, there.known.id)
