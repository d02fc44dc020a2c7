"""Watches that everybody shares: one per process, cluster and kind, however many follow it.

Who follows hears which workflows have changed and reads their objects when it suits them: a slow
follower costs nothing, because what is kept is the present and not the changes.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager

from app.domain.cluster import Cluster
from app.domain.errors import ClusterError, ClusterFault
from app.domain.ids import Id
from app.kube.informing import MOST_WATCHES, Connect, Informer, Kind, is_not_served
from app.kube.rooms import Bounds, Room
from app.kube.watching import Object, Rhythm

__all__ = ["PODS_AND_CO", "Followed", "Informers", "Kind", "is_not_served"]

PODS_AND_CO = (Kind("v1", "Pod"), Kind("apps/v1", "ReplicaSet"), Kind("batch/v1", "Job"))
"""The kinds that nobody deploys and that explain those that are: why they are not ready."""


class Followed:
    """What one follower sees. Only one task may wait for `changed`."""

    def __init__(self, informers: Mapping[Kind, Informer], namespaces: frozenset[str]) -> None:
        self._informers = informers
        self._namespaces = namespaces
        self._touched: set[str] = set()
        self._bell = asyncio.Event()
        self._settled = asyncio.Event()

    async def synced(self, seconds: float) -> None:
        """Waits until every kind was listed once or cannot be, for so long at most.

        `troubles` tells then of which kinds nothing is known.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._is_settled():
                    self._settled.clear()
                    await self._settled.wait()

    def objects(self, workflow: str) -> list[Object]:
        """The objects whose label names this workflow, of all followed kinds, as they are now.

        They have their apiVersion and kind; Secrets and ConfigMaps come without what they hold.
        They are everybody's: don't change them.
        """
        return [one for each in self._informers.values() for one in each.objects(workflow)]

    def troubles(self) -> Mapping[Kind, ClusterError]:
        """The kinds that are not known as they are now, and why: nothing is said by their lack.

        The exception is where `is_not_served`: then there are none.
        """
        found = {kind: each.trouble(self._namespaces) for kind, each in self._informers.items()}
        return {kind: error for kind, error in found.items() if error is not None}

    def trouble(self, kind: Kind, namespace: str | None) -> ClusterError | None:
        """Why a followed kind is not known as it is now in one namespace; None when it is."""
        within = self._namespaces if namespace is None else frozenset({namespace})
        return self._informers[kind].trouble(within)

    async def changed(self) -> frozenset[str]:
        """Waits for changes: the labels of the workflows whose objects changed since the last call.

        None of them when only `troubles` have changed.
        """
        await self._bell.wait()
        self._bell.clear()
        touched = frozenset(self._touched)
        self._touched.clear()
        return touched

    def ring(self, touched: Iterable[str]) -> None:
        """An informer has changed."""
        self._touched.update(touched)
        self._bell.set()
        self._settled.set()

    def _is_settled(self) -> bool:
        return all(each.is_settled(self._namespaces) for each in self._informers.values())


class _Watched:
    """The informers of a cluster, with one version of its credentials."""

    def __init__(
        self,
        cluster: Cluster,
        connect: Connect,
        rhythm: Rhythm,
        *,
        room: Room,
        grown: Callable[[], None],
    ) -> None:
        self.room = room
        self._grown = grown
        self._cluster = cluster
        self._connect = connect
        self._rhythm = rhythm
        self._watches = asyncio.Semaphore(MOST_WATCHES)
        self._informers: dict[Kind, Informer] = {}
        self._followers: dict[Kind, list[Followed]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def enter(self, kinds: Iterable[Kind], namespaces: frozenset[str]) -> Followed:
        informers: dict[Kind, Informer] = {}
        for kind in kinds:
            if kind not in self._informers:
                self._informers[kind] = Informer(
                    self._cluster,
                    kind,
                    self._connect,
                    rhythm=self._rhythm,
                    watches=self._watches,
                    told=self._tell,
                    room=Room(within=self.room),
                    grown=self._grown,
                )
            informers[kind] = self._informers[kind]
        follower = Followed(informers, namespaces)
        for kind, informer in informers.items():
            self._followers.setdefault(kind, []).append(follower)
            informer.want(namespaces)
        return follower

    def leave(self, follower: Followed, kinds: Iterable[Kind], namespaces: frozenset[str]) -> None:
        for kind in kinds:
            self._followers[kind].remove(follower)
            if kind in self._informers:
                self._informers[kind].release(namespaces)

    def sweep(self) -> bool:
        """Ends what nobody follows any more; whether nothing is left."""
        for kind, informer in list(self._informers.items()):
            if self._followers[kind]:
                informer.fit()
            else:
                del self._informers[kind], self._followers[kind]
                task = asyncio.create_task(informer.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
        return not self._informers

    def give_way(self) -> None:
        """Lets go of the kind that takes the most."""
        heaviest = max(self._informers.values(), key=lambda each: each.room.weight, default=None)
        if heaviest is not None:
            heaviest.give_way()

    async def close(self) -> None:
        informers, self._informers = self._informers, {}
        await asyncio.gather(*(each.close() for each in informers.values()), *self._closing)

    def _tell(self, kind: Kind, touched: Iterable[str]) -> None:
        for follower in self._followers.get(kind, ()):
            follower.ring(touched)


class Informers:
    """Belongs to one event loop.

    `linger` is for how many seconds something is still watched that nobody follows any more. When
    there is more than `bounds` let in, the kind that takes the most of the cluster that takes the
    most is let go, and not followed for a minute.
    """

    def __init__(
        self,
        connect: Connect,
        *,
        rhythm: Rhythm | None = None,
        linger: float = 30.0,
        bounds: Bounds | None = None,
    ) -> None:
        self._bounds = bounds or Bounds()
        self.room = Room()
        """What is kept, of all clusters."""
        self._connect = connect
        self._rhythm = rhythm or Rhythm()
        self._linger = linger
        self._watched: dict[tuple[Id, int], _Watched] = {}
        self._ending: set[_Watched] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._closed = False

    @asynccontextmanager
    async def following(
        self, cluster: Cluster, kinds: Collection[Kind], *, namespaces: Collection[str]
    ) -> AsyncIterator[Followed]:
        """What there is of these kinds on a cluster, with the credentials that it has now.

        `namespaces` are those that the follower needs, if the whole cluster may not be watched.
        Raises ClusterError UNAVAILABLE when the process is about to end, and nothing else: whatever
        the cluster does is told by `troubles`.
        """
        if self._closed:
            raise ClusterError(ClusterFault.UNAVAILABLE, "This server is shutting down.")
        key = (cluster.id, cluster.credentials_version)
        within, wanted = frozenset(namespaces), tuple(dict.fromkeys(kinds))
        watched = self._watched.get(key)
        if watched is None:
            room = Room(within=self.room)
            watched = self._watched[key] = _Watched(
                cluster,
                self._connect,
                self._rhythm,
                room=room,
                grown=lambda: self._grown(room),
            )
        follower = watched.enter(wanted, within)
        try:
            yield follower
        finally:
            watched.leave(follower, wanted, within)
            if not self._closed:
                self._later(key, watched)

    def _grown(self, room: Room) -> None:
        """Something came to a cluster."""
        bounds = self._bounds
        full = room.objects > bounds.objects or room.weight > bounds.weight
        if not full and self.room.weight <= bounds.of_all:
            return
        guilty = [each for each in self._watched.values() if not full or each.room is room]
        heaviest = max(guilty, key=lambda each: each.room.weight, default=None)
        if heaviest is not None:
            heaviest.give_way()

    async def close(self) -> None:
        """Ends all watches; nothing is followed any more."""
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        watched = [*self._watched.values(), *self._ending]
        self._watched.clear()
        await asyncio.gather(*(each.close() for each in watched))

    def _later(self, key: tuple[Id, int], watched: _Watched) -> None:
        def sweep() -> None:
            self._timers.discard(timer)
            if watched.sweep() and self._watched.get(key) is watched:
                del self._watched[key]
                self._end(watched)

        timer = asyncio.get_running_loop().call_later(self._linger, sweep)
        self._timers.add(timer)

    def _end(self, watched: _Watched) -> None:
        """Keeps hold of what is about to end, until it has."""
        self._ending.add(watched)
        task = asyncio.ensure_future(watched.close())
        task.add_done_callback(lambda _: self._ending.discard(watched))
