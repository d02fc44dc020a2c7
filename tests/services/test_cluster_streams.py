"""Who watches clusters sees their own cut of them, as long as they may, and hears the end of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.cluster import Cluster, ClusterRole
from app.domain.errors import Invalid, NotFound
from app.domain.events import (
    ClusterRemoved,
    ClusterSnapshot,
    ClustersSnapshot,
    ClusterStatusChanged,
    EndReason,
    StreamEnded,
)
from app.domain.user import Actor
from app.services import Ending, Services
from app.settings import Settings
from tests.apiservers import ApiServers
from tests.clusters import bring_in, credentials
from tests.secrecy import secret

Next = Callable[[], Any]


@pytest.fixture
async def api() -> AsyncIterator[ApiServers]:
    servers = ApiServers()
    servers.token = secret("a token of a cluster")
    async with servers.running():
        yield servers


@pytest.fixture
async def cluster(services: Services, owner: Actor, api: ApiServers) -> Cluster:
    return await bring_in(
        services, owner, "prod", server=f"{api.url}/prod", credentials=credentials(api.token)
    )


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


def following(stack: AsyncExitStack, stream: AsyncGenerator[Any, None]) -> Next:
    """The next event of a stream, which is closed with the test; None when it has ended."""
    stack.push_async_callback(stream.aclose)

    async def following_event() -> Any:
        async with asyncio.timeout(30):
            return await anext(stream, None)

    return following_event


async def share(
    services: Services,
    owner: Actor,
    cluster: Cluster,
    guest: Actor,
    **more: Any,
) -> None:
    await services.sharing.share(
        owner, cluster.id, guest.user.email, **{"role": ClusterRole.VIEWER, **more}
    )


async def test_a_stranger_finds_nothing(
    services: Services, stranger: Actor, cluster: Cluster
) -> None:
    with pytest.raises(NotFound):
        await anext(services.cluster_streams.one(stranger, cluster.id, until=Ending()))
    everything = services.cluster_streams.all(stranger, until=Ending())
    assert await anext(everything) == ClustersSnapshot(seq=0, clusters=[])
    await everything.aclose()


async def test_an_after_that_no_event_has(
    services: Services, owner: Actor, cluster: Cluster
) -> None:
    for stream in (
        services.cluster_streams.one(owner, cluster.id, after=-1, until=Ending()),
        services.cluster_streams.all(owner, after=-1, until=Ending()),
    ):
        with pytest.raises(Invalid):
            await anext(stream)


async def test_who_loses_a_cluster_hears_it_at_once(
    services: Services,
    owner: Actor,
    stranger: Actor,
    cluster: Cluster,
    stack: AsyncExitStack,
) -> None:
    everything = following(stack, services.cluster_streams.all(stranger, until=Ending()))
    assert (await everything()).clusters == []
    await share(services, owner, cluster, stranger, namespaces=["default"])
    gained = await everything()
    assert isinstance(gained, ClusterStatusChanged)
    assert gained.cluster.id == cluster.id
    assert [each.user_id for each in gained.cluster.shared_with] == [stranger.id]

    one = following(stack, services.cluster_streams.one(stranger, cluster.id, until=Ending()))
    snapshot = await one()
    assert isinstance(snapshot, ClusterSnapshot)
    await services.sharing.unshare(owner, cluster.id, stranger.id)
    assert await one() == StreamEnded(seq=snapshot.seq, reason=EndReason.ACCESS_REVOKED)
    assert await one() is None
    lost = await everything()
    assert isinstance(lost, ClusterRemoved)
    assert lost.cluster_id == cluster.id
    assert lost.seq == gained.seq + 1

    # What happens to it now is not theirs to hear.
    await services.clusters.update(owner, cluster.id, {"display_name": "Secret plans"})
    await share(services, owner, cluster, stranger)
    again = await everything()
    assert again.seq == lost.seq + 1


async def test_each_sees_their_own_cut(
    services: Services,
    owner: Actor,
    stranger: Actor,
    cluster: Cluster,
    stack: AsyncExitStack,
) -> None:
    await share(services, owner, cluster, stranger, namespaces=["shop"])
    theirs = following(stack, services.cluster_streams.one(stranger, cluster.id, until=Ending()))
    mine = following(stack, services.cluster_streams.one(owner, cluster.id, until=Ending()))
    assert (await theirs()).cluster.metadata.namespaces == []
    assert (await mine()).cluster.metadata.namespaces == ["default"]
    await services.clusters.update(owner, cluster.id, {"description": "The one that counts."})
    seen, whole = await theirs(), await mine()
    assert seen.seq == whole.seq
    assert seen.cluster.metadata.namespaces == []
    assert whole.cluster.metadata.namespaces == ["default"]
    assert seen.cluster.description == whole.cluster.description == "The one that counts."


async def test_a_cluster_that_is_removed(
    services: Services, owner: Actor, cluster: Cluster, stack: AsyncExitStack
) -> None:
    one = following(stack, services.cluster_streams.one(owner, cluster.id, until=Ending()))
    everything = following(stack, services.cluster_streams.all(owner, until=Ending()))
    snapshot, listed = await one(), await everything()
    await services.clusters.remove(owner, cluster.id)
    removed = await one()
    assert isinstance(removed, ClusterRemoved)
    assert removed.seq == snapshot.seq + 1
    assert await one() == StreamEnded(seq=removed.seq, reason=EndReason.DELETED)
    gone = await everything()
    assert isinstance(gone, ClusterRemoved)
    assert gone.seq == listed.seq + 1


async def test_who_comes_back_gets_what_they_missed(
    services: Services, owner: Actor, cluster: Cluster, stack: AsyncExitStack
) -> None:
    before = await services.clusters.get(owner, cluster.id)
    assert before is not None
    for name in ("One", "Two"):
        await services.clusters.update(owner, cluster.id, {"display_name": name})
    one = following(
        stack, services.cluster_streams.one(owner, cluster.id, after=before.seq, until=Ending())
    )
    first, second = await one(), await one()
    assert [first.cluster.display_name, second.cluster.display_name] == ["One", "Two"]
    assert [first.seq, second.seq] == [before.seq + 1, before.seq + 2]


async def test_events_from_before_it_was_shared_are_not_told(
    services: Services,
    owner: Actor,
    stranger: Actor,
    cluster: Cluster,
    stack: AsyncExitStack,
) -> None:
    await services.clusters.update(owner, cluster.id, {"display_name": "Secret plans"})
    await share(services, owner, cluster, stranger)
    one = following(
        stack, services.cluster_streams.one(stranger, cluster.id, after=0, until=Ending())
    )
    shared = await one()
    assert [share.user_id for share in shared.cluster.shared_with] == [stranger.id]
    now = await services.clusters.get(owner, cluster.id)
    assert now is not None
    assert shared.seq == now.seq


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    return settings.model_copy(update={"background": "ends_by_itself" in request.node.name})


async def test_a_share_ends_by_itself(
    services: Services,
    owner: Actor,
    stranger: Actor,
    cluster: Cluster,
    stack: AsyncExitStack,
) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=2)
    await share(services, owner, cluster, stranger, expires_at=ends)
    one = following(stack, services.cluster_streams.one(stranger, cluster.id, until=Ending()))
    everything = following(stack, services.cluster_streams.all(stranger, until=Ending()))
    snapshot = await one()
    assert len((await everything()).clusters) == 1
    assert await one() == StreamEnded(seq=snapshot.seq, reason=EndReason.ACCESS_REVOKED)
    assert datetime.now(UTC) >= ends
    lost = await everything()
    assert isinstance(lost, ClusterRemoved)
    kept = await services.clusters.get(owner, cluster.id)
    assert kept is not None
    assert kept.shared_with == []
