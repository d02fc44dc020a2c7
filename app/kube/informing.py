"""Our objects of one kind on one cluster as they are now, watched once for everybody.

One watch for the whole cluster, or, where that is forbidden, one for each namespace that somebody
asks for. What is kept is what health needs: never what a Secret or a ConfigMap holds.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any, NoReturn

import structlog

from app.domain import labels
from app.domain.cluster import Cluster
from app.domain.errors import ClusterError, ClusterFault
from app.domain.health.seen import part, word
from app.kube.client import KubeClient
from app.kube.rooms import Kept, Room
from app.kube.trimming import trimmed
from app.kube.watching import (
    FATAL,
    Changed,
    Event,
    Interrupted,
    Object,
    Rhythm,
    Snapshot,
    watch,
)

log = structlog.get_logger("kubeorch.clusters")

Connect = Callable[[Cluster], AbstractAsyncContextManager[KubeClient]]

SELECTOR = f"{labels.MANAGED_BY}={labels.MANAGER}"
MOST_WATCHES = 120
"""Of one cluster, at the same time: a connection each, and other calls need some too."""

_HOLDS_DATA = frozenset({("v1", "Secret"), ("v1", "ConfigMap")})
_KEPT_OF_DATA = ("metadata", "type", "immutable")
_LONGEST_PAUSE = 30.0
_REST = 60.0
"""Seconds until a kind is listed again of which there was too much."""
_RARELY = 300.0
"""Seconds until credentials are tried again that a cluster did not accept: it may count them."""
_REFUSED = frozenset(
    {
        ClusterFault.UNAUTHORIZED,
        ClusterFault.SIGN_IN_AGAIN,
        ClusterFault.UNREADABLE,
        ClusterFault.ADDRESS_FORBIDDEN,
    }
)
_HOPELESS = FATAL | _REFUSED | {ClusterFault.TLS_FAILED}

_Key = tuple[str, str]
"""Namespace, empty for an object of the whole cluster, and name."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind in the API version in which it is watched."""

    api_version: str
    kind: str


class Overfull(ClusterError):
    """There is more than is kept: nothing of the kind is followed for a while."""

    def __init__(self) -> None:
        super().__init__(
            ClusterFault.UNAVAILABLE,
            "The cluster shows more objects than this server follows. It looks again in a minute.",
        )


class _GaveWay(Exception):
    """The watch has been put to rest while it was about to bring something."""


class _Scope:
    """A namespace, or the whole cluster, and how watching it goes."""

    def __init__(self) -> None:
        self.error: ClusterError | None = None
        self.listed = False
        self.hopeless = False
        """Nothing comes of it until something changes on the cluster."""
        self.again = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @property
    def is_settled(self) -> bool:
        return self.listed or self.hopeless

    def trouble(self) -> ClusterError | None:
        if self.error is None and not self.listed:
            return ClusterError(ClusterFault.UNAVAILABLE, "The cluster has not been asked yet.")
        return self.error


class Informer:
    """`told(workflows)` is called with the labels of the workflows whose objects changed, which are
    none when only the trouble with watching did. `grown()` is called when there is more in `room`;
    it may make any informer give way, also this one."""

    def __init__(
        self,
        cluster: Cluster,
        kind: Kind,
        connect: Connect,
        *,
        rhythm: Rhythm,
        watches: asyncio.Semaphore,
        told: Callable[[Kind, Iterable[str]], None],
        room: Room,
        grown: Callable[[], None],
    ) -> None:
        self._cluster = cluster
        self.kind = kind
        self._connect = connect
        self._rhythm = rhythm
        self._watches = watches
        self._told = told
        self.room = room
        """What is kept, and what is on its way."""
        self._grown = grown
        self._objects: dict[_Key, Object] = {}
        self._of: dict[str, dict[_Key, Object]] = {}
        """The same objects by the workflow that their label names."""
        self._wanted: Counter[str] = Counter()
        self._wide: _Scope | None = None
        self._narrow: dict[str, _Scope] = {}
        self._narrowed: ClusterError | None = None
        """Why the whole cluster can't be watched; then namespaces are."""
        self._ending: set[asyncio.Task[None]] = set()
        self._namespaced = True
        """Of the kind, as far as is known."""
        self._begin(None)

    def want(self, namespaces: Iterable[str]) -> None:
        """Somebody follows these namespaces: what could not be watched is tried again at once."""
        self._wanted.update(namespaces)
        self._fit()
        for scope in self._places().values():
            if scope.error is not None and not isinstance(scope.error, Overfull):
                scope.again.set()

    def release(self, namespaces: Iterable[str]) -> None:
        """Somebody has stopped following these namespaces. `fit` stops what nobody needs."""
        self._wanted.subtract(namespaces)
        self._wanted = +self._wanted

    def fit(self) -> None:
        """Stops the watches of namespaces that nobody follows any more."""
        self._fit()

    def objects(self, workflow: str) -> Iterable[Object]:
        """Those with this label."""
        return self._of.get(workflow, {}).values()

    def is_settled(self, namespaces: Iterable[str]) -> bool:
        """Whether everything was listed that can be."""
        if self._wide is not None:
            return self._wide.is_settled
        return all(self._narrow[one].is_settled for one in namespaces if one in self._narrow)

    def trouble(self, namespaces: Iterable[str]) -> ClusterError | None:
        """Why what is known of these namespaces may not be so; None when it is."""
        if self._wide is not None:
            return self._wide.trouble()
        scopes = [self._narrow.get(one) for one in namespaces]
        if not scopes:
            return self._narrowed
        troubles = (self._narrowed if scope is None else scope.trouble() for scope in scopes)
        return next((error for error in troubles if error is not None), None)

    def give_way(self) -> None:
        """Lets go of all objects, and does not watch for a while."""
        gone = self._put_all({}, within=None)
        for namespace, scope in self._places().items():
            self._end(scope)
            scope.listed, scope.hopeless, scope.error = False, True, Overfull()
            scope.task = asyncio.create_task(self._follow(scope, namespace, failed=scope.error))
        self._told(self.kind, gone)

    async def close(self) -> None:
        """Stops everything."""
        for scope in self._places().values():
            self._end(scope)
        self._wide, self._narrow = None, {}
        if self._ending:
            await asyncio.wait(self._ending)

    def _places(self) -> dict[str | None, _Scope]:
        """By their namespaces; None is that of the whole cluster."""
        places: dict[str | None, _Scope] = dict(self._narrow.items())
        if self._wide is not None:
            places[None] = self._wide
        return places

    def _begin(self, namespace: str | None) -> None:
        scope = _Scope()
        if namespace is None:
            self._wide = scope
        else:
            self._narrow[namespace] = scope
        scope.task = asyncio.create_task(self._follow(scope, namespace))

    def _end(self, scope: _Scope) -> None:
        task = scope.task
        if task is not None and not task.done():
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            task.cancel()

    def _fit(self) -> None:
        """As many watches of namespaces as are wanted, if there is none of all."""
        if self._wide is not None:
            return
        for namespace in self._narrow.keys() - self._wanted.keys():
            self._end(self._narrow.pop(namespace))
            self._put_all({}, within=namespace)
        for namespace in self._wanted.keys() - self._narrow.keys():
            self._begin(namespace)

    async def _follow(
        self, scope: _Scope, namespace: str | None, *, failed: ClusterError | None = None
    ) -> None:
        """For ever; `failed` is why not at once."""
        failures = 0
        while True:
            scope.again.clear()
            try:
                if failed is None:
                    await self._watch(scope, namespace)
            except ClusterError as error:
                failed = error.with_traceback(None)  # it would hold on to what was read
            except _GaveWay:
                return
            except Exception:
                # Whatever it was: without this watch, nobody would see what happens.
                log.exception("clusters.unwatched", cluster=self._cluster.id, kind=self.kind.kind)
                failed = ClusterError(ClusterFault.UNAVAILABLE, "It can't be watched now.")
            forbidden = failed.fault is ClusterFault.FORBIDDEN
            if forbidden and namespace is None and self._namespaced:
                self._narrow_down(failed)
                return
            failures = 0 if scope.trouble() is None else failures + 1
            self._fail(scope, failed, namespace)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause(failed, failures)):
                    await scope.again.wait()
            failed = None

    async def _watch(self, scope: _Scope, namespace: str | None) -> NoReturn:
        """Watches until that makes no sense any more, or takes another connection.

        Raises ClusterError.
        """
        if self._watches.locked():
            busy = f"This server watches {MOST_WATCHES} places of a cluster at once, its most."
            self._interrupt(scope, ClusterError(ClusterFault.THROTTLED, busy))
        async with self._watches, self._connect(self._cluster) as client:
            resource = await client.resources.find(self.kind.api_version, self.kind.kind)
            self._namespaced = resource.namespaced
            events = watch(
                client,
                resource.path(namespace=namespace),
                label_selector=SELECTOR,
                rhythm=self._rhythm,
                metadata_only=self._holds_data,
                opened=lambda: self._recover(scope),
                arrived=lambda one: self._arrived(scope, one),
            )
            async with aclosing(events):
                async for event in events:
                    self._take(scope, namespace, event)
                    if client.closed and isinstance(event, Interrupted):
                        raise event.error
                    del event  # it may be a list of what will not be there any more
        raise ClusterError(ClusterFault.UNAVAILABLE, "The watch has ended.")

    @property
    def _holds_data(self) -> bool:
        return (self.kind.api_version, self.kind.kind) in _HOLDS_DATA

    def _pause(self, error: ClusterError, failures: int) -> float:
        if isinstance(error, Overfull):
            return _REST * random.uniform(1, 1.2)  # noqa: S311
        most = min(_LONGEST_PAUSE, self._rhythm.pause * 2.0 ** min(failures, 10))
        if error.fault in _REFUSED:
            most = _RARELY
        return max(error.retry_after or 0.0, most * random.uniform(0.5, 1))  # noqa: S311

    def _narrow_down(self, error: ClusterError) -> None:
        self._wide, self._narrowed = None, error
        gone = self._put_all({}, within=None)
        self._fit()
        self._told(self.kind, gone)

    def _take(self, scope: _Scope, namespace: str | None, event: Event) -> None:
        match event:
            case Snapshot(objects):
                found = {key: one for one in objects if (key := self._key(one, namespace))}
                touched = self._put_all(found, within=namespace)
                news = touched or scope.trouble() is not None
                scope.listed, scope.hopeless, scope.error = True, False, None
                if news:
                    self._told(self.kind, touched)
            case Changed(type=type_, object=one):
                key = self._key(one, namespace)
                if key is not None:
                    self._told(self.kind, self._put(key, None if type_ == "DELETED" else one))
            case Interrupted(error=error):
                self._interrupt(scope, error)

    def _interrupt(self, scope: _Scope, error: ClusterError) -> None:
        """What is known stays, and is said to be uncertain."""
        scope.error = error.with_traceback(None)
        self._told(self.kind, ())

    def _recover(self, scope: _Scope) -> None:
        if scope.error is not None:
            scope.error = None
            self._told(self.kind, ())

    def _fail(self, scope: _Scope, error: ClusterError, namespace: str | None) -> None:
        gone = self._put_all({}, within=namespace) if is_not_served(error) else set()
        scope.error = error
        scope.hopeless = error.fault in _HOPELESS or isinstance(error, Overfull)
        self._told(self.kind, gone)

    def _key(self, one: Object, namespace: str | None) -> _Key | None:
        metadata = part(one, "metadata")
        inside, name = word(metadata, "namespace"), word(metadata, "name")
        return (inside, name) if name and namespace in {None, inside} else None

    def _put_all(self, found: Mapping[_Key, Object], *, within: str | None) -> set[str]:
        """Exactly these objects there; the labels of the workflows for which that is a change."""
        known = [key for key in self._objects if within is None or key[0] == within]
        touched: set[str] = set()
        for key in known:
            if key not in found:
                touched |= self._put(key, None)
        for key, one in found.items():
            old = self._objects.get(key)
            if old is None or _version(old) != _version(one) or not _version(one):
                touched |= self._put(key, one)
        return touched

    def _put(self, key: _Key, one: Object | None) -> set[str]:
        touched: set[str] = set()
        old = self._objects.pop(key, None)
        if old is not None:
            workflow = workflow_of(old)
            touched.add(workflow)
            own = self._of[workflow]
            del own[key]
            if not own:
                del self._of[workflow]
        if one is not None and (workflow := workflow_of(one)):
            self._objects[key] = one
            self._of.setdefault(workflow, {})[key] = one
            touched.add(workflow)
        return touched

    def _arrived(self, scope: _Scope, one: Object) -> Object:
        """What is kept of an object: not what nobody looks at, and no value of a Secret.

        Raises _GaveWay when there is no room for it.
        """
        typed = {"apiVersion": self.kind.api_version, "kind": self.kind.kind}
        if self._holds_data:
            one = {name: one[name] for name in _KEPT_OF_DATA if name in one}
        kept = Kept({**trimmed(one), **typed}, self.room)
        self._grown()
        if scope.task is not asyncio.current_task():
            raise _GaveWay
        return kept


def is_not_served(error: ClusterError) -> bool:
    """Whether the trouble with a kind is that the cluster does not have it: then it has no objects.

    That a cluster was removed is NOT_FOUND too, and nobody answered that.
    """
    return error.fault is ClusterFault.NOT_FOUND and error.status is not None


def workflow_of(one: Mapping[str, Any]) -> str:
    """The label that says whose the object is; empty when it has none."""
    return word(part(one, "metadata", "labels"), labels.WORKFLOW_ID)


def _version(one: Object) -> str:
    return word(part(one, "metadata"), "resourceVersion")
