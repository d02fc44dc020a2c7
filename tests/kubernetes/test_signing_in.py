"""Signing in to a cluster in the ways that not every cluster knows, each from end to end."""

from base64 import b64encode
from datetime import timedelta

import pytest

from app.domain.access import OidcSession
from app.domain.errors import ClusterFault
from app.kube.applying import apply
from app.kube.discovery import check, permissions
from app.services.accessing import (
    KubeconfigDraft,
    Place,
    ServiceAccountDraft,
)
from tests.kube.keeping import failure
from tests.kube.provider import PERSON, Provider, id_token, signing_key
from tests.kubernetes.accounts import account, allow, user
from tests.kubernetes.asking import Api, ok
from tests.kubernetes.certificates import Authority
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.connecting import (
    Connect,
    believing,
    by_certificate,
    by_session,
    by_token,
    denied,
    maps,
    refused,
    unknown,
    until,
    words,
)
from tests.kubernetes.control_plane import OIDC_PREFIX

pytestmark = pytest.mark.api


@pytest.mark.certificates
async def test_a_client_certificate(
    cluster: Cluster, people: Authority, connect: Connect, api: Api
) -> None:
    """Its organisations are groups, and one of these may do everything."""
    pair = people.client("carol", "system:masters")
    content = cluster.kubeconfig(
        api.namespace,
        {
            "client-certificate-data": b64encode(pair.certificate).decode(),
            "client-key-data": b64encode(pair.key).decode(),
        },
    )
    for client in (
        await connect(by_certificate(cluster, pair)),
        await connect(KubeconfigDraft(content=content), place=Place()),
    ):
        assert (await check(client)).user == "carol"
        assert all(one.allowed for one in await permissions(client, [api.namespace]))


@pytest.mark.certificates
async def test_a_client_certificate_without_rights(
    cluster: Cluster, people: Authority, connect: Connect, api: Api
) -> None:
    client = await connect(by_certificate(cluster, people.client("carol", "visitors")))

    assert (await check(client)).user == "carol"
    await refused(client.get(maps(api.namespace)), ClusterFault.FORBIDDEN, denied(cluster))


@pytest.mark.certificates
async def test_client_certificates_that_are_not_believed(
    cluster: Cluster, people: Authority, connect: Connect
) -> None:
    strange = by_certificate(cluster, Authority("strangers").client("carol", "system:masters"))
    past = people.client("carol", "system:masters", valid=timedelta(days=-1))

    await refused(check(await connect(strange)), ClusterFault.UNAUTHORIZED, unknown(cluster))
    await refused(
        check(await connect(by_certificate(cluster, past))),
        ClusterFault.UNAUTHORIZED,
        "The client certificate expired on ",
    )


@pytest.mark.accounts
async def test_a_service_account(cluster: Cluster, connect: Connect, api: Api) -> None:
    """It gets in, may do nothing, and then what a binding says in its namespace."""
    token = await account(api, "robot")
    client = await connect(ServiceAccountDraft(token=token, ca=cluster.ca.decode()))
    name = f"system:serviceaccount:{api.namespace}:robot"

    assert (await check(client)).user == name
    await refused(apply(client, words(api, a="1")), ClusterFault.FORBIDDEN, denied(cluster))

    verbs = ("get", "list", "watch", "create", "patch", "delete")
    await allow(api, user(name), "configmaps", *verbs)
    await until(lambda: client.get(maps(api.namespace)), None)
    assert (await apply(client, words(api, a="1"))).created
    found = await permissions(client, [api.namespace])
    assert {(one.verb, one.resource) for one in found if one.allowed} == {
        (verb, "configmaps") for verb in verbs
    }
    await refused(client.get(maps("kube-system")), ClusterFault.FORBIDDEN, denied(cluster))

    ok(await api.delete("ServiceAccount", "robot"))
    await until(lambda: client.get(maps(api.namespace)), ClusterFault.UNAUTHORIZED)


@pytest.mark.oidc
async def test_a_session(cluster: Cluster, provider: Provider, connect: Connect, api: Api) -> None:
    """Its id token is fetched and stored; what the person may do is for the cluster to say."""
    stored: list[OidcSession] = []

    async def renewed(_: OidcSession, after: OidcSession) -> OidcSession:
        stored.append(after)
        return after

    client = await connect(by_session(cluster, provider), renewed=renewed)
    name = f"{OIDC_PREFIX}{PERSON}"

    await until(lambda: check(client), None)
    assert (await check(client)).user == name
    assert [each.id_token for each in stored] == provider.issued
    await refused(client.get(maps(api.namespace)), ClusterFault.FORBIDDEN, denied(cluster))
    await allow(api, user(name), "configmaps", "list")
    await until(lambda: client.get(maps(api.namespace)), None)


@pytest.mark.oidc
async def test_a_session_whose_id_token_has_expired(
    cluster: Cluster, provider: Provider, connect: Connect
) -> None:
    """The cluster does not believe it any more, so it is renewed before it is sent."""
    old = id_token(PERSON, ends=-60, issuer=provider.url)
    as_it_is = await connect(by_token(cluster, old))
    client = await connect(by_session(cluster, provider, old))

    await until(lambda: check(client), None)
    assert (await check(client)).user == f"{OIDC_PREFIX}{PERSON}"
    assert len(provider.renewals) == len(provider.issued) >= 1
    await refused(check(as_it_is), ClusterFault.UNAUTHORIZED, unknown(cluster))


@pytest.mark.oidc
async def test_a_session_whose_id_token_is_rejected(
    cluster: Cluster, provider: Provider, connect: Connect
) -> None:
    """It looks good, and is signed by a key that the provider has no more."""
    await believing(cluster, provider, connect)
    forged = id_token(PERSON, ends=3_600, issuer=provider.url, key=signing_key("old"))

    client = await connect(by_session(cluster, provider, forged))

    assert (await check(client)).user == f"{OIDC_PREFIX}{PERSON}"
    assert len(provider.renewals) == 1


@pytest.mark.oidc
async def test_a_session_that_ended(cluster: Cluster, provider: Provider, connect: Connect) -> None:
    old = id_token(PERSON, ends=-60, issuer=provider.url)
    client = await connect(by_session(cluster, provider, old))
    provider.refreshes.clear()

    failed = await failure(check(client))

    assert (failed.fault, failed.status) == (ClusterFault.SIGN_IN_AGAIN, None)
    assert failed.message == (
        "The identity provider does not renew the session (invalid_grant). Sign in again, and "
        "hand in the new refresh token."
    )


@pytest.mark.oidc
async def test_id_tokens_for_others(cluster: Cluster, provider: Provider, connect: Connect) -> None:
    """Signed by the provider, and yet for another client, or of another issuer."""
    await believing(cluster, provider, connect)
    for strange in (
        id_token(PERSON, ends=3_600, issuer=provider.url, aud="another"),
        id_token(PERSON, ends=3_600, issuer="https://another.example.test"),
    ):
        client = await connect(by_token(cluster, strange))
        await refused(check(client), ClusterFault.UNAUTHORIZED, unknown(cluster))
