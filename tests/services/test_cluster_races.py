"""Two replicas that do the same at the same moment: two processes on one database."""

import asyncio
import multiprocessing
from multiprocessing.synchronize import Barrier
from typing import Any

from pymongo import AsyncMongoClient

from app.bootstrap import bootstrap, utc_now
from app.domain.cluster import Cluster
from app.domain.errors import Conflict
from app.domain.ids import Id
from app.domain.paging import Keyset
from app.domain.user import Actor, User
from app.services import Services
from app.settings import Settings
from tests.clusters import bring_in

NAMES = [f"c{i}" for i in range(5)]


def somebody(id_: Id) -> Actor:
    """The same person in every process."""
    now = utc_now()
    user = User(id=id_, name="owner", email="owner@example.com", created_at=now, updated_at=now)
    return Actor(user=user, session_id=id_)


async def replica(settings: Settings, id_: Id, barrier: Barrier) -> list[list[str]]:
    """Brings the same clusters in as the other one, then makes each the default."""
    owner = somebody(id_)
    async with bootstrap(settings) as services:
        await asyncio.to_thread(barrier.wait, 60)
        results = await asyncio.gather(
            *(bring_in(services, owner, name) for name in NAMES), return_exceptions=True
        )
        unexpected = [each for each in results if not isinstance(each, Cluster | Conflict)]
        await asyncio.to_thread(barrier.wait, 60)
        page = await services.clusters.page(owner, Keyset(field="name"))
        chosen = await asyncio.gather(
            *(services.clusters.set_default(owner, row.id) for row in page.rows),
            return_exceptions=True,
        )
        unexpected += [each for each in chosen if not isinstance(each, Cluster)]
    made = [each.name for each in results if isinstance(each, Cluster)]
    refused = [each.message for each in results if isinstance(each, Conflict)]
    return [made, refused, [repr(each) for each in unexpected]]


def run(settings: Settings, id_: Id, barrier: Barrier, answers: Any) -> None:
    answers.put(asyncio.run(replica(settings, id_, barrier)))


async def test_each_name_is_given_once_and_one_cluster_is_the_default(
    settings: Settings,
    services: Services,
    mongodb: AsyncMongoClient[dict[str, Any]],
    database_name: str,
) -> None:
    spawning = multiprocessing.get_context("spawn")
    answers, barrier = spawning.Queue(), spawning.Barrier(2)
    id_ = Id("a" * 24)
    both = [spawning.Process(target=run, args=(settings, id_, barrier, answers)) for _ in range(2)]
    for process in both:
        process.start()
    results = [await asyncio.to_thread(answers.get, True, 120) for _ in both]
    for process in both:
        await asyncio.to_thread(process.join, 30)
    assert [unexpected for _, _, unexpected in results] == [[], []]
    assert sorted(name for made, _, _ in results for name in made) == NAMES
    assert sorted(message for _, refused, _ in results for message in refused) == [
        f"You have a cluster called {name} already. Choose another name." for name in NAMES
    ]
    page = await services.clusters.page(somebody(id_), Keyset(field="name"))
    assert [row.name for row in page.rows] == NAMES
    assert [row.default for row in page.rows].count(True) == 1
    for collection in ("clusters", "cluster_credentials", "cluster_checks"):
        assert await mongodb[database_name][collection].count_documents({}) == len(NAMES)
