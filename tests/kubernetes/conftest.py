"""The clusters that this suite runs on: the sandbox always, a real one where its programs are.

A test says by its marks what it needs: `api` (an API server), `controllers` (the controllers beside
it), `pods` (nodes that run pods), and ways to sign in: `certificates`, `accounts`, `oidc`. What a
cluster cannot give is not asked of it: such a test is deselected there, never skipped.
"""

import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

import pytest

from tests.kube.provider import Provider
from tests.kubernetes.asking import Api, ok
from tests.kubernetes.certificates import Authority
from tests.kubernetes.clusters import NEEDS, Cluster
from tests.kubernetes.connecting import Connect, connecting
from tests.kubernetes.control_plane import control_plane, provided
from tests.kubernetes.kubelet import playing
from tests.kubernetes.sandbox import PROVIDED, sandbox
from tests.secrecy import secret

HERE = Path(__file__).parent
ASSETS = os.environ.get("KUBEBUILDER_ASSETS")
SANDBOX, REAL = "sandbox", "control-plane"

OFFERS = {SANDBOX: PROVIDED} | ({REAL: provided(Path(ASSETS))} if ASSETS else {})
"""Every cluster of this run and what it provides."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what a cluster cannot give, and refuse a test that does not say what it needs."""
    unfit = []
    for item in items:
        call = getattr(item, "callspec", None)
        if HERE not in item.path.parents or call is None or "cluster" not in call.params:
            continue
        needs = NEEDS & {mark.name for mark in item.iter_markers()}
        if not needs:
            raise pytest.UsageError(f"{item.nodeid} is not marked with what it needs")
        if not needs <= OFFERS[call.params["cluster"]]:
            unfit.append(item)
    if unfit:
        config.hook.pytest_deselected(items=unfit)
        items[:] = [item for item in items if item not in set(unfit)]


@pytest.fixture(scope="session", params=list(OFFERS))
async def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Cluster]:
    """A cluster, once for the run."""
    folder = tmp_path_factory.mktemp("cluster")
    chosen = sandbox() if request.param == SANDBOX else control_plane(Path(ASSETS or ""), folder)
    async with chosen as started:
        yield started


@pytest.fixture
async def api(cluster: Cluster) -> AsyncIterator[Api]:
    """A client of the cluster, with a namespace that only this test uses."""
    async with cluster.client() as http:
        name = f"test-{secrets.token_hex(4)}"
        client = Api(http, name)
        await client.made({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        if "controllers" in OFFERS[cluster.name]:
            # Without it pods are refused.
            await client.until("ServiceAccount", "default", lambda _: True)
        yield client
        ok(await client.delete("Namespace", name))


@pytest.fixture
def pods_run(cluster: Cluster, api: Api) -> Callable[[], AbstractAsyncContextManager[None]]:
    """`async with pods_run():` pods become ready, by the cluster's kubelet or by the test's."""
    return lambda: nullcontext() if cluster.has_kubelet else playing(api)


@pytest.fixture
async def connect(cluster: Cluster) -> AsyncIterator[Connect]:
    """`await connect(draft)`: a client of what somebody hands in, closed when the test ends."""
    async with connecting(cluster) as make:
        yield make


@pytest.fixture
def people(cluster: Cluster) -> Authority:
    """Who signs the certificates that the cluster believes."""
    assert cluster.people is not None
    return cluster.people


@pytest.fixture
def provider(cluster: Cluster) -> Provider:
    """The provider that the cluster believes, with one new session."""
    found = cluster.provider
    assert found is not None
    found.refreshes = {secret("a refresh token")}
    found.issued.clear()
    found.server.asked.clear()
    return found
