"""The program's own way to a cluster: what it sees and does there, and how it is turned away."""

import asyncio

import pytest

from app.domain.errors import ClusterFault
from app.kube.applying import apply, delete, read
from app.kube.client import KubeClient
from app.kube.discovery import check, discover, permissions
from app.kube.watching import Changed, Snapshot, watch
from app.services.accessing import KubeconfigDraft, Place, TokenDraft
from tests.kube.keeping import failure
from tests.kubernetes.asking import Api
from tests.kubernetes.certificates import Authority
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.connecting import (
    PATIENCE,
    Connect,
    by_token,
    denied,
    host,
    maps,
    refused,
    unknown,
    until,
    words,
)
from tests.secrecy import secret

pytestmark = pytest.mark.api


@pytest.fixture
async def client(cluster: Cluster, connect: Connect) -> KubeClient:
    """A client that may do everything."""
    return await connect(by_token(cluster, cluster.token))


async def test_it_is_a_cluster(cluster: Cluster, client: KubeClient, api: Api) -> None:
    version = await check(client)
    found = await discover(client)

    assert version.user == cluster.user
    assert version.git == found.version
    assert (found.platform, found.node_count) == (cluster.platform, cluster.nodes)
    assert api.namespace in found.namespaces
    assert {"autoscaling-v2", "network-policy"} <= set(found.capabilities)


async def test_it_says_what_we_may_do(client: KubeClient, api: Api) -> None:
    found = await permissions(client, [api.namespace])

    assert len(found) == 82
    assert all(one.allowed for one in found)


async def test_an_object_comes_changes_and_goes(client: KubeClient, api: Api) -> None:
    events = watch(client, maps(api.namespace), field_selector="metadata.name=words")
    first = await asyncio.wait_for(anext(events), PATIENCE)
    assert first == Snapshot([])

    planned = await apply(client, words(api, a="1"), dry_run=True)
    assert (planned.created, await read(client, words(api))) == (True, None)
    made = await apply(client, words(api, a="1"))
    assert (made.created, made.object["data"]) == (True, {"a": "1"})
    changed = await apply(client, words(api, b="2"))
    assert (changed.created, changed.object["data"]) == (False, {"b": "2"})
    conflict = await failure(apply(client, words(api, b="3"), manager="somebody"))
    assert conflict.fault is ClusterFault.CONFLICT
    assert [cause.field for cause in conflict.causes] == ["data.b"]
    invalid = await failure(apply(client, {**words(api, a="1"), "dta": {}}))
    assert invalid.fault is ClusterFault.INVALID
    assert [cause.field for cause in invalid.causes] == ["dta"]
    other = await failure(delete(client, words(api), uid="not-this-one"))
    assert other.fault is ClusterFault.CONFLICT
    uid = made.object["metadata"]["uid"]
    assert await delete(client, words(api), uid=uid)
    assert not await delete(client, words(api), uid=uid)

    seen = [await asyncio.wait_for(anext(events), PATIENCE) for _ in range(3)]
    assert [one.type for one in seen if isinstance(one, Changed)] == [
        "ADDED",
        "MODIFIED",
        "DELETED",
    ]
    await events.aclose()


async def test_a_kubeconfig(cluster: Cluster, connect: Connect, api: Api) -> None:
    draft = KubeconfigDraft(content=cluster.kubeconfig(api.namespace))

    client = await connect(draft, place=Place())

    assert (await check(client)).user == cluster.user


async def test_a_token_that_nobody_gave(cluster: Cluster, connect: Connect) -> None:
    client = await connect(by_token(cluster, secret("a wrong token")))

    await refused(check(client), ClusterFault.UNAUTHORIZED, unknown(cluster))


async def test_a_token_that_is_revoked(cluster: Cluster, connect: Connect) -> None:
    """And a connection that is open already is no way around it."""
    async with cluster.lend() as token:
        client = await connect(by_token(cluster, token))
        assert (await check(client)).user not in (None, cluster.user)

    await until(lambda: check(client), ClusterFault.UNAUTHORIZED)
    await refused(check(client), ClusterFault.UNAUTHORIZED, unknown(cluster))


async def test_who_may_do_nothing(cluster: Cluster, connect: Connect, api: Api) -> None:
    """Nothing but ask what there is, and what they may do."""
    async with cluster.lend() as token:
        client = await connect(by_token(cluster, token))
        version = await check(client)
        found = await discover(client)
        allowed = await permissions(client, [api.namespace])
        for call in (
            client.get(maps(api.namespace)),
            apply(client, words(api, a="1")),
            anext(watch(client, maps(api.namespace))),
        ):
            await refused(call, ClusterFault.FORBIDDEN, denied(cluster))

    assert (found.version, found.node_count, found.namespaces) == (version.git, None, [])
    assert {"autoscaling-v2", "network-policy"} <= set(found.capabilities)
    assert len(allowed) == 82
    assert not any(one.allowed for one in allowed)
    assert (await api.get("ConfigMap", "words")).status_code == 404


async def test_an_authority_that_did_not_sign(cluster: Cluster, connect: Connect) -> None:
    other = TokenDraft(token=cluster.token, ca=Authority("other").pem.decode())
    for draft in (other, TokenDraft(token=cluster.token)):
        failed = await failure(check(await connect(draft)))

        assert (failed.fault, failed.status) == (ClusterFault.TLS_FAILED, None)
        assert failed.message == (
            f"The certificate of {host(cluster)} is not trusted. Give the certificate authority "
            "(CA) of the cluster."
        )


async def test_the_host_of_the_certificate(cluster: Cluster, connect: Connect) -> None:
    draft = by_token(cluster, cluster.token)
    named = await connect(draft, place=Place(cluster.server, "localhost"))
    other = await connect(draft, place=Place(cluster.server, "other.example.test"))

    assert (await check(named)).user == cluster.user
    failed = await failure(check(other))
    assert (failed.fault, failed.status) == (ClusterFault.TLS_FAILED, None)
    assert failed.message == (
        f"The certificate of {host(cluster)} is for another host. Use a name that it holds, or "
        "give the TLS server name."
    )
