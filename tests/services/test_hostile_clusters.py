"""Somebody who shares a cluster of their own to learn who else is here."""

import pytest
from bson import ObjectId

from app.domain.cluster import ClusterRole
from app.domain.errors import Invalid, RateLimited
from app.domain.ids import Id
from app.domain.user import Actor
from app.services import Services
from app.services.sharing import Person
from tests.clusters import bring_in


async def test_guessing_ids_ends_soon(services: Services, owner: Actor) -> None:
    cluster = await bring_in(services, owner, "bait")

    async def guess() -> None:
        person = Person(user_id=Id(ObjectId()))
        await services.sharing.share(owner, cluster.id, person, role=ClusterRole.VIEWER)

    for _ in range(20):
        with pytest.raises(Invalid, match=r"^userId: Nobody here has an account with this"):
            await guess()
    with pytest.raises(RateLimited):
        await guess()
