"""What controllers see of the cluster, and the queue of what they still have to look at.

Everything is level-triggered: a change, or a time that has come, puts an object into the queue, and
whoever looks after its kind compares what is with what should be. Nobody is told what happened.
"""

import heapq
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple

from app.sandbox.admission.defaults import default
from app.sandbox.admission.preparing import prepare
from app.sandbox.errors import ApiError
from app.sandbox.objects import Object, copied, is_leaving, uid_of
from app.sandbox.resources import Registry, Resource
from app.sandbox.store import Event, Store, stamp

_AT_ONCE = 20
"""Writes that are taken in before everybody else has a turn."""

_SOON = 0.001
"""Seconds of the cluster that a look later is later at least: what is left of a sum of fractions
must not be due at once, for ever."""

Trigger = Callable[["World", Event], Iterable["Key"]]
"""Which other objects have to be looked at after a change."""


class Key(NamedTuple):
    """One object's place. `namespace` is "" for kinds of the whole cluster."""

    resource: Resource
    namespace: str
    name: str


def key_of(resource: Resource, obj: Object) -> Key:
    metadata = obj["metadata"]
    namespace = metadata.get("namespace", "") if resource.namespaced else ""
    return Key(resource, namespace, metadata["name"])


class World:
    """The objects by owner, the queue, and time as this cluster knows it.

    `now()` counts seconds of the cluster, which pass `speed` times faster than ours. `memory` is
    what a controller wants to remember of an object, by its uid and the controller's own word; it
    is forgotten with the object.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        speed: float,
        triggers: Iterable[Trigger],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._clock = clock
        self.store = store
        self.registry = registry
        self.speed = speed
        self.memory: dict[str, dict[str, Any]] = {}
        self._triggers = tuple(triggers)
        self._queue: dict[Key, None] = {}
        self._due: list[tuple[float, int, Key]] = []
        self._soonest: dict[Key, float] = {}
        self._ticket = 0
        self._live: dict[str, Key] = {}
        self._kinds: dict[Resource, set[str]] = {}
        self._owned: dict[str, dict[str, Key]] = {}
        self._ownerless: dict[tuple[Resource, str], dict[str, Key]] = {}
        self._version = store.version
        for resource in registry:
            for obj in store.list(resource):
                self._know(resource, obj)
                self._queue[key_of(resource, obj)] = None

    # Time

    def now(self) -> float:
        """Seconds of the cluster's time, from an unknown beginning."""
        return self._clock() * self.speed

    def stamp(self) -> str:
        """This moment, as Kubernetes writes it."""
        return stamp(self.store.now())

    def since(self, obj: Object) -> float:
        """How many of the cluster's seconds ago an object was made."""
        made = self.remembered(obj).setdefault("made", self.now() - self._age(obj))
        return max(self.now() - float(made), 0.0)

    def _age(self, obj: Object) -> float:
        """For what was there before us; what has just been made is 0 seconds old."""
        made = datetime.fromisoformat(obj["metadata"]["creationTimestamp"])
        age = (self.store.now() - made) / timedelta(seconds=1)
        return (age - 1) * self.speed if age > 2 else 0.0

    def after(self, seconds: float, resource: Resource, obj: Object) -> None:
        """Look at an object again when so many of the cluster's seconds are over."""
        key, at = key_of(resource, obj), self.now() + max(seconds, _SOON)
        if self._soonest.get(key, at + 1) <= at:
            return
        self._ticket += 1
        self._soonest[key] = at
        heapq.heappush(self._due, (at, self._ticket, key))

    def patience(self) -> float | None:
        """Seconds of ours until something is due; None: nothing is."""
        return max(self._due[0][0] - self.now(), 0.0) / self.speed if self._due else None

    # The queue

    def absorb(self) -> bool:
        """Take in some of what has been written since the last time; tells whether that was all.

        Nothing may be looked at before it is: whoever makes what somebody has just made makes two.
        """
        if self.store.version == self._version:
            return True
        try:
            events = self.store.since(self._version)
        except ApiError:  # more was written than history holds
            self._again()
            return True
        for event in events[:_AT_ONCE]:
            self._version = event.version
            self._take(event)
        return len(events) <= _AT_ONCE

    def next(self) -> Key | None:
        """The next object that has to be looked at."""
        while self._due and self._due[0][0] <= self.now():
            at, _, key = heapq.heappop(self._due)
            if self._soonest.get(key) == at:
                del self._soonest[key]
            self._queue[key] = None
        if not self._queue:
            return None
        key = next(iter(self._queue))
        del self._queue[key]
        return key

    @property
    def version(self) -> int:
        """The last write that was taken in."""
        return self._version

    def look(self, resource: Resource, obj: Object) -> None:
        """Have an object looked at."""
        self._queue[key_of(resource, obj)] = None

    def _take(self, event: Event) -> None:
        resource, obj = event.resource, event.object
        self._queue[key_of(resource, obj)] = None
        if event.previous is not None:
            self._disown(resource, event.previous)
        if event.type == "DELETED":
            self._forget(obj)
        if event.type != "DELETED":
            self._know(resource, obj)
        owners = {*_owners(obj), *_owners(event.previous or {})}
        for uid in owners:
            if uid in self._live:
                self._queue[self._live[uid]] = None
        for trigger in self._triggers:
            for key in trigger(self, event):
                self._queue[key] = None

    def _know(self, resource: Resource, obj: Object) -> None:
        uid, key = uid_of(obj), key_of(resource, obj)
        self._live[uid] = key
        self._kinds.setdefault(resource, set()).add(uid)
        for owner in _owners(obj):
            self._owned.setdefault(owner, {})[uid] = key
        if resource.namespaced and not obj["metadata"].get("ownerReferences"):
            self._ownerless.setdefault((resource, key.namespace), {})[uid] = key

    def _disown(self, resource: Resource, obj: Object) -> None:
        place = (resource, key_of(resource, obj).namespace)
        self._ownerless.get(place, {}).pop(uid_of(obj), None)
        for owner in _owners(obj):
            owned = self._owned.get(owner)
            if owned is not None:
                owned.pop(uid_of(obj), None)
                if not owned:
                    del self._owned[owner]

    def _forget(self, obj: Object) -> None:
        uid = uid_of(obj)
        key = self._live.pop(uid, None)
        if key is not None:
            self._kinds[key.resource].discard(uid)
        self.memory.pop(uid, None)
        for dependent in self._owned.get(uid, {}).values():
            self._queue[dependent] = None

    def _again(self) -> None:
        """Begin anew from what is there."""
        self._version = self.store.version
        self._live.clear()
        self._kinds.clear()
        self._owned.clear()
        self._ownerless.clear()
        for resource in self.registry:
            for obj in self.store.list(resource):
                self._know(resource, obj)
                self._queue[key_of(resource, obj)] = None
        self.memory = {uid: kept for uid, kept in self.memory.items() if uid in self._live}

    # Reading

    def of(self, kind: str, group: str | None = None) -> Resource:
        return self.registry.of(kind, group)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.store.get(self.of(kind), namespace, name)

    def list(self, kind: str, namespace: str | None = None) -> list[Object]:
        return self.store.list(self.of(kind), namespace)

    def at(self, key: Key) -> Object | None:
        return self.store.get(key.resource, key.namespace, key.name)

    def lives(self, uid: str) -> Key | None:
        """Where the object of this uid is, if it still is."""
        return self._live.get(uid)

    def count(self, kind: str) -> int:
        """How many objects of a kind there were when writes were last taken in."""
        return len(self._kinds.get(self.of(kind), ()))

    def dependents(self, owner: Object) -> Iterator[tuple[Key, Object]]:
        """Everything that names this owner."""
        for key in list(self._owned.get(uid_of(owner), {}).values()):
            obj = self.at(key)
            if obj is not None:
                yield key, obj

    def ownerless(self, resource: Resource, namespace: str) -> Iterator[Object]:
        """The objects of a kind in a namespace that name no owner."""
        for key in list(self._ownerless.get((resource, namespace), {}).values()):
            obj = self.at(key)
            if obj is not None:
                yield obj

    def remembered(self, obj: Object) -> dict[str, Any]:
        return self.memory.setdefault(uid_of(obj), {})

    # Writing

    def create(self, resource: Resource, obj: Object) -> Object | None:
        """Make an object as the server would; None where its namespace takes nothing in."""
        namespace = obj["metadata"].get("namespace", "")
        if resource.namespaced:
            place = self.get("Namespace", "", namespace)
            if place is None or is_leaving(place):
                return None
        made = copied(obj)
        made["metadata"].setdefault("uid", str(uuid.uuid4()))
        default(resource, made)
        prepare(self.store, resource, made, None)
        return self.store.create(resource, made)

    def update(self, resource: Resource, obj: Object, **changes: Any) -> Object:
        """Store an object with other top-level fields than it has."""
        return self.store.update(resource, {**obj, **changes})

    def annotate(self, resource: Resource, obj: Object, **metadata: Any) -> Object:
        """Store an object with other fields in its metadata; None removes one."""
        changed = {**obj["metadata"], **metadata}
        kept = {name: value for name, value in changed.items() if value is not None}
        return self.update(resource, obj, metadata=kept)

    def release(self, resource: Resource, obj: Object, finalizer: str) -> None:
        """Take a finalizer from an object, which may have changed since."""
        live = self.at(key_of(resource, obj))
        if live is not None and uid_of(live) == uid_of(obj):
            kept = [each for each in live["metadata"].get("finalizers") or () if each != finalizer]
            self.annotate(resource, live, finalizers=kept or None)

    def status(self, resource: Resource, obj: Object, status: Object) -> Object:
        """Store another status, if it is another; what is None is left out."""
        kept = {name: value for name, value in status.items() if value is not None}
        if kept == obj.get("status"):
            return obj
        return self.store.update(resource, {**obj, "status": kept}, subresource="status")

    def delete(
        self,
        resource: Resource,
        obj: Object,
        *,
        propagation: str | None = None,
        grace: int | None = None,
    ) -> None:
        """Delete an object, as it is meant: another one of its name stays."""
        metadata = obj["metadata"]
        live = self.store.get(resource, metadata.get("namespace"), metadata["name"])
        if live is not None and uid_of(live) == uid_of(obj):
            self.store.delete(
                resource,
                metadata.get("namespace"),
                metadata["name"],
                propagation=propagation,
                grace=grace,
            )


def _owners(obj: Object) -> Iterator[str]:
    for reference in obj.get("metadata", {}).get("ownerReferences") or ():
        yield str(reference.get("uid", ""))
