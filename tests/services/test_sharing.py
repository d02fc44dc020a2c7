"""Sharing clusters: with whom, as what, no more than one has, and taking it back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from app.bootstrap import bootstrap
from app.domain.cluster import Cluster, ClusterRole, ClusterShare
from app.domain.errors import Forbidden, Invalid, LimitExceeded, NotFound, RateLimited
from app.domain.ids import Id
from app.domain.paging import Keyset
from app.domain.policy import ClusterAction
from app.domain.user import Actor
from app.services import Services
from app.services.sharing import MOST_PEOPLE
from app.settings import Settings
from tests.accounts import Clock
from tests.clusters import bring_in
from tests.wiring import sign_up

VIEWER, DEPLOYER, ADMIN = ClusterRole.VIEWER, ClusterRole.DEPLOYER, ClusterRole.ADMIN


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def services(settings: Settings, clock: Clock) -> AsyncIterator[Services]:
    async with bootstrap(settings, now=clock) as wired:
        yield wired


@pytest.fixture
async def third(services: Services, stranger: Actor) -> Actor:
    return await sign_up(services, "third")


@pytest.fixture
async def cluster(services: Services, owner: Actor) -> Cluster:
    return await bring_in(services, owner, "prod")


async def give(
    services: Services,
    giver: Actor,
    cluster: Cluster,
    person: Actor,
    role: ClusterRole = VIEWER,
    **more: Any,
) -> Cluster:
    return await services.sharing.share(giver, cluster.id, person.user.email, role=role, **more)


def shares(cluster: Cluster | None) -> dict[Id, ClusterShare]:
    assert cluster is not None
    return {share.user_id: share for share in cluster.shared_with}


async def test_a_shared_cluster_is_seen_as_it_is_shared(
    *,
    services: Services,
    owner: Actor,
    stranger: Actor,
    third: Actor,
    cluster: Cluster,
    clock: Clock,
) -> None:
    assert await services.clusters.get(stranger, cluster.id) is None
    until = clock() + timedelta(days=1)
    changed = await services.sharing.share(
        owner,
        cluster.id,
        " STRANGER@Example.com ",
        role=DEPLOYER,
        namespaces=["shop", "blog", "shop"],
        expires_at=until,
    )
    expected = ClusterShare(
        user_id=stranger.id, role=DEPLOYER, namespaces=["shop", "blog"], expires_at=until
    )
    assert changed.shared_with == [expected]
    assert changed.seq == cluster.seq + 1
    await give(services, owner, cluster, third)
    seen = await services.clusters.get(stranger, cluster.id)
    assert seen is not None
    assert seen.shared_with == [expected]
    assert services.clusters.may(stranger, ClusterAction.DEPLOY, seen).allowed
    assert not services.clusters.may(stranger, ClusterAction.ADMINISTER, seen).allowed
    assert len(shares(await services.clusters.get(owner, cluster.id))) == 2


async def test_sharing_again_replaces_what_somebody_had(
    services: Services, owner: Actor, stranger: Actor, cluster: Cluster
) -> None:
    await give(services, owner, cluster, stranger, ADMIN, namespaces=["shop"])
    changed = await give(services, owner, cluster, stranger, VIEWER)
    assert changed.shared_with == [ClusterShare(user_id=stranger.id, role=VIEWER)]
    same = await give(services, owner, cluster, stranger, VIEWER)
    assert same.seq == changed.seq


async def test_a_share_ends_on_its_date(
    *,
    services: Services,
    owner: Actor,
    stranger: Actor,
    third: Actor,
    cluster: Cluster,
    clock: Clock,
) -> None:
    until = clock() + timedelta(hours=1)
    await give(services, owner, cluster, stranger, ADMIN, expires_at=until)
    clock.move(minutes=59)
    assert await services.clusters.get(stranger, cluster.id) is not None
    clock.move(minutes=1)
    assert await services.clusters.get(stranger, cluster.id) is None
    assert await services.clusters.count(stranger) == 0
    page = await services.clusters.page(stranger, Keyset(field="name"))
    assert list(page.rows) == []
    with pytest.raises(NotFound):
        await services.clusters.update(stranger, cluster.id, {"description": "late"})
    assert shares(await services.clusters.get(owner, cluster.id)) == {}
    changed = await give(services, owner, cluster, third)
    assert set(shares(changed)) == {third.id}


@pytest.mark.parametrize("late", [0, -1])
async def test_a_date_that_is_past_is_refused(
    *, services: Services, owner: Actor, stranger: Actor, cluster: Cluster, clock: Clock, late: int
) -> None:
    with pytest.raises(Invalid, match=r"^expiresAt: Choose a moment in the future") as refused:
        await give(services, owner, cluster, stranger, expires_at=clock() + timedelta(seconds=late))
    assert refused.value.path == ["expiresAt"]
    assert await services.clusters.get(stranger, cluster.id) is None


async def test_nobody_shares_with_the_owner_or_with_themselves(
    services: Services, owner: Actor, stranger: Actor, cluster: Cluster
) -> None:
    await give(services, owner, cluster, stranger, ADMIN, namespaces=["shop"])
    for actor, person, says in (
        (owner, "owner@example.com", "The cluster is this person's own."),
        (stranger, "owner@example.com", "The cluster is this person's own."),
        (stranger, "stranger@example.com", "You cannot change what is shared with"),
    ):
        with pytest.raises(Invalid, match=f"^email: {says}"):
            await services.sharing.share(actor, cluster.id, person, role=ADMIN)
    expected = {stranger.id: ClusterShare(user_id=stranger.id, role=ADMIN, namespaces=["shop"])}
    assert shares(await services.clusters.get(owner, cluster.id)) == expected


async def test_an_admin_gives_no_more_than_they_have(
    *,
    services: Services,
    owner: Actor,
    stranger: Actor,
    third: Actor,
    cluster: Cluster,
    clock: Clock,
) -> None:
    until = clock() + timedelta(days=1)
    await give(services, owner, cluster, stranger, ADMIN, namespaces=["a", "b"], expires_at=until)
    for more in (
        {"expires_at": until},
        {"namespaces": ["a", "c"], "expires_at": until},
        {"namespaces": ["a"]},
        {"namespaces": ["a"], "expires_at": until + timedelta(milliseconds=1)},
    ):
        with pytest.raises(Forbidden, match=r"^You can share"):
            await give(services, stranger, cluster, third, **more)
    assert set(shares(await services.clusters.get(owner, cluster.id))) == {stranger.id}
    changed = await give(
        services, stranger, cluster, third, ADMIN, namespaces=["b"], expires_at=until
    )
    assert set(shares(changed)) == {stranger.id, third.id}


async def test_an_admin_takes_no_more_away_than_they_could_give(
    services: Services, owner: Actor, stranger: Actor, third: Actor, cluster: Cluster
) -> None:
    await give(services, owner, cluster, stranger, ADMIN, namespaces=["a"])
    before = await give(services, owner, cluster, third, ADMIN, namespaces=["a", "b"])
    with pytest.raises(Forbidden, match=r"^You can share what you have"):
        await give(services, stranger, cluster, third, VIEWER, namespaces=["a"])
    with pytest.raises(Forbidden, match=r"^You can share what you have"):
        await services.sharing.unshare(stranger, cluster.id, third.id)
    assert await services.clusters.get(owner, cluster.id) == before
    await give(services, owner, cluster, third, ADMIN, namespaces=["a"])
    changed = await services.sharing.unshare(stranger, cluster.id, third.id)
    assert set(shares(changed)) == {stranger.id}


async def test_whoever_is_not_found_is_not_shared_with(
    services: Services, owner: Actor, cluster: Cluster
) -> None:
    for person in ("nobody@example.com", "no address at all", "\ud800", cluster.id):
        with pytest.raises(Invalid, match=r"^email: Nobody here has an account with this\."):
            await services.sharing.share(owner, cluster.id, person, role=VIEWER)


async def test_looking_for_addresses_ends_soon_and_begins_again_later(
    services: Services, owner: Actor, stranger: Actor, cluster: Cluster, clock: Clock
) -> None:
    for i in range(20):
        with pytest.raises(Invalid):
            await services.sharing.share(owner, cluster.id, f"{i}@example.com", role=VIEWER)
    known = "stranger@example.com"
    with pytest.raises(RateLimited, match=r"^Too many people were not found\.") as refused:
        await services.sharing.share(owner, cluster.id, known, role=VIEWER)
    assert refused.value.retry_after == 3600
    assert shares(await services.clusters.get(owner, cluster.id)) == {}
    clock.move(seconds=3600)
    await services.sharing.share(owner, cluster.id, known, role=ADMIN)


async def test_only_who_may_share_learns_who_has_an_account(
    services: Services, owner: Actor, stranger: Actor, cluster: Cluster
) -> None:
    await give(services, owner, cluster, stranger, DEPLOYER)
    for email in ("nobody@example.com", "owner@example.com"):
        with pytest.raises(Forbidden, match="this takes ADMIN"):
            await services.sharing.share(stranger, cluster.id, email, role=VIEWER)


async def test_a_cluster_is_shared_with_so_many(
    *,
    services: Services,
    owner: Actor,
    stranger: Actor,
    cluster: Cluster,
    clock: Clock,
    mongodb: AsyncMongoClient[dict[str, Any]],
    database_name: str,
) -> None:
    await give(services, owner, cluster, stranger)
    document = mongodb[database_name]["clusters"]
    (mine,) = (await document.find_one({}))["shared_with"]  # type: ignore[index]
    many = [mine | {"user_id": type(mine["user_id"])()} for _ in range(MOST_PEOPLE)]
    await document.update_one({}, {"$set": {"shared_with": many}})
    with pytest.raises(LimitExceeded) as refused:
        await give(services, owner, cluster, stranger)
    assert refused.value.limit == MOST_PEOPLE
    many[7] |= {"expires_at": clock() - timedelta(seconds=1)}
    await document.update_one({}, {"$set": {"shared_with": many}})
    assert len(shares(await give(services, owner, cluster, stranger))) == MOST_PEOPLE


async def test_what_is_taken_back_is_gone(
    services: Services, owner: Actor, stranger: Actor, third: Actor, cluster: Cluster
) -> None:
    await give(services, owner, cluster, stranger)
    await give(services, owner, cluster, third)
    with pytest.raises(Forbidden):
        await services.sharing.unshare(stranger, cluster.id, third.id)
    changed = await services.sharing.unshare(owner, cluster.id, stranger.id)
    assert set(shares(changed)) == {third.id}
    assert await services.clusters.get(stranger, cluster.id) is None
    with pytest.raises(NotFound, match="There is no such share") as refused:
        await services.sharing.unshare(owner, cluster.id, stranger.id)
    assert refused.value.path == ["userId"]


async def test_anybody_may_give_up_their_own_share(
    services: Services, owner: Actor, stranger: Actor, cluster: Cluster
) -> None:
    await give(services, owner, cluster, stranger, VIEWER)
    assert await services.sharing.unshare(stranger, cluster.id, stranger.id) is None
    assert shares(await services.clusters.get(owner, cluster.id)) == {}


async def test_a_share_that_is_over_cannot_be_given_up_but_taken_back(
    services: Services, owner: Actor, stranger: Actor, cluster: Cluster, clock: Clock
) -> None:
    await give(services, owner, cluster, stranger, expires_at=clock() + timedelta(seconds=1))
    clock.move(seconds=2)
    with pytest.raises(NotFound, match="There is no such cluster"):
        await services.sharing.unshare(stranger, cluster.id, stranger.id)
    assert shares(await services.sharing.unshare(owner, cluster.id, stranger.id)) == {}
