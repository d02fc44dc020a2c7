"""Every object of the sandbox cluster, in memory, and the history that watches are told.

It knows versions, generations, finalizers and grace, and nothing of what an object means.
Admission (namespaces, defaults, validation, immutability, ownership) sits in front of it, for
writes over HTTP; controllers write here directly and are trusted.

Stored objects are never changed in place: a write puts a new one. So what `get`, `list` and
`since` hand out may be kept, and must not be mutated; `copied` makes one that may.

For controllers: a namespace that is deleted keeps `spec.finalizers` until `update(resource, obj,
subresource="finalize")` with an empty list; a pod on a node gets `deletionTimestamp` in the future
and goes with `delete(..., grace=0)`; `store.logs` is where a pretended kubelet writes. Nothing
here refuses to create in a namespace that is missing or Terminating.
"""

import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.sandbox.errors import ApiError, already_exists, conflict, expired, not_found
from app.sandbox.node.logs import Logs
from app.sandbox.objects import Object, copied, same
from app.sandbox.resources import Resource
from app.sandbox.waiting import Bell

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: no vowels, so that none is a word."""

_KEPT = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
    "generateName",
)
_ENTRY = ("manager", "operation", "apiVersion", "subresource")


@dataclass(frozen=True, slots=True)
class Event:
    """One write: `ADDED`, `MODIFIED` or `DELETED`. `previous` is the object before it."""

    version: int
    type: str
    resource: Resource
    object: Object
    previous: Object | None


def utc_now() -> datetime:
    """The clock of the cluster."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A time as Kubernetes writes it in metadata: whole seconds, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def generated(prefix: str) -> str:
    """A name from `generateName`."""
    return prefix[:58] + "".join(secrets.choice(SUFFIX) for _ in range(5))


class Store:
    """Synchronous: between two `await`s of its callers nothing else happens."""

    def __init__(self, *, history: int = 10_000, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.logs = Logs(now)
        # Not from 1: what a client remembers of a run before this one must be too old, never
        # by accident a version of this one.
        self.version = int(time.time() * 1_000) * 1_000
        self._oldest = self.version
        self._limit = history
        self._history: list[Event] = []
        self._objects: dict[tuple[str, str], dict[tuple[str, str], Object]] = {}
        self._bell = Bell()

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object | None:
        """The live object, or None. `namespace` is ignored for cluster-wide kinds."""
        return self._of(resource).get((_place(resource, namespace), name))

    def list(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        """The live objects by namespace and name; None or "" is every namespace."""
        found = self._of(resource)
        if namespace and resource.namespaced:
            return [found[key] for key in sorted(found) if key[0] == namespace]
        return [found[key] for key in sorted(found)]

    def create(
        self, resource: Resource, obj: Mapping[str, Any], *, dry_run: bool = False
    ) -> Object:
        """Store a new object; 409 when the name is taken. Sets what the server owns."""
        made = {"apiVersion": resource.api_version, "kind": resource.kind, **copied(dict(obj))}
        metadata = made["metadata"] = {**made.get("metadata", {})}
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = generated(metadata["generateName"])
        if not resource.namespaced:
            metadata.pop("namespace", None)
        key = (_place(resource, metadata.get("namespace")), metadata["name"])
        if key in self._of(resource):
            raise already_exists(resource, key[1])
        metadata.setdefault("uid", str(uuid.uuid4()))
        metadata["creationTimestamp"] = stamp(self.now())
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
            metadata.pop(name, None)
        if resource.generation:
            metadata["generation"] = 1
        if dry_run:
            metadata.pop("resourceVersion", None)
            return made
        return self._write("ADDED", resource, key, made, None)

    def update(
        self,
        resource: Resource,
        obj: Mapping[str, Any],
        *,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Replace an object; answers what is stored now.

        404 when there is none, 409 for a stale `resourceVersion` or another `uid`. Without a
        subresource `status` stays as it is (if the kind has the subresource); with `status` only
        that and `managedFields` are taken. A write that changes nothing bumps nothing and tells
        nobody. The last finalizer's removal removes an object that is being deleted.
        """
        given = obj.get("metadata", {})
        key = (_place(resource, given.get("namespace")), given.get("name", ""))
        live = self._of(resource).get(key)
        if live is None:
            raise not_found(resource, key[1])
        _check(resource, live, given)
        made = copied(dict(obj))
        metadata = made["metadata"] = {**made.get("metadata", {})}
        if subresource == "status":
            managed = metadata.get("managedFields")
            made = {**live, **({"status": made["status"]} if "status" in made else {})}
            metadata = made["metadata"] = {**live["metadata"]}
            if managed is not None:
                metadata["managedFields"] = managed
        elif resource.has_status:
            made.pop("status", None)
            if "status" in live:
                made["status"] = live["status"]
        made["apiVersion"], made["kind"] = resource.api_version, resource.kind
        for name in _KEPT:
            if name in live["metadata"]:
                metadata[name] = live["metadata"][name]
            else:
                metadata.pop(name, None)
        metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
        if _same(live, made):
            return live
        if resource.generation and subresource != "status" and not same(_body(live), _body(made)):
            metadata["generation"] = live["metadata"].get("generation", 0) + 1
        if dry_run:
            return made
        if _finished(made):
            return self._remove(resource, key, made)
        return self._write("MODIFIED", resource, key, made, live)

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        propagation: str | None = None,
        preconditions: Mapping[str, str] | None = None,
        grace: int | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Delete, or begin to: finalizers and a pod's grace period leave it `deletionTimestamp`.

        Answers the last state; `store.get(...) is None` tells that it is gone. `propagation` is
        `Background` (the default), `Foreground` or `Orphan`, which become finalizers for the
        garbage collector. `preconditions` has `uid` and `resourceVersion`. `grace` 0 is at once.
        """
        key = (_place(resource, namespace), name)
        live = self._of(resource).get(key)
        if live is None:
            raise not_found(resource, name)
        _preconditions(resource, live, preconditions or {})
        made = copied(live)
        metadata = made["metadata"]
        self._finalizers(metadata, propagation)
        seconds = _grace(resource, made, grace)
        since = metadata.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" not in metadata or seconds < since:
            metadata["deletionTimestamp"] = stamp(self.now() + timedelta(seconds=seconds))
            metadata["deletionGracePeriodSeconds"] = seconds
            if "generation" in metadata and since is None:
                metadata["generation"] += 1
        if resource.kind == "Namespace" and resource.group == "":
            made["status"] = {**made.get("status", {}), "phase": "Terminating"}
        if dry_run or _same(live, made):
            return live if not dry_run else made
        if _finished(made):
            return self._remove(resource, key, made)
        return self._write("MODIFIED", resource, key, made, live)

    def since(self, version: int) -> Sequence[Event]:
        """Every event after a version; ApiError 410 when that is not in memory (any more)."""
        if version < self._oldest or version > self.version:
            raise expired(f"too old resource version: {version} ({self._oldest})")
        return self._history[version - self._oldest :]

    async def beyond(self, version: int) -> int:
        """Wait for a write after this version (or to be woken without one); answers the newest."""
        if self.version > version:
            return self.version
        await self._bell.heard()
        return self.version

    def wake(self) -> None:
        """Wake whoever waits in `beyond`: after a write, and when the cluster closes."""
        self._bell.ring()

    @property
    def oldest(self) -> int:
        """The oldest version from which a watch may begin."""
        return self._oldest

    def compact(self) -> None:
        """Forget all history, as etcd does from time to time."""
        self._history.clear()
        self._oldest = self.version

    def _of(self, resource: Resource) -> dict[tuple[str, str], Object]:
        return self._objects.setdefault((resource.group, resource.plural), {})

    @staticmethod
    def _finalizers(metadata: Object, propagation: str | None) -> None:
        """What the garbage collector has to do first stands in the object itself."""
        if propagation is None:
            return
        names = [n for n in metadata.get("finalizers", []) if n not in (FOREGROUND, ORPHAN)]
        names += {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(propagation, [])
        if names:
            metadata["finalizers"] = names
        else:
            metadata.pop("finalizers", None)

    def _remove(self, resource: Resource, key: tuple[str, str], last: Object) -> Object:
        previous = self._of(resource).pop(key)
        return self._tell("DELETED", resource, last, previous)

    def _write(
        self,
        type_: str,
        resource: Resource,
        key: tuple[str, str],
        made: Object,
        live: Object | None,
    ) -> Object:
        self._of(resource)[key] = made
        return self._tell(type_, resource, made, live)

    def _tell(self, type_: str, resource: Resource, obj: Object, previous: Object | None) -> Object:
        """Every write is one version and one event, so that history is found by counting."""
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self._history.append(Event(self.version, type_, resource, obj, previous))
        if len(self._history) > 2 * self._limit:
            del self._history[: -self._limit]
            self._oldest = self.version - self._limit
        self.wake()
        return obj


def _place(resource: Resource, namespace: str | None) -> str:
    return (namespace or "") if resource.namespaced else ""


def _check(resource: Resource, live: Object, given: Mapping[str, Any]) -> None:
    version, uid = given.get("resourceVersion"), given.get("uid")
    if uid and uid != live["metadata"]["uid"]:
        raise stale(resource, live, "uid", uid)
    if version and version != live["metadata"]["resourceVersion"]:
        raise conflict(resource, live["metadata"]["name"])


def _preconditions(resource: Resource, live: Object, wanted: Mapping[str, str]) -> None:
    for field in ("uid", "resourceVersion"):
        want = wanted.get(field)
        if want and want != live["metadata"][field]:
            raise stale(resource, live, field, want)


def stale(resource: Resource, live: Object, field: str, wanted: str) -> ApiError:
    """409: the object is not the one that was meant (`uid`), or no longer as it was."""
    word, happened = {
        "uid": ("UID", "deleted and then recreated"),
        "resourceVersion": ("ResourceVersion", "modified"),
    }[field]
    why = (
        f"the {word} in the precondition ({wanted}) does not match the {word} in record "
        f"({live['metadata'][field]}). The object might have been {happened}"
    )
    # The kind stands here, and here alone, where else the resource does.
    name = live["metadata"]["name"]
    message = f'Operation cannot be fulfilled on {resource.qualified_kind} "{name}": {why}'
    return ApiError(409, "Conflict", message, resource=resource, kind=resource.kind, name=name)


def _grace(resource: Resource, obj: Object, asked: int | None) -> int:
    """Only pods on a node, that still run, are given time."""
    if resource.kind != "Pod" or resource.group:
        return 0
    spec = obj.get("spec", {})
    ended = obj.get("status", {}).get("phase") in ("Succeeded", "Failed")
    if ended or not spec.get("nodeName"):
        return 0
    return int(spec.get("terminationGracePeriodSeconds", 30) if asked is None else max(asked, 0))


def _finished(obj: Object) -> bool:
    """Whether nothing holds an object any more that is being deleted."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if metadata.get("deletionGracePeriodSeconds"):
        return False
    return not (obj["kind"] == "Namespace" and obj.get("spec", {}).get("finalizers"))


def _body(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _same(live: Object, made: Object) -> bool:
    """Whether a write changes nothing; the times in managedFields are no change.

    A server-side apply of `1000m` over `1` seems to be one until the quantity has its canonical
    form, and must not make a new version.
    """
    before, after = _timeless(live), _timeless(made)
    return before == after and same(before, after)


def _timeless(obj: Object) -> Object:
    found = [{**entry, "time": None} for entry in obj["metadata"].get("managedFields") or ()]
    found.sort(key=lambda entry: [str(entry.get(name)) for name in _ENTRY])
    return {**obj, "metadata": {**obj["metadata"], "managedFields": found}}
