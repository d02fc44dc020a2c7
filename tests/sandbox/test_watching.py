"""A watch rests while nothing happens, whether or not it asked for bookmarks."""

import asyncio
from contextlib import aclosing

import pytest

from app.sandbox.cluster import Cluster, SandboxSettings
from app.sandbox.store import Event, Store
from app.sandbox.web.watching import BOOKMARK_SECONDS, _Watcher

SPEED = 1_000.0
"""A bookmark is due every 60 ms."""


class Counting(Store):
    """A store that counts how often somebody looks for something new."""

    looks = 0

    def since(self, version: int) -> list[Event]:
        self.looks += 1
        return super().since(version)


@pytest.mark.parametrize("bookmarks", [False, True])
async def test_a_watch_rests_while_nothing_happens(bookmarks: bool) -> None:
    cluster = Cluster(SandboxSettings(token="token", speed=SPEED))
    cluster.store = store = Counting(history=100)
    resource = cluster.registry.of("ConfigMap", "")
    watcher = _Watcher(cluster, resource, "", lambda _: True, bookmarks=bookmarks, view=None)
    pauses = 5
    seconds = pauses * BOOKMARK_SECONDS / SPEED
    lines = watcher.lines([], store.version, seconds, initial=False)
    async with aclosing(lines), asyncio.timeout(30):
        found = [line async for line in lines]
    assert store.looks <= pauses + 2
    assert all(b"BOOKMARK" in line for line in found)
    assert bool(found) is bookmarks
