"""The five ways to a cluster, from what people hand in to what they are told, over TLS."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from app.bootstrap import bootstrap
from app.domain.cluster import AuthType, Cluster, ClusterStatus
from app.domain.errors import ClusterError, ClusterFault
from app.domain.user import Actor
from app.services import Services
from app.services.accessing import (
    CertificateDraft,
    CredentialsDraft,
    KubeconfigDraft,
    OidcDraft,
    Place,
    ServiceAccountDraft,
    TokenDraft,
)
from app.settings import Settings
from tests.clusters import bring_in, kubeconfig
from tests.kube.provider import CLIENT, CLIENT_SECRET
from tests.kube.provider_process import provider_process
from tests.kube.serving import Asked, Server, context, serving
from tests.kubernetes.certificates import Authority
from tests.secrecy import keep_secret, secret
from tests.wiring import sign_up

REVIEW = {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "tester"}}}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def token() -> str:
    return secret("a token of a cluster")


@asynccontextmanager
async def cluster_of(tls: ssl.SSLContext, allow: Callable[[Asked], bool]) -> AsyncIterator[Server]:
    """An API server that lets in whom `allow` does."""
    server = Server(allow=allow)
    server.answers("GET /version", {"gitVersion": "v1.36.2"})
    review = "POST /apis/authentication.k8s.io/v1/selfsubjectreviews"
    server.answers(review, REVIEW, status=201)
    async with serving(server, tls) as started:
        yield started


def bears(token: str) -> Callable[[Asked], bool]:
    return lambda asked: asked.headers.get("Authorization") == f"Bearer {token}"


@pytest.fixture
async def server(authority: Authority, tmp_path: Path, token: str) -> AsyncIterator[Server]:
    tls = context(authority.server("127.0.0.1"), tmp_path)
    async with cluster_of(tls, bears(token)) as started:
        yield started


async def brought(
    services: Services, owner: Actor, server: Server, credentials: CredentialsDraft
) -> Cluster:
    by_file = credentials.auth_type is AuthType.KUBECONFIG
    place = Place() if by_file else Place(server=server.url)
    return await bring_in(services, owner, credentials=credentials, place=place)


def assert_connected(cluster: Cluster, by: AuthType) -> None:
    known = (cluster.auth_type, cluster.status, cluster.status_message, cluster.metadata.version)
    assert known == (by, ClusterStatus.CONNECTED, None, "v1.36.2")


async def test_a_token_of_whatever_account(
    services: Services, owner: Actor, authority: Authority, server: Server, token: str
) -> None:
    for draft in (TokenDraft, ServiceAccountDraft):
        given = draft(token=token, ca=authority.pem.decode())
        assert_connected(await brought(services, owner, server, given), draft.auth_type)


async def test_a_kubeconfig(
    services: Services, owner: Actor, authority: Authority, server: Server, token: str
) -> None:
    text = kubeconfig(token, server=server.url, ca=authority.pem)
    given = KubeconfigDraft(content=text)
    assert_connected(await brought(services, owner, server, given), AuthType.KUBECONFIG)


async def test_a_client_certificate(
    services: Services, owner: Actor, authority: Authority, tmp_path: Path
) -> None:
    people = Authority("people")
    pair = people.client("alice")
    tls = context(authority.server("127.0.0.1"), tmp_path, clients=people.pem)
    async with cluster_of(tls, lambda asked: "alice" in str(asked.certificate)) as mutual:
        given = CertificateDraft(
            certificate=pair.certificate.decode(),
            key=keep_secret(pair.key.decode(), "a client's key"),
            ca=authority.pem.decode(),
        )
        cluster = await brought(services, owner, mutual, given)
    assert_connected(cluster, AuthType.CERTIFICATE)


async def test_a_session_with_a_provider_that_rotates(
    settings: Settings, authority: Authority, tmp_path: Path
) -> None:
    """The API server believes what the provider's keys have signed; what was renewed is kept."""
    believed: list[str] = []
    refresh_token = secret("a refresh token")
    async with provider_process(authority, tmp_path, refresh_token) as issuer:
        async with httpx.AsyncClient(verify=authority.trusted(), trust_env=False) as http:
            keys = KeySet.import_key_set((await http.get(f"{issuer}/keys")).json())

        def allow(asked: Asked) -> bool:
            token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
            believed.append(keep_secret(token, "an id token"))
            return jwt.decode(token, keys, algorithms=["RS256"]).claims["iss"] == issuer

        given = OidcDraft(
            issuer_url=issuer,
            client_id=CLIENT,
            client_secret=CLIENT_SECRET,
            refresh_token=refresh_token,
            issuer_ca=authority.pem.decode(),
            ca=authority.pem.decode(),
        )
        async with cluster_of(context(authority.server("127.0.0.1"), tmp_path), allow) as server:
            async with bootstrap(settings) as services:
                owner = await sign_up(services, "owner")
                cluster = await brought(services, owner, server, given)
            async with bootstrap(settings) as restarted:
                again = await restarted.cluster_checks.refresh(owner, cluster.id)
    assert_connected(cluster, AuthType.OIDC)
    assert_connected(again, AuthType.OIDC)
    assert len(set(believed)) == 2


async def _told(services: Services, owner: Actor, cluster: Cluster) -> tuple[Any, ...]:
    """What the cluster's people see, and what who asks is told: the same words."""
    with pytest.raises(ClusterError) as failed:
        await services.cluster_checks.refresh(owner, cluster.id)
    seen = await services.clusters.get(owner, cluster.id)
    assert seen is not None
    assert seen.status_message == failed.value.message
    return failed.value.fault, seen.status, seen.status_message


async def test_each_failure_has_its_own_status_and_message(
    services: Services, owner: Actor, authority: Authority, tmp_path: Path, token: str
) -> None:
    ca = authority.pem.decode()
    told: dict[str, tuple[Any, ...]] = {}
    fresh, old = authority.server("127.0.0.1"), authority.server("127.0.0.1", valid=timedelta(-1))
    async with cluster_of(context(fresh, tmp_path), bears(token)) as server:
        given = TokenDraft(token=token, ca=Authority("other").pem.decode())
        cluster = await brought(services, owner, server, given)
        told["wrong CA"] = await _told(services, owner, cluster)

        cluster = await brought(services, owner, server, TokenDraft(token=token, ca=ca))
        assert_connected(cluster, AuthType.TOKEN)
        server.allow = lambda _: False
        told["revoked"] = await _told(services, owner, cluster)

        server.allow = bears(token)
        server.refuses("GET /version", 403, 'User "robot" cannot get path "/version"')
        told["denied"] = await _told(services, owner, cluster)
    told["gone"] = await _told(services, owner, cluster)
    async with cluster_of(context(old, tmp_path), bears(token)) as server:
        cluster = await brought(services, owner, server, TokenDraft(token=token, ca=ca))
        told["expired"] = await _told(services, owner, cluster)

    error, gone = ClusterStatus.ERROR, ClusterStatus.DISCONNECTED
    assert {name: each[:2] for name, each in told.items()} == {
        "wrong CA": (ClusterFault.TLS_FAILED, error),
        "revoked": (ClusterFault.UNAUTHORIZED, error),
        "denied": (ClusterFault.FORBIDDEN, error),
        "gone": (ClusterFault.UNREACHABLE, gone),
        "expired": (ClusterFault.TLS_FAILED, error),
    }
    assert len({message for _, _, message in told.values()}) == len(told)
    assert "not trusted" in told["wrong CA"][2]
    assert "expired" in told["expired"][2]
