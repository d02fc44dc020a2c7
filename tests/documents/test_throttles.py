"""Counters that forget."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.documents.database import Database
from app.documents.throttles import Count, ThrottleStore

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


@pytest.fixture
def throttles(database: Database) -> ThrottleStore:
    return ThrottleStore(database)


async def test_every_event_counts_however_many_at_once(throttles: ThrottleStore) -> None:
    await asyncio.gather(
        *(throttles.add(["a", "b"], now=NOW, window=WINDOW) for _ in range(50)),
        *(throttles.add(["b"], now=NOW, window=WINDOW) for _ in range(50)),
    )
    counts = await throttles.read(["a", "b", "c"], now=NOW)
    assert counts == {"a": Count(50, NOW + WINDOW), "b": Count(100, NOW + WINDOW)}


async def test_a_window_ends_by_itself_and_is_not_prolonged(throttles: ThrottleStore) -> None:
    await throttles.add(["a"], now=NOW, window=WINDOW)
    later = NOW + timedelta(minutes=14)
    await throttles.add(["a"], now=later, window=WINDOW)
    assert await throttles.read(["a"], now=later) == {"a": Count(2, NOW + WINDOW)}
    assert await throttles.read(["a"], now=NOW + WINDOW) == {}
    await throttles.add(["a"], now=NOW + WINDOW, window=WINDOW)
    assert await throttles.read(["a"], now=NOW + WINDOW) == {"a": Count(1, NOW + 2 * WINDOW)}


async def test_events_can_be_taken_back_and_forgotten(throttles: ThrottleStore) -> None:
    for _ in range(3):
        await throttles.add(["a", "b"], now=NOW, window=WINDOW)
    await throttles.take(["a"], 2)
    await throttles.forget(["b"])
    assert await throttles.read(["a", "b"], now=NOW) == {"a": Count(1, NOW + WINDOW)}


async def test_mongodb_deletes_what_is_over(database: Database) -> None:
    indexes = await database.raw["throttles"].index_information()
    assert indexes["expired"]["expireAfterSeconds"] == 0
