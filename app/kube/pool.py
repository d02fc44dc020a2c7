"""One client per cluster and version of its credentials, shared by all who talk to it, bounded.

A client that is in use is never closed under its users: one whose credentials were changed ends
when its last user leaves. When all clients that may be are in use, the next caller waits for one,
and is refused in the end: the bound holds whatever happens.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.domain.access import Access
from app.domain.errors import ClusterError, ClusterFault
from app.kube.addresses import AddressPolicy
from app.kube.client import KubeClient, Limits, Renewed

Load = Callable[[], Awaitable[Access]]
"""Reads the credentials; what it raises is raised to all who wait."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """Which cluster, with which of its credentials."""

    cluster_id: str
    version: int


class _Entry:
    """A client that is there or on its way, and who uses it."""

    def __init__(self, key: ClientKey, opening: asyncio.Task[KubeClient]) -> None:
        self.key = key
        self.opening = opening
        self.users = 0
        self.retired = False
        self.timer: asyncio.TimerHandle | None = None

    @property
    def failed(self) -> bool:
        task = self.opening
        return task.done() and (task.cancelled() or task.exception() is not None)


class ClientPool:
    """Belongs to one event loop, and is made in it or before it runs.

    `size` bounds the clients, `idle_seconds` is how long an unused one is kept, and `wait_seconds`
    how long a caller waits for a place (then ClusterError THROTTLED).
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        size: int = 200,
        idle_seconds: float = 300.0,
        wait_seconds: float = 10.0,
        limits: Limits | None = None,
    ) -> None:
        self._policy = policy
        self._size = size
        self._idle_seconds = idle_seconds
        self._wait_seconds = wait_seconds
        self._limits = limits
        self._entries: OrderedDict[ClientKey, _Entry] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()
        self._freed = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        """How many clients there are."""
        return len(self._entries)

    @asynccontextmanager
    async def client(
        self, key: ClientKey, load: Load, renewed: Renewed | None = None
    ) -> AsyncIterator[KubeClient]:
        """The client of a key; `load` is called once for all who wait for a new one.

        `renewed` is taken from whoever comes first, and stays for the life of the client.

        Raises ClusterError, and what `load` raises.
        """
        entry = await self._entered(key, load, renewed)
        try:
            # The client is everybody's: who leaves early must not take it from the others.
            yield await asyncio.shield(entry.opening)
        finally:
            self._leave(entry)

    async def drop(self, cluster_id: str) -> None:
        """Close the cluster's clients: at once, or when their last user leaves."""
        gone = [entry for key, entry in self._entries.items() if key.cluster_id == cluster_id]
        await self._finished([task for task in map(self._retire, gone) if task])

    async def close(self) -> None:
        """Close all clients, used or not; no more are made."""
        self._closed = True
        for entry in list(self._entries.values()):
            self._remove(entry)
        await self._finished(self._closing)

    async def _entered(self, key: ClientKey, load: Load, renewed: Renewed | None) -> _Entry:
        try:
            async with asyncio.timeout(self._wait_seconds):
                while (entry := self._place(key, load, renewed)) is None:
                    await self._freed.wait()
        except TimeoutError:
            raise ClusterError(
                ClusterFault.THROTTLED,
                f"This server talks to {self._size} clusters at once, its most. Try again later.",
            ) from None
        entry.users += 1
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None
        return entry

    def _place(self, key: ClientKey, load: Load, renewed: Renewed | None) -> _Entry | None:
        """An entry for the key, or None when there is no room."""
        if self._closed:
            raise ClusterError(ClusterFault.UNAVAILABLE, "This server is shutting down.")
        known = self._entries.get(key)
        if known is not None and not known.failed:
            self._entries.move_to_end(key)
            return known
        versions = [one for one in self._entries.values() if one.key.cluster_id == key.cluster_id]
        for entry in versions:
            if entry.key.version < key.version:
                self._retire(entry)
        if known is not None:
            self._remove(known)
        if len(self._entries) >= self._size and not self._evict():
            return None
        entry = _Entry(key, asyncio.create_task(self._open(load, renewed)))
        # Who read the cluster before it was changed is served, and nobody after.
        entry.retired = any(one.key.version > key.version for one in versions)
        self._entries[key] = entry
        return entry

    async def _open(self, load: Load, renewed: Renewed | None) -> KubeClient:
        access = await load()
        return await KubeClient.open(access, self._policy, renewed=renewed, limits=self._limits)

    def _leave(self, entry: _Entry) -> None:
        entry.users -= 1
        if entry.users or self._entries.get(entry.key) is not entry:
            return
        if entry.retired or entry.failed:
            self._remove(entry)
            return
        entry.timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._remove, entry)
        self._wake()

    def _retire(self, entry: _Entry) -> asyncio.Task[None] | None:
        entry.retired = True
        return None if entry.users else self._remove(entry)

    def _evict(self) -> bool:
        idle = next((entry for entry in self._entries.values() if not entry.users), None)
        if idle is not None:
            self._remove(idle)
        return idle is not None

    def _remove(self, entry: _Entry) -> asyncio.Task[None] | None:
        if entry.timer is not None:
            entry.timer.cancel()
        if self._entries.get(entry.key) is not entry:
            return None
        del self._entries[entry.key]
        closing = asyncio.create_task(_close(entry.opening))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._wake()
        return closing

    def _wake(self) -> None:
        """Everybody who waits looks again; only one may find a place."""
        self._freed.set()
        self._freed = asyncio.Event()

    async def _finished(self, tasks: "set[asyncio.Task[None]] | list[asyncio.Task[None]]") -> None:
        if tasks:
            await asyncio.wait(list(tasks))


async def _close(opening: asyncio.Task[KubeClient]) -> None:
    if not opening.done():
        opening.cancel()
    with contextlib.suppress(Exception, asyncio.CancelledError):
        await (await opening).close()
