"""A cluster for the run, a namespace for each test, and a workflow to be deployed there."""

import secrets
from collections.abc import AsyncIterator

import pytest

from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.deploying.deployments import Deployments
from tests.deploying import There, bring, deployments, published, within
from tests.kubernetes.clusters import Cluster
from tests.kubernetes.sandbox import sandbox


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    async with sandbox() as started:
        yield started


@pytest.fixture
async def there(services: Services, owner: Actor, cluster: Cluster) -> AsyncIterator[There]:
    """The owner's cluster, with an empty namespace."""
    async with within(cluster, f"shop-{secrets.token_hex(4)}") as api:
        yield There(await bring(services, owner, cluster), cluster, api)


@pytest.fixture
def deploys(services: Services) -> Deployments:
    return deployments(services)


@pytest.fixture
async def shop(services: Services, owner: Actor, there: There) -> Workflow:
    """The demo application, published."""
    return await published(services, owner, there)
