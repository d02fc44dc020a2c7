"""Somebody brings a cluster in: what they hand in is sealed, and the cluster is looked at."""

import pytest

from app.bootstrap import bootstrap
from app.domain.cluster import AuthType, ClusterStatus
from app.domain.cluster import Cluster as Known
from app.domain.errors import ClusterFault
from app.domain.user import Actor
from app.services import Services
from app.services.accessing import (
    CredentialsDraft,
    KubeconfigDraft,
    Place,
    ServiceAccountDraft,
    read_access,
)
from app.settings import Settings
from tests.clusters import bring_in
from tests.kube.keeping import failure, keep_proof
from tests.kube.provider import Provider
from tests.kubernetes.accounts import account
from tests.kubernetes.asking import Api
from tests.kubernetes.certificates import Authority
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.connecting import (
    HERE,
    Connect,
    believing,
    by_certificate,
    by_session,
    by_token,
    unknown,
    until,
)
from tests.secrecy import secret
from tests.wiring import sign_up

pytestmark = pytest.mark.api


async def brought(
    services: Services, owner: Actor, cluster: Cluster, draft: CredentialsDraft
) -> Known:
    """The cluster as its owner sees it once it was looked at."""
    place = Place(None if draft.auth_type is AuthType.KUBECONFIG else cluster.server)
    keep_proof(read_access(draft, place, policy=HERE).proof)
    return await bring_in(services, owner, credentials=draft, place=place)


async def assert_all_is_well(
    services: Services, owner: Actor, cluster: Cluster, known: Known
) -> None:
    """It was found, with what it has, and everything is allowed."""
    assert (known.status, known.status_message) == (ClusterStatus.CONNECTED, None)
    found = known.metadata
    assert (known.server, found.platform, found.node_count) == (
        cluster.server,
        cluster.platform,
        cluster.nodes,
    )
    _, allowed = await services.cluster_checks.test(owner, known.id)
    assert len(allowed) == 82
    assert all(one.allowed for one in allowed)


async def test_with_a_token(services: Services, owner: Actor, cluster: Cluster) -> None:
    known = await brought(services, owner, cluster, by_token(cluster, cluster.token))

    assert known.auth_type is AuthType.TOKEN
    await assert_all_is_well(services, owner, cluster, known)


async def test_with_a_kubeconfig(
    services: Services, owner: Actor, cluster: Cluster, api: Api
) -> None:
    draft = KubeconfigDraft(content=cluster.kubeconfig(api.namespace))

    known = await brought(services, owner, cluster, draft)

    assert known.auth_type is AuthType.KUBECONFIG
    await assert_all_is_well(services, owner, cluster, known)


async def test_with_a_token_that_nobody_gave(
    services: Services, owner: Actor, cluster: Cluster
) -> None:
    known = await brought(services, owner, cluster, by_token(cluster, secret("a wrong token")))

    assert known.status is ClusterStatus.ERROR
    assert (known.status_message or "").startswith(unknown(cluster))


async def test_with_a_token_that_is_revoked(
    services: Services, owner: Actor, cluster: Cluster
) -> None:
    """It is in order until then, though it may do nothing."""
    async with cluster.lend() as token:
        known = await brought(services, owner, cluster, by_token(cluster, token))
        assert known.status is ClusterStatus.CONNECTED
        assert (known.metadata.node_count, known.metadata.namespaces) == (None, [])

    await until(lambda: services.cluster_checks.refresh(owner, known.id), ClusterFault.UNAUTHORIZED)
    failed = await failure(services.cluster_checks.refresh(owner, known.id))
    now = await services.clusters.get(owner, known.id)
    assert now is not None
    assert (now.status, now.status_message) == (ClusterStatus.ERROR, failed.message)
    assert failed.message.startswith(unknown(cluster))


@pytest.mark.certificates
async def test_with_a_client_certificate(
    services: Services, owner: Actor, cluster: Cluster, people: Authority
) -> None:
    pair = people.client("carol", "system:masters")

    known = await brought(services, owner, cluster, by_certificate(cluster, pair))

    assert known.auth_type is AuthType.CERTIFICATE
    await assert_all_is_well(services, owner, cluster, known)


@pytest.mark.accounts
async def test_with_a_service_account(
    services: Services, owner: Actor, cluster: Cluster, api: Api
) -> None:
    token = await account(api, "robot")

    known = await brought(
        services, owner, cluster, ServiceAccountDraft(token=token, ca=cluster.ca.decode())
    )

    assert (known.auth_type, known.status) == (AuthType.SERVICEACCOUNT, ClusterStatus.CONNECTED)
    _, allowed = await services.cluster_checks.test(owner, known.id)
    assert len(allowed) == 82
    assert not any(one.allowed for one in allowed)


@pytest.mark.oidc
async def test_with_a_session(
    settings: Settings, cluster: Cluster, provider: Provider, connect: Connect
) -> None:
    """What the provider gave outlives the process; when it ends the session, that is said."""
    await believing(cluster, provider, connect)
    draft = by_session(cluster, provider)
    async with bootstrap(settings) as services:
        owner = await sign_up(services, "owner")
        known = await brought(services, owner, cluster, draft)
    async with bootstrap(settings) as restarted:
        again = await restarted.cluster_checks.refresh(owner, known.id)

        assert known.auth_type is AuthType.OIDC
        assert known.status is again.status is ClusterStatus.CONNECTED
        assert len(provider.renewals) == 1

        provider.refreshes.clear()
        lost = await brought(restarted, owner, cluster, draft)
    assert lost.status is ClusterStatus.ERROR
    assert lost.status_message == (
        "The identity provider does not renew the session (invalid_grant). Sign in again, and "
        "hand in the new refresh token."
    )
