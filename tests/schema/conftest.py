"""A workflow of the owner's with a cluster, and the owner to ask for them."""

import pytest

from app.domain.cluster import Cluster
from app.domain.user import Actor
from app.domain.workflow import Workflow
from app.services import Services
from app.services.workflows import WorkflowDraft
from tests.asking import Asker, asker
from tests.clusters import bring_in
from tests.domain.drawing import deployment


@pytest.fixture
async def cluster(services: Services, owner: Actor) -> Cluster:
    return await bring_in(services, owner, "prod")


@pytest.fixture
async def workflow(services: Services, owner: Actor, cluster: Cluster) -> Workflow:
    return await services.workflows.create(
        owner, WorkflowDraft(name="Shop", cluster_id=cluster.id, nodes=[deployment("web")])
    )


@pytest.fixture
def ask(services: Services, owner: Actor) -> Asker:
    return asker(services, owner)
