"""The monitor: finds out how clusters are, tells what changed, and shares the work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import pytest

from app.documents.checks import CheckStore
from app.domain.cluster import Cluster, ClusterStatus
from app.domain.events import ClusterStatusChanged
from app.domain.ids import Id
from app.domain.user import Actor
from app.services import Ending, Services
from app.settings import Settings
from tests.apiservers import ApiServers
from tests.clusters import bring_in, credentials
from tests.secrecy import secret


@pytest.fixture
async def api() -> AsyncIterator[ApiServers]:
    servers = ApiServers()
    servers.token = secret("a token of a cluster")
    async with servers.running():
        yield servers


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"background": True, "cluster_check_seconds": 1.0, "cluster_answer_seconds": 1.0}
    )


async def add(services: Services, actor: Actor, api: ApiServers, name: str) -> Cluster:
    return await bring_in(
        services, actor, name, server=f"{api.url}/{name}", credentials=credentials(api.token)
    )


@asynccontextmanager
async def watching(
    services: Services, actor: Actor, cluster_id: Id
) -> AsyncIterator["asyncio.Queue[Cluster]"]:
    """What the stream of a cluster tells from now on."""
    told: asyncio.Queue[Cluster] = asyncio.Queue()
    begun = asyncio.Event()

    async def follow() -> None:
        stream = services.cluster_streams.one(actor, cluster_id, until=Ending())
        async with aclosing(stream) as events:
            async for event in events:
                begun.set()
                if isinstance(event, ClusterStatusChanged):
                    told.put_nowait(event.cluster)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(follow())
        await begun.wait()
        yield told
        task.cancel()


async def test_a_cluster_is_looked_at_when_it_is_added(
    services: Services, owner: Actor, api: ApiServers
) -> None:
    cluster = await add(services, owner, api, "prod")
    assert cluster.status is ClusterStatus.CONNECTED
    assert cluster.status_message is None
    assert cluster.latency_ms is not None
    assert cluster.last_check is not None
    assert cluster.metadata.version == "v1.36.2"
    assert cluster.metadata.namespaces == ["default"]
    assert cluster.metadata.node_count == 1


async def test_what_changes_is_told_and_what_stays_is_not(
    services: Services, owner: Actor, api: ApiServers
) -> None:
    cluster = await add(services, owner, api, "prod")
    async with watching(services, owner, cluster.id) as told:
        asked = api.asked["prod"]
        await api.until_asked("prod", asked + 2)
        assert told.empty()
        api.token = secret("another token of the cluster")
        refused = await told.get()
        assert refused.status is ClusterStatus.ERROR
        assert refused.seq == cluster.seq + 1
        assert refused.status_message is not None
        assert "credentials" in refused.status_message
        # What was known of it is still true.
        assert refused.metadata == cluster.metadata


async def test_an_api_server_that_goes_and_comes_back(services: Services, owner: Actor) -> None:
    api = ApiServers()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(api.running())
        cluster = await add(services, owner, api, "prod")
        async with watching(services, owner, cluster.id) as told:
            await stack.aclose()
            gone = await told.get()
            assert gone.status is ClusterStatus.DISCONNECTED
            api.version = "v1.37.0"
            async with api.running():
                back = await told.get()
            assert back.status is ClusterStatus.CONNECTED
            assert back.metadata.version == "v1.37.0"
            assert [cluster.seq, gone.seq, back.seq] == [2, 3, 4]


async def test_findings_of_a_slow_look_are_not_written_over_newer_ones(
    services: Services, owner: Actor, api: ApiServers
) -> None:
    cluster = await add(services, owner, api, "prod")
    gate = api.hold("prod")
    asked = api.asked["prod"]
    slow = asyncio.create_task(services.monitor.check(cluster.id))
    await api.until_asked("prod", asked + 1)
    # As another process does it, for which the claim of this one does not count.
    newer = await CheckStore().claim(cluster.id, until=cluster.created_at)
    gate.set()
    assert newer is not None
    assert await slow is None


async def test_who_asks_again_and_again_does_not_keep_a_look_from_its_end(
    services: Services, owner: Actor, api: ApiServers
) -> None:
    cluster = await add(services, owner, api, "prod")
    gate = api.hold("prod")
    asked = api.asked["prod"]
    first = asyncio.create_task(services.monitor.check(cluster.id))
    await api.until_asked("prod", asked + 1)
    others = [asyncio.create_task(services.monitor.check(cluster.id)) for _ in range(20)]
    done, _ = await asyncio.wait(others, timeout=0.3)
    assert not done
    gate.set()
    findings = await asyncio.gather(first, *others)

    assert findings[0] is not None
    assert findings[0].status is ClusterStatus.CONNECTED
    assert all(finding is findings[0] for finding in findings)


async def test_a_dead_cluster_is_asked_less_and_less_often(services: Services) -> None:
    pace = services.monitor.pace
    pauses = [pace.until_next(failures) for failures in (0, 1, 2, 3, 4, 50)]
    for pause, times in zip(pauses, (1, 2, 4, 8, 16, 16), strict=True):
        assert pace.every * times * 0.9 <= pause <= pace.every * times * 1.1


async def test_a_removed_cluster_is_not_looked_at_any_more(
    services: Services, owner: Actor, api: ApiServers
) -> None:
    cluster = await add(services, owner, api, "prod")
    other = await add(services, owner, api, "other")
    await services.clusters.remove(owner, cluster.id)
    asked = api.asked["prod"]
    await api.until_asked("other", api.asked["other"] + 2)
    assert api.asked["prod"] == asked
    assert await services.monitor.check(cluster.id) is None
    assert (await services.clusters.get(owner, other.id)) is not None
