"""The pool: one client for all who ask, none too many, none taken away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app.domain.access import Access, BearerToken
from app.domain.errors import ClusterError, ClusterFault
from app.kube.addresses import AddressPolicy
from app.kube.client import KubeClient
from app.kube.pool import ClientKey, ClientPool
from tests.kube.serving import Server
from tests.kubernetes.certificates import Authority

HERE = AddressPolicy(loopback=True)
Load = Callable[[], Awaitable[Access]]


@pytest.fixture
async def pools() -> AsyncIterator[Callable[..., ClientPool]]:
    """`pools(size=2)`: a pool that is closed when the test ends."""
    made: list[ClientPool] = []

    def make(**arguments: float) -> ClientPool:
        made.append(ClientPool(HERE, **arguments))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for pool in made:
        await pool.close()


@pytest.fixture
def load(server: Server, authority: Authority) -> Load:
    """Reads the credentials for `server`."""
    server.answers("GET /x", {"ok": True})

    async def read() -> Access:
        return Access(
            server=server.url, ca=authority.pem.decode(), proof=BearerToken(token="a-token")
        )

    return read


def key(cluster: str = "a", version: int = 1) -> ClientKey:
    return ClientKey(cluster, version)


async def works(client: KubeClient) -> bool:
    try:
        return (await client.get("/x", tries=1)).body == {"ok": True}
    except ClusterError:
        return False


async def until_gone(client: KubeClient) -> None:
    """Clients are closed in the background."""
    async with asyncio.timeout(5):
        while await works(client):
            pass


async def test_all_share_one_client(pools: Callable[..., ClientPool], load: Load) -> None:
    """However many come at once: the credentials are read once."""
    pool, loaded = pools(), 0

    async def count() -> Access:
        nonlocal loaded
        loaded += 1
        await asyncio.sleep(0)
        return await load()

    async def use() -> KubeClient:
        async with pool.client(key(), count) as client:
            assert await works(client)
            return client

    found = await asyncio.gather(*(use() for _ in range(50)))
    found.append(await use())

    assert (loaded, len(set(map(id, found))), len(pool)) == (1, 1, 1)


async def test_clusters_have_clients_of_their_own(
    pools: Callable[..., ClientPool], load: Load
) -> None:
    pool = pools()
    async with pool.client(key("a"), load) as one, pool.client(key("b"), load) as other:
        assert one is not other
    assert len(pool) == 2


async def test_what_cannot_be_loaded_is_told_to_all_and_tried_again(
    pools: Callable[..., ClientPool], load: Load
) -> None:
    pool, loaded = pools(), 0

    async def fail() -> Access:
        nonlocal loaded
        loaded += 1
        await asyncio.sleep(0)
        raise LookupError("no such cluster")

    async def use(loading: Load) -> bool:
        async with pool.client(key(), loading) as client:
            return await works(client)

    told = await asyncio.gather(*(use(fail) for _ in range(5)), return_exceptions=True)

    assert [type(one) for one in told] == [LookupError] * 5
    assert (loaded, len(pool)) == (1, 0)
    assert await use(load)


async def test_an_address_that_is_forbidden(
    pools: Callable[..., ClientPool], authority: Authority
) -> None:
    async def load() -> Access:
        return Access(server="https://10.0.0.1", proof=BearerToken(token="t"))

    with pytest.raises(ClusterError) as failed:
        async with pools().client(key(), load):
            pass

    assert failed.value.fault is ClusterFault.ADDRESS_FORBIDDEN


async def test_who_leaves_early_takes_nothing_away(
    pools: Callable[..., ClientPool], load: Load
) -> None:
    pool = pools()
    go_on, began = asyncio.Event(), asyncio.Event()

    async def slowly() -> Access:
        began.set()
        await go_on.wait()
        return await load()

    async def use() -> bool:
        async with pool.client(key(), slowly) as client:
            return await works(client)

    first = asyncio.create_task(use())
    await began.wait()
    second = asyncio.create_task(use())
    await asyncio.sleep(0)
    first.cancel()
    go_on.set()

    assert await second
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_new_credentials_replace_old_ones(
    pools: Callable[..., ClientPool], load: Load
) -> None:
    """At once when nobody uses them, else when their last user leaves."""
    pool = pools()
    async with (
        pool.client(key(version=1), load) as first,
        pool.client(key(version=2), load) as second,
    ):
        assert second is not first
        assert await works(first)
    await until_gone(first)
    assert len(pool) == 1
    async with pool.client(key(version=2), load) as again:
        assert again is second
    async with pool.client(key(version=3), load):
        await until_gone(second)
    assert len(pool) == 1


async def test_old_credentials_do_not_come_back(
    pools: Callable[..., ClientPool], load: Load
) -> None:
    """Who read the cluster just before it changed is served, and nothing of it is kept."""
    pool = pools()
    async with pool.client(key(version=2), load) as new:
        pass
    async with pool.client(key(version=1), load) as old:
        assert await works(old)
    await until_gone(old)

    assert len(pool) == 1
    assert await works(new)


async def test_a_dropped_cluster(pools: Callable[..., ClientPool], load: Load) -> None:
    pool = pools()
    async with pool.client(key("a"), load) as idle:
        pass
    async with pool.client(key("b"), load) as used, pool.client(key("c"), load) as other:
        await pool.drop("a")
        assert not await works(idle)
        await pool.drop("b")
        assert await works(used)
    await until_gone(used)

    assert await works(other)
    assert len(pool) == 1


async def test_idle_clients_are_closed(pools: Callable[..., ClientPool], load: Load) -> None:
    pool = pools(idle_seconds=0.01)
    async with pool.client(key(), load) as client:
        pass

    await until_gone(client)

    assert len(pool) == 0


async def test_a_client_that_is_used_again_is_not_idle(
    pools: Callable[..., ClientPool], load: Load
) -> None:
    pool = pools(idle_seconds=0.05)
    async with pool.client(key(), load):
        pass
    async with pool.client(key(), load) as client:
        passed = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, passed.set)
        await passed.wait()
        assert await works(client)


async def test_the_least_used_gives_way(pools: Callable[..., ClientPool], load: Load) -> None:
    pool = pools(size=2)
    async with pool.client(key("a"), load) as a:
        pass
    async with pool.client(key("b"), load) as b:
        pass
    async with pool.client(key("a"), load):
        pass
    async with pool.client(key("c"), load):
        await until_gone(b)

    assert await works(a)
    assert len(pool) == 2


async def test_the_bound_holds(pools: Callable[..., ClientPool], load: Load) -> None:
    """Who finds no place waits for one."""
    pool = pools(size=1, wait_seconds=5)
    waited = asyncio.Event()

    async def wait() -> bool:
        waited.set()
        async with pool.client(key("b"), load) as client:
            assert len(pool) == 1
            return await works(client)

    async with pool.client(key("a"), load) as client:
        waiting = asyncio.create_task(wait())
        await waited.wait()
        assert await works(client)
        assert not waiting.done()

    assert await waiting
    assert not await works(client)


async def test_waiting_for_a_place_has_an_end(pools: Callable[..., ClientPool], load: Load) -> None:
    pool = pools(size=1, wait_seconds=0.05)

    async with pool.client(key("a"), load):
        with pytest.raises(ClusterError, match="1 clusters at once") as failed:
            async with pool.client(key("b"), load):
                pass

    assert failed.value.fault is ClusterFault.THROTTLED


async def test_a_crowd_in_a_small_pool(pools: Callable[..., ClientPool], load: Load) -> None:
    """50 clusters, 10 places, 200 callers: all are served, none at the cost of another."""
    pool = pools(size=10, wait_seconds=30)
    most = 0

    async def use(cluster: int) -> bool:
        nonlocal most
        async with pool.client(key(str(cluster)), load) as client:
            most = max(most, len(pool))
            return await works(client)

    assert all(await asyncio.gather(*(use(number % 50) for number in range(200))))
    assert most == 10


async def test_a_closed_pool(pools: Callable[..., ClientPool], load: Load) -> None:
    pool = pools()
    async with pool.client(key(), load) as client:
        await pool.close()
        assert not await works(client)

    with pytest.raises(ClusterError, match="shutting down"):
        async with pool.client(key(), load):
            pass
    assert len(pool) == 0
