"""The whole room on a cluster that behaves like one: the sandbox, over TLS."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app.domain.access import BearerToken
from app.domain.errors import ClusterError, ClusterFault
from app.kube.applying import apply, delete, read
from app.kube.client import KubeClient
from app.kube.discovery import check, discover, permissions
from app.kube.watching import Changed, Snapshot, watch
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.sandbox import sandbox

Open = Callable[..., Awaitable[KubeClient]]
MAP: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "words", "namespace": "default"},
    "data": {"a": "1"},
}


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[Cluster]:
    async with sandbox() as started:
        yield started


@pytest.fixture
async def client(cluster: Cluster, connect: Open) -> KubeClient:
    return await connect(
        BearerToken(token=cluster.token), url=cluster.server, ca=cluster.ca.decode()
    )


async def test_it_is_a_cluster(client: KubeClient) -> None:
    version = await check(client)
    found = await discover(client)

    assert version.git == found.version
    assert found.platform == "sandbox"
    assert found.node_count == 1
    assert "default" in found.namespaces
    assert {"autoscaling-v2", "network-policy"} <= set(found.capabilities)


async def test_it_wants_a_token(cluster: Cluster, connect: Open) -> None:
    stranger = await connect(BearerToken(token="wrong"), url=cluster.server, ca=cluster.ca.decode())

    with pytest.raises(ClusterError) as failed:
        await check(stranger)

    assert failed.value.fault is ClusterFault.UNAUTHORIZED


async def test_it_says_what_we_may_do(client: KubeClient) -> None:
    found = await permissions(client, ["default"])

    assert len(found) == 82
    assert all(one.allowed for one in found)


async def test_an_object_comes_changes_and_goes(client: KubeClient) -> None:
    events = watch(
        client, "/api/v1/namespaces/default/configmaps", field_selector="metadata.name=words"
    )
    first = await asyncio.wait_for(anext(events), 10)
    assert first == Snapshot([])

    planned = await apply(client, MAP, dry_run=True)
    assert (planned.created, await read(client, MAP)) == (True, None)
    made = await apply(client, MAP)
    assert (made.created, made.object["data"]) == (True, {"a": "1"})
    changed = await apply(client, {**MAP, "data": {"b": "2"}})
    assert (changed.created, changed.object["data"]) == (False, {"b": "2"})
    with pytest.raises(ClusterError) as conflict:
        await apply(client, {**MAP, "data": {"b": "3"}}, manager="somebody")
    assert conflict.value.fault is ClusterFault.CONFLICT
    assert [cause.field for cause in conflict.value.causes] == ["data.b"]
    with pytest.raises(ClusterError) as invalid:
        await apply(client, {**MAP, "dta": {}})
    assert invalid.value.fault is ClusterFault.INVALID
    assert [cause.field for cause in invalid.value.causes] == ["dta"]
    with pytest.raises(ClusterError) as other:
        await delete(client, MAP, uid="not-this-one")
    assert other.value.fault is ClusterFault.CONFLICT
    uid = made.object["metadata"]["uid"]
    assert await delete(client, MAP, uid=uid)
    assert not await delete(client, MAP, uid=uid)

    seen = [await asyncio.wait_for(anext(events), 10) for _ in range(3)]
    assert [one.type for one in seen if isinstance(one, Changed)] == [
        "ADDED",
        "MODIFIED",
        "DELETED",
    ]
    await events.aclose()
