"""What tests of clusters can ask for: an authority, API servers that it vouches for, clients."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from app.domain.access import Access, BearerToken, Proof
from app.kube.addresses import AddressPolicy
from app.kube.client import KubeClient, Limits, Renewed
from tests.kube.keeping import keep_proof
from tests.kube.serving import Server, context, serving
from tests.kubernetes.certificates import Authority

HERE = AddressPolicy(loopback=True)
"""The policy of tests: their servers are on this machine."""

Open = Callable[..., Awaitable[KubeClient]]


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Signs the certificates of the servers of tests."""
    return Authority()


@pytest.fixture
def tls(authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    """TLS of a server on loopback."""
    return context(authority.server("127.0.0.1", "localhost", "cluster.test"), tmp_path)


@pytest.fixture
async def server(tls: ssl.SSLContext) -> AsyncIterator[Server]:
    """An API server over TLS."""
    async with serving(Server(), tls) as started:
        yield started


@pytest.fixture
async def connect(server: Server, authority: Authority) -> AsyncIterator[Open]:
    """`await connect()`: a client of `server`, closed when the test ends."""
    async with AsyncExitStack() as stack:

        async def make(
            proof: Proof | None = None,
            *,
            url: str | None = None,
            ca: str | None = authority.pem.decode(),
            tls_server_name: str | None = None,
            policy: AddressPolicy = HERE,
            renewed: Renewed | None = None,
            limits: Limits | None = None,
        ) -> KubeClient:
            access = Access(
                server=url or server.url,
                ca=ca,
                tls_server_name=tls_server_name,
                proof=proof or BearerToken(token="a-token-of-tests"),
            )
            keep_proof(access.proof)
            client = await KubeClient.open(access, policy, renewed=renewed, limits=limits)
            stack.push_async_callback(client.close)
            return client

        yield make
