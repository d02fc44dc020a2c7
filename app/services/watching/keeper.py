"""Looks after one cluster, for as long as its watch is ours.

What changes there is judged and told, at most a few times a second however much changes. Nothing is
asked again and again: the cluster's watches, the inventories and the cluster's own stream say when
there is something to do.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from contextlib import aclosing
from datetime import datetime, timedelta
from itertools import islice

import structlog
from pymongo.errors import PyMongoError

from app.documents.clusters import ClusterStore
from app.documents.watches import Watch, WatchStore
from app.domain import labels
from app.domain.cluster import Cluster
from app.domain.events import ClusterRemoved, Gap, cluster_stream
from app.domain.ids import Id
from app.domain.livestatus import judged
from app.domain.planning import ObjectKey
from app.kube.informers import Followed, Informers, Kind, is_not_served
from app.realtime.hub import Hub
from app.realtime.topics import Falling
from app.services.clustertelling import cluster_event_of
from app.services.watching.deployed import Deployed, namespaces_of
from app.services.watching.pacing import Pacing
from app.services.watching.telling import LostWatch, Seen, StatusTelling

log = structlog.get_logger("kubeorch.status")

PACE = 0.2
"""Seconds between two looks at what has changed, at least."""
_SHARE = 4
"""How many times as long as a look the rest behind it is."""
_LONGEST_REST = 5.0
_SYNC_SECONDS = 10.0
_AT_ONCE = 20
"""Workflows that are written in one transaction."""
_OUTAGE_PAUSE = 1.0


class Keeper:
    """`deployed` is of the cluster of `watch`. `held_from` is when the watch was claimed, in the
    event loop's time."""

    def __init__(
        self,
        watch: Watch,
        *,
        lease: timedelta,
        held_from: float,
        deployed: Deployed,
        clusters: ClusterStore,
        watches: WatchStore,
        telling: StatusTelling,
        informers: Informers,
        hub: Hub,
        now: Callable[[], datetime],
    ) -> None:
        self.watch = watch
        self._lease = lease
        self.deployed = deployed
        self._clusters = clusters
        self._watches = watches
        self._telling = telling
        self._informers = informers
        self._hub = hub
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._ends = held_from + lease.total_seconds()
        self._stopping = asyncio.Event()
        self._bell = asyncio.Event()
        self._writing = asyncio.Lock()
        """Held while the watch is written: MongoDB would do again what is done at once."""
        self._cluster: Cluster | None = None
        self._dirty: set[Id] = set()
        self._stale: set[Id] = set()
        self._all_stale = False
        self._timers: dict[Id, asyncio.TimerHandle] = {}
        self._pacing = Pacing()
        self.reloaded = asyncio.Event()
        """For who looks for drifts."""

    @property
    def is_held(self) -> bool:
        """Whether the cluster is ours to tell of, by our own clock."""
        return not self._stopping.is_set() and self._loop.time() < self._ends

    def stop(self) -> None:
        """Asks `keep` to come to its end."""
        self._stopping.set()
        self._bell.set()

    def heard(self, workflow_ids: Iterable[Id] | None = None) -> None:
        """The inventories of these workflows have changed, or any may have."""
        self._stale.update(workflow_ids or ())
        self._all_stale = self._all_stale or workflow_ids is None
        self._bell.set()

    async def keep(self) -> None:
        """Until the watch is lost, nobody needs it, or `stop`. Raises pymongo's errors: then the
        watch is somebody's again when the lease has ended."""
        renewing = asyncio.create_task(self._renew())
        following: asyncio.Task[None] | None = None
        try:
            await self.deployed.load()
            self.reloaded.set()
            self._cluster = await self._clusters.get(self.watch.cluster_id)
            if self._cluster is not None:
                following = asyncio.create_task(self._follow(self._cluster))
            rests = await self._keep()
        finally:
            self.stop()
            for timer in self._timers.values():
                timer.cancel()
            if following is not None:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
            await renewing
        if not rests and self._loop.time() < self._ends:
            await self._watches.hand_back(self.watch, now=self._now())

    async def _keep(self) -> bool:
        """Until somebody else is to go on, or (True) nobody needs to."""
        while self.is_held:
            cluster = self._cluster
            if cluster is None:
                await self._watches.forget(self.watch)
                return True
            if self.deployed.workflows:
                await self._look_at(cluster)
            elif await self._rest():
                return True
        return False

    async def _rest(self) -> bool:
        """Ends the watch when there is nothing to see."""
        needed = await self._watches.needed(self.watch)
        await self.deployed.load()
        self.reloaded.set()
        self._dirty |= self.deployed.workflows
        return not self.deployed.workflows and await self._watches.rest(self.watch, needed=needed)

    async def _look_at(self, cluster: Cluster) -> None:
        """Until other kinds, namespaces or credentials are needed, or nothing is deployed."""
        kinds, namespaces = self.deployed.kinds, self.deployed.namespaces

        def is_right() -> bool:
            deployed, now = self.deployed, self._cluster
            return (
                self.is_held
                and now is not None
                and now.credentials_version == cluster.credentials_version
                and bool(deployed.workflows)
                and (deployed.kinds, deployed.namespaces) == (kinds, namespaces)
            )

        async with self._informers.following(cluster, kinds, namespaces=namespaces) as followed:
            pump = asyncio.create_task(self._pump(followed))
            try:
                await self._synced(followed)
                self._dirty |= self.deployed.workflows
                while is_right():
                    self._bell.clear()
                    began = self._loop.time()
                    await self._reload()
                    if is_right():
                        await self._judge(followed)
                        await self._paced(self._loop.time() - began)
            finally:
                pump.cancel()
                await asyncio.gather(pump, return_exceptions=True)

    async def _synced(self, followed: Followed) -> None:
        synced = asyncio.create_task(followed.synced(_SYNC_SECONDS))
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({synced, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            synced.cancel()
            stopped.cancel()

    async def _pump(self, followed: Followed) -> None:
        """Notes which workflows are to be judged again."""
        troubled: set[tuple[Kind, str]] = set()
        while True:
            self._dirty |= self.deployed.labelled(await followed.changed())
            now = {(kind, error.fault) for kind, error in followed.troubles().items()}
            if now != troubled:
                troubled = set(now)
                self._dirty |= self.deployed.workflows
            self._bell.set()

    async def _paced(self, took: float) -> None:
        """A moment for more to come together, and then until there is something to do.

        A look that took long is rested from: deploys are done by the same process.
        """
        await self._pause(min(max(PACE, _SHARE * took), _LONGEST_REST))
        while not self._bell.is_set() and self.is_held:
            due = self._pacing.next_round() if self._dirty else self._ends
            if due <= self._loop.time():
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(due, self._ends)):
                    await self._bell.wait()

    async def _reload(self) -> None:
        stale, everything = self._stale, self._all_stale
        self._stale, self._all_stale = set(), False
        if not stale and not everything:
            return
        try:
            await (self.deployed.load() if everything else self.deployed.reload(stale))
        except PyMongoError as error:
            self._stale |= stale
            self._all_stale = self._all_stale or everything
            await self._outage(error)
            return
        for workflow_id in stale:
            self._pacing.forget(workflow_id)
        self._dirty |= self.deployed.workflows if everything else stale
        self.reloaded.set()

    async def _judge(self, followed: Followed) -> None:
        """Tells of everything that differs from what was told, as far as it is time to."""
        if self._pacing.next_round() > self._loop.time():
            return
        dirty, self._dirty = self._dirty & self.deployed.workflows, set()
        found: dict[Id, Seen] = {}
        for workflow_id in dirty:
            seen = self._seen(workflow_id, followed)
            known = self.deployed.known.get(workflow_id)
            if seen.differs_from(known, self.watch.cluster_id):
                found[workflow_id] = seen
            elif not seen.nodes:
                self._forget(workflow_id)
            await asyncio.sleep(0)  # others want to go on, too
        left = iter(found)
        while self.is_held and (ids := tuple(islice(left, _AT_ONCE))):
            try:
                await self._tell({id_: found[id_] for id_ in ids})
            except PyMongoError as error:
                self._dirty |= {*ids, *left}
                await self._outage(error)

    def _seen(self, workflow_id: Id, followed: Followed) -> Seen:
        inventory = self.deployed.here.get(workflow_id)
        if inventory is None:
            return Seen({}, ())
        verdict = judged(
            inventory.of_nodes,
            followed.objects(labels.of_id(workflow_id)),
            is_known=lambda key: _is_known(followed, key),
            now=self._now(),
            moving=self.deployed.moving(workflow_id),
        )
        known, now = self.deployed.known.get(workflow_id), self._loop.time()
        nodes, ripe_at = self._pacing.ripe(
            workflow_id, verdict.nodes, known.nodes if known is not None else {}, now=now
        )
        moments = (verdict.recheck_after, None if ripe_at is None else ripe_at - now)
        again = min((one for one in moments if one is not None), default=None)
        timer = self._timers.pop(workflow_id, None)
        if timer is not None:
            timer.cancel()
        if again is not None:
            self._timers[workflow_id] = self._loop.call_later(again, self._recheck, workflow_id)
        return Seen(nodes, namespaces_of(inventory))

    def _recheck(self, workflow_id: Id) -> None:
        self._dirty.add(workflow_id)
        self._bell.set()

    async def _tell(self, seen: dict[Id, Seen]) -> None:
        try:
            async with self._writing:
                began = self._loop.time()
                told = await self._telling.tell(self.watch, seen, until=self._now() + self._lease)
                self._extended(began)
        except LostWatch:
            self.stop()
            return
        for workflow_id, after in told.items():
            if after is None:
                self._stale.add(workflow_id)
                continue
            known = self.deployed.known.get(workflow_id)
            before = known.nodes if known is not None else {}
            self._pacing.told(workflow_id, after.nodes, before, now=self._loop.time())
            if workflow_id in self.deployed.here:
                self.deployed.known[workflow_id] = after
            else:
                self._forget(workflow_id)
            self._bell.set()

    def _forget(self, workflow_id: Id) -> None:
        self.deployed.forget(workflow_id)
        self._pacing.forget(workflow_id)

    async def _follow(self, cluster: Cluster) -> None:
        """Hears of other credentials, and of the cluster's removal."""
        now: Cluster | None = cluster
        try:
            while now is not None:
                now = await self._heard_of(now)
        except Exception:
            # Whoever looks after the cluster next will hear of it.
            log.exception("status.unheard", cluster=cluster.id)
            self.stop()

    async def _heard_of(self, cluster: Cluster) -> Cluster | None:
        """Until events are missing: then the cluster as it is now; None when it is gone."""
        stream = cluster_stream(cluster.id)
        events = self._hub.events(stream, after=cluster.seq, falling=Falling.BACK_TO_THE_COLLECTION)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Gap):
                    break
                told = cluster_event_of(event)
                self._cluster = None if isinstance(told, ClusterRemoved) else told.cluster
                self._bell.set()
                if self._cluster is None:
                    return None
        self._cluster = await self._clusters.get(cluster.id)
        self._bell.set()
        return self._cluster

    async def _renew(self) -> None:
        """Keeps the watch until it is lost."""
        while self.is_held:
            await self._pause(
                (self._ends - self._loop.time()) - self._lease.total_seconds() * 2 / 3
            )
            if not self.is_held:
                break
            try:
                async with self._writing:
                    began = self._loop.time()
                    kept = await self._watches.keep(self.watch, until=self._now() + self._lease)
            except PyMongoError as error:
                await self._outage(error)
                continue
            if kept:
                self._extended(began)
            else:
                break
        if not self._stopping.is_set():
            log.warning("status.lost", cluster=self.watch.cluster_id)
        self.stop()

    def _extended(self, began: float) -> None:
        self._ends = max(self._ends, began + self._lease.total_seconds())

    async def _outage(self, error: PyMongoError) -> None:
        log.warning("status.waiting", cluster=self.watch.cluster_id, error=str(error))
        await self._pause(min(_OUTAGE_PAUSE, self._lease.total_seconds() / 10))

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self._stopping.wait()


def _is_known(followed: Followed, key: ObjectKey) -> bool:
    """Whether it can be told if the object is there."""
    error = followed.trouble(Kind(key.api_version, key.kind), key.namespace)
    return error is None or is_not_served(error)
