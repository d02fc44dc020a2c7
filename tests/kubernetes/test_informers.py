"""Shared watches on API servers: what is ours, without what a Secret holds, and kinds that come."""

import asyncio
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from app.domain import labels
from app.domain.cluster import AuthType
from app.domain.cluster import Cluster as Known
from app.domain.errors import ClusterFault
from app.domain.ids import Id
from app.kube.client import KubeClient
from app.kube.informers import Followed, Informers, Kind
from app.kube.watching import Rhythm
from tests.kubernetes.asking import Api, Object, ok
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.connecting import Connect, by_token
from tests.secrecy import search, secret

pytestmark = pytest.mark.api

CONFIG_MAP, SECRET = Kind("v1", "ConfigMap"), Kind("v1", "Secret")


@pytest.fixture
def workflow() -> str:
    """The label value of a workflow that only this test has."""
    return secrets.token_hex(12)


@asynccontextmanager
async def informing(connect: Connect, cluster: Cluster) -> AsyncIterator[Informers]:
    client = await connect(by_token(cluster, cluster.token))

    @asynccontextmanager
    async def to(_: Known) -> AsyncIterator[KubeClient]:
        yield client

    informers = Informers(to, rhythm=Rhythm(pause=0.05))
    try:
        yield informers
    finally:
        await informers.close()


@asynccontextmanager
async def following(
    connect: Connect, cluster: Cluster, api: Api, *kinds: Kind
) -> AsyncIterator[Followed]:
    now = datetime.now(UTC)
    known = Known(
        id=Id("0" * 24),
        name=cluster.name,
        display_name=cluster.name,
        server=cluster.server,
        auth_type=AuthType.TOKEN,
        owner_id=Id("1" * 24),
        created_at=now,
        updated_at=now,
    )
    async with (
        informing(connect, cluster) as informers,
        informers.following(known, kinds, namespaces=[api.namespace]) as followed,
    ):
        await followed.synced(15)
        yield followed


async def until(followed: Followed, is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not is_so():
            await followed.changed()


def ours(kind: str, name: str, workflow: str, **more: object) -> Object:
    marks = {labels.WORKFLOW_ID: workflow, labels.MANAGED_BY: labels.MANAGER}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": marks}, **more}


def names(followed: Followed, workflow: str) -> list[str]:
    return sorted(one["metadata"]["name"] for one in followed.objects(workflow))


async def test_what_is_ours_as_it_comes_and_goes(
    cluster: Cluster, api: Api, connect: Connect, workflow: str
) -> None:
    await api.made(ours("ConfigMap", "one", workflow, data={"a": "b"}))
    await api.made({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs"}})
    async with following(connect, cluster, api, CONFIG_MAP) as followed:
        assert followed.troubles() == {}
        assert names(followed, workflow) == ["one"]
        await api.made(ours("ConfigMap", "two", workflow))
        await until(followed, lambda: names(followed, workflow) == ["one", "two"])
        gone = {"metadata": {"labels": {labels.MANAGED_BY: None}}}
        ok(await api.patch("ConfigMap", "one", body=gone))
        await until(followed, lambda: names(followed, workflow) == ["two"])
        ok(await api.delete("ConfigMap", "two"))
        await until(followed, lambda: names(followed, workflow) == [])


async def test_nothing_that_is_held_is_kept(
    cluster: Cluster, api: Api, connect: Connect, workflow: str
) -> None:
    value = secret("a value of a Secret")
    held = {"data": {"key": b64encode(value.encode()).decode()}}
    await api.made(ours("Secret", "one", workflow, **held))
    async with following(connect, cluster, api, CONFIG_MAP, SECRET) as followed:
        await api.made(ours("Secret", "two", workflow, **held))
        await api.made(ours("ConfigMap", "three", workflow, data={"key": value}))
        await until(followed, lambda: names(followed, workflow) == ["one", "three", "two"])
        objects = followed.objects(workflow)
        search("an informer", repr(objects))
        assert {(one["kind"], one["apiVersion"]) for one in objects} == {
            ("Secret", "v1"),
            ("ConfigMap", "v1"),
        }
        assert {key for one in objects for key in one} <= {
            *("apiVersion", "kind", "metadata", "type", "immutable"),
        }
        assert all(one["metadata"]["uid"] for one in objects)
        ok(await api.delete("Secret", "one"))
        await until(followed, lambda: names(followed, workflow) == ["three", "two"])


async def test_a_kind_that_the_cluster_learns(
    cluster: Cluster, api: Api, connect: Connect, workflow: str
) -> None:
    group = f"g{secrets.token_hex(4)}.example.com"
    widget = Kind(f"{group}/v1", "Widget")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
    async with following(connect, cluster, api, CONFIG_MAP, widget) as followed:
        assert {kind: error.fault for kind, error in followed.troubles().items()} == {
            widget: ClusterFault.NOT_FOUND
        }
        await api.made(definition)
        try:
            await until(followed, lambda: not followed.troubles())
            api.places["Widget"] = (f"/apis/{group}/v1", "widgets", True)
            made = ours("Widget", "one", workflow)
            await api.made({**made, "apiVersion": widget.api_version})
            await until(followed, lambda: names(followed, workflow) == ["one"])
        finally:
            ok(await api.delete("CustomResourceDefinition", f"widgets.{group}"))
        await until(followed, lambda: names(followed, workflow) == [])


async def test_a_server_that_restarts(
    cluster: Cluster, api: Api, connect: Connect, workflow: str
) -> None:
    await api.made(ours("ConfigMap", "one", workflow))
    async with following(connect, cluster, api, CONFIG_MAP) as followed:
        await cluster.restart()
        ok(await api.delete("ConfigMap", "one"))
        await until(followed, lambda: names(followed, workflow) == [])
        await until(followed, lambda: not followed.troubles())
