"""Clusters over real sockets: their status streams, several replicas, crashes, and many of them."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.bootstrap import vault
from app.documents.checks import CheckStore
from app.documents.clusters import ClusterStore
from app.documents.credentials import CredentialStore
from app.documents.database import Database, Transaction, new_id
from app.domain.access import Access, BearerToken
from app.domain.cluster import AuthType, Cluster
from app.domain.ids import Id
from app.services.sealing import seal_access
from app.settings import Settings
from tests.apiservers import ApiServers
from tests.e2e.client import OPERATIONS, Client
from tests.e2e.conftest import StartServer
from tests.e2e.event_streams import EventStream
from tests.e2e.running import RunningServer
from tests.secrecy import secret

CLUSTERS = 500 if os.environ.get("KUBEORCH_SOAK") else 50
SWEEP_SECONDS = 60.0
RESIDENT = "process_resident_memory_bytes"
QUICK = {"KUBEORCH_CLUSTER_CHECK_SECONDS": "1", "KUBEORCH_CLUSTER_ANSWER_SECONDS": "1"}
LEASE = 5.0
"""Seconds for which a replica has a cluster to itself, when that has one to answer."""

Event = dict[str, Any]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


@pytest.fixture
def api() -> ApiServers:
    servers = ApiServers()
    servers.token = secret("the token of a cluster")
    return servers


async def add(client: Client, api: ApiServers, name: str) -> dict[str, Any]:
    """A new cluster, as a front end gets it."""
    payload = await client.one(
        "AddCluster",
        input={
            "name": name,
            "server": f"{api.url}/{name}",
            "credentials": {"token": {"token": api.token}},
        },
    )
    assert payload["__typename"] == "AddClusterPayload", payload
    cluster: dict[str, Any] = payload["cluster"]
    return cluster


async def follow(
    stack: AsyncExitStack, server: RunningServer, client: Client, operation: str, **variables: Any
) -> Callable[[], Any]:
    """The next event of a subscription of the front end."""
    assert client.token is not None
    stream = await EventStream.open(server.url, client.token, OPERATIONS[operation], **variables)
    stack.push_async_callback(stream.close)

    async def following() -> Event:
        async with asyncio.timeout(30):
            result = await stream.next()
        assert result is not None
        assert "errors" not in result, result
        (event,) = result["data"].values()
        found: Event = event
        return found

    return following


async def test_the_status_of_a_cluster_that_goes_and_comes_back(
    start_replica: StartServer, http: httpx.AsyncClient, api: ApiServers
) -> None:
    here, there = await start_replica(**QUICK), await start_replica(**QUICK)
    client = await Client.sign_in(http, here)
    async with AsyncExitStack() as stack, AsyncExitStack() as cluster_is_up:
        await cluster_is_up.enter_async_context(api.running())
        cluster = await add(client, api, "prod")
        assert cluster["status"] == "CONNECTED"
        one = await follow(stack, here, client, "ClusterStatus", id=cluster["id"], after=None)
        everything = await follow(stack, there, client, "ClustersStatus")
        snapshot = await one()
        assert snapshot["__typename"] == "ClusterSnapshot"
        assert snapshot["cluster"]["status"] == "CONNECTED"
        assert (await everything())["__typename"] == "ClustersSnapshot"

        await cluster_is_up.aclose()
        gone, listed = await one(), await everything()
        assert gone["cluster"]["status"] == listed["cluster"]["status"] == "DISCONNECTED"
        assert gone["cluster"]["statusMessage"]
        async with api.running():
            back, listed = await one(), await everything()
            assert back["cluster"]["status"] == listed["cluster"]["status"] == "CONNECTED"
            assert back["cluster"]["statusMessage"] is None
            first = snapshot["seq"]
            assert [gone["seq"], back["seq"]] == [first + 1, first + 2]

            # Whoever comes back, on another replica, gets what happened since.
            again = await follow(
                stack, there, client, "ClusterStatus", id=cluster["id"], after=first
            )
            assert [await again(), await again()] == [gone, back]
    assert api.most_at_once == 1, "two replicas have been at it at the same time"


async def test_a_replica_that_is_killed_at_a_check_is_stood_in_for(
    start_replica: StartServer, http: httpx.AsyncClient, api: ApiServers
) -> None:
    doomed = await start_replica(**QUICK)
    client = await Client.sign_in(http, doomed)
    async with api.running(), AsyncExitStack() as stack:
        cluster = await add(client, api, "prod")
        asked = api.asked["prod"]
        gate = api.hold("prod")
        await api.until_asked("prod", asked + 1)
        survivor = await start_replica(**QUICK)
        status = await follow(
            stack, survivor, client, "ClusterStatus", id=cluster["id"], after=None
        )
        seq = (await status())["seq"]
        asked = api.asked["prod"]
        await doomed.kill()
        killed = time.monotonic()
        api.token = secret("a token that nobody was told")
        gate.set()
        changed = await status()
        assert time.monotonic() - killed < 2 * LEASE
        assert changed["seq"] == seq + 1
        assert changed["cluster"]["status"] == "ERROR"
        assert api.asked["prod"] > asked


@pytest.mark.soak
async def test_a_sweep_of_many_clusters_a_third_of_them_dead(
    start_replica: StartServer,
    database: Database,
    api: ApiServers,
    tmp_path: Path,
    unused_tcp_port: int,
) -> None:
    """In less than a minute, with no more memory for the last ones than for the first."""
    names = [f"c{number}" for number in range(CLUSTERS)]
    refusing, api.hanging = set(names[::6]), set(names[3::6])
    async with api.running():
        settings = Settings(data_dir=tmp_path / "kubeorch")
        for name in names:
            port = unused_tcp_port if name in refusing else api.port
            await _plant(database, settings, f"http://127.0.0.1:{port}/{name}", name, api.token)
        began = time.monotonic()
        server = await start_replica(KUBEORCH_CLUSTER_CHECK_SECONDS="3600")
        tenth = await _until_looked_at(server, CLUSTERS // 10)
        whole = await _until_looked_at(server, CLUSTERS)
        seconds = time.monotonic() - began
    grown = (whole[RESIDENT] - tenth[RESIDENT]) / 2**20
    print(f"\n{CLUSTERS} clusters: {seconds:.1f} s, {grown:+.1f} MiB behind the first tenth")
    dead = len(refusing) + len(api.hanging)
    assert whole['kubeorch_cluster_checks_total{status="disconnected"}'] == dead
    assert whole['kubeorch_cluster_checks_total{status="connected"}'] == CLUSTERS - dead
    assert max(api.asked[name] for name in names) == 1
    assert api.most_at_once <= 32
    assert seconds < SWEEP_SECONDS
    assert grown < 32


async def _plant(database: Database, settings: Settings, url: str, name: str, token: str) -> None:
    """A cluster that is due, as if it had been added long ago."""
    now = datetime.now(UTC)
    id_ = new_id()
    cluster = Cluster(
        id=id_,
        name=name,
        display_name=name,
        server=url,
        auth_type=AuthType.TOKEN,
        owner_id=Id("0" * 24),
        created_at=now,
        updated_at=now,
    )
    access = Access(server=url, proof=BearerToken(token=token))
    sealed = seal_access(vault(settings), id_, access)

    async def work(transaction: Transaction) -> None:
        await ClusterStore().insert(cluster, transaction)
        await CredentialStore().put(id_, sealed, transaction)
        await CheckStore().plan(id_, due_at=now, transaction=transaction)

    await database.transaction(work)


async def _until_looked_at(server: RunningServer, number: int) -> dict[str, float]:
    """What the server counts when it has looked at so many clusters. Polls: nothing tells of it."""
    async with asyncio.timeout(2 * SWEEP_SECONDS):
        while True:
            metrics = await server.metrics()
            looks = [n for k, n in metrics.items() if k.startswith("kubeorch_cluster_checks_total")]
            if sum(looks) >= number:
                return metrics
            await asyncio.sleep(0.1)
