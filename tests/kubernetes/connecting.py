"""The program's own way to a cluster, from what somebody hands in to a client."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from app.domain.errors import ClusterError, ClusterFault
from app.kube.addresses import AddressPolicy
from app.kube.client import KubeClient, Renewed
from app.kube.discovery import check
from app.services.accessing import (
    CertificateDraft,
    CredentialsDraft,
    OidcDraft,
    Place,
    TokenDraft,
    read_access,
)
from tests.kube.keeping import failure, keep_proof
from tests.kube.provider import CLIENT, CLIENT_SECRET, PERSON, Provider, id_token
from tests.kubernetes.asking import Api, Object
from tests.kubernetes.certificates import Pair
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.objects import config_map

Connect = Callable[..., Awaitable[KubeClient]]

HERE = AddressPolicy(loopback=True)
PATIENCE = 30.0
"""Seconds until rights and tokens that were given or taken are so: a token that was good is
believed for ten more, and bindings are learnt of by a watch."""


@asynccontextmanager
async def connecting(cluster: Cluster) -> AsyncIterator[Connect]:
    """`await connect(draft)` is a client of what is handed in, closed at the end of the block."""
    async with AsyncExitStack() as stack:

        async def make(
            draft: CredentialsDraft, *, place: Place | None = None, renewed: Renewed | None = None
        ) -> KubeClient:
            access = read_access(draft, place or Place(cluster.server), policy=HERE)
            keep_proof(access.proof)
            client = await KubeClient.open(access, HERE, renewed=renewed)
            stack.push_async_callback(client.close)
            return client

        yield make


def by_token(cluster: Cluster, token: str) -> TokenDraft:
    return TokenDraft(token=token, ca=cluster.ca.decode())


def by_certificate(cluster: Cluster, pair: Pair) -> CertificateDraft:
    return CertificateDraft(
        certificate=pair.certificate.decode(), key=pair.key.decode(), ca=cluster.ca.decode()
    )


def by_session(cluster: Cluster, provider: Provider, token: str | None = None) -> OidcDraft:
    [refresh] = provider.refreshes
    return OidcDraft(
        issuer_url=provider.url,
        client_id=CLIENT,
        client_secret=CLIENT_SECRET,
        refresh_token=refresh,
        id_token=token,
        issuer_ca=cluster.ca.decode(),
        ca=cluster.ca.decode(),
    )


async def believing(cluster: Cluster, provider: Provider, connect: Connect) -> None:
    """Wait until the cluster has the keys of the provider, which it asks for as it starts."""
    good = id_token(PERSON, ends=3_600, issuer=provider.url)
    client = await connect(by_token(cluster, good))
    await until(lambda: check(client), None)


def host(cluster: Cluster) -> str:
    return cluster.server.removeprefix("https://")


def unknown(cluster: Cluster) -> str:
    """How the message begins when the cluster does not believe us."""
    return f"{host(cluster)} does not accept the credentials. Hand in valid ones."


def denied(cluster: Cluster) -> str:
    """How the message begins when the cluster knows us, and that is all."""
    return f"The credentials are good, but may not do this on {host(cluster)}."


async def refused(call: Awaitable[object], fault: ClusterFault, begins: str) -> None:
    """A call fails, with a status for each fault."""
    failed = await failure(call)
    status = {ClusterFault.UNAUTHORIZED: 401, ClusterFault.FORBIDDEN: 403}.get(fault)
    told = f"{failed.fault}, {failed.status}: {failed.message}"
    assert (failed.fault, failed.status) == (fault, status), told
    assert failed.message.startswith(begins), told


async def until(call: Callable[[], Awaitable[object]], fault: ClusterFault | None) -> None:
    """Ask until the answer is this fault; None: until there is none."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                if await _fault(call) is fault:
                    return
                await asyncio.sleep(0.1)  # nobody tells when a cluster has made up its mind
    except TimeoutError:
        raise AssertionError(f"it did not come to {fault}") from None


async def _fault(call: Callable[[], Awaitable[object]]) -> ClusterFault | None:
    try:
        await call()
    except ClusterError as error:
        return error.fault
    return None


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def words(api: Api, **data: str) -> Object:
    """A ConfigMap in the test's own namespace."""
    made = config_map("words", **data)
    return {**made, "metadata": {**made["metadata"], "namespace": api.namespace}}
