"""A stranger's token sees and changes nothing of another's cluster, through any root field.

The probes are those that look for workflows; see `tests.schema.test_strangers`.
"""

import pytest

from app.documents.clusters import ClusterStore
from app.documents.credentials import CredentialStore
from app.domain.cluster import Cluster
from app.domain.user import Actor
from app.services import Services
from tests.asking import asker
from tests.clusters import bring_in
from tests.schema.test_strangers import PROBES, SECRET, probe

SHOWN_TO_ITS_OWNER = {
    ("query", "cluster"),
    ("query", "clusters"),
    ("mutation", "setDefaultCluster"),
    ("mutation", "updateCluster"),
    ("subscription", "clusterStatus"),
    ("subscription", "clustersStatus"),
}
"""The other mutations say no to a probe, or answer an id only."""


@pytest.fixture
async def cluster(services: Services, owner: Actor) -> Cluster:
    await bring_in(services, owner)  # the default, which everything about its owner shows
    return await bring_in(
        services,
        owner,
        SECRET,
        display_name=SECRET,
        description=SECRET,
        labels={"example.com/name": SECRET},
    )


@pytest.mark.parametrize(("operation", "name"), PROBES)
async def test_a_stranger_sees_and_changes_nothing(
    *, services: Services, stranger: Actor, cluster: Cluster, operation: str, name: str
) -> None:
    before = await CredentialStore().get(cluster.id)
    for caller in (stranger, None):
        assert SECRET not in await probe(asker(services, caller), operation, name, cluster.id)
    assert await ClusterStore().get(cluster.id) == cluster
    assert await CredentialStore().get(cluster.id) == before


@pytest.mark.parametrize(("operation", "name"), PROBES)
async def test_the_same_probe_shows_it_to_its_owner_where_it_is_to_be_seen(
    *, services: Services, owner: Actor, cluster: Cluster, operation: str, name: str
) -> None:
    answer = await probe(asker(services, owner), operation, name, cluster.id)
    assert (SECRET in answer) is ((operation, name) in SHOWN_TO_ITS_OWNER), answer[:2000]
