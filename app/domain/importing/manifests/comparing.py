"""What a source says and the objects of its canvas don't: place by place, whatever it is.

Nothing here knows what nodes can say, so nothing can be forgotten. Names of volumes are compared by
what the volumes are, and entries of lists by what they are called: an order is no difference.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from app.domain import labels, quantity
from app.domain.importing.imported import ImportCode
from app.domain.importing.manifests.defaults import ASSIGNED, SERVED, says_nothing
from app.domain.importing.manifests.metadata import WRITTEN, written_labels
from app.domain.importing.manifests.objects import Path, Source, at, items, mapping
from app.domain.importing.manifests.scene import main_container, template_of

_CALLED = ("mountPath", "devicePath", "containerPort", "port", "name", "key", "host", "path")
"""What entries of a list are called by, the best first."""
_OURS = {labels.INSTANCE, labels.MANAGED_BY, labels.NODE_ID, labels.WORKFLOW_ID}
_WHOLE = {"selector", "podSelector"}
"""Parts that mean something as a whole only."""
_ENTRIES = {("metadata", "annotations"), ("metadata", "labels")}
_MOST_TRIES = 20_000
_CLAIM = {("apiVersion",), ("kind",), ("status",)}


class Difference(NamedTuple):
    path: Path
    code: ImportCode


def differences(source: Source, made: Mapping[str, Any]) -> Iterator[Difference]:
    """Every place of a source that the object made of it lacks, or has with another value."""
    if source.written_as != made.get("apiVersion"):
        yield Difference(("apiVersion",), ImportCode.CHANGED)
    ours, theirs = _plain(source, source.object), _plain(source, made)
    for key in ours:
        if key not in ("apiVersion", "kind", "status", "metadata"):
            yield from _field(ours, theirs, (key,), source)
    for key in ours["metadata"]:
        if key not in SERVED:
            path = ("metadata", key)
            yield from _field(ours["metadata"], theirs["metadata"], path, source)


def _field(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], path: Path, source: Source
) -> Iterator[Difference]:
    """The differences of the field that is the last step of the path."""
    key = path[-1]
    value = ours[key]
    if value is None or _is_served(key, path, source):
        return
    if key in theirs:
        yield from _compared(value, theirs[key], path, source)
    elif path in _ENTRIES and isinstance(value, Mapping):
        yield from _compared(value, {}, path, source)
    elif not says_nothing(key, value, ours) and (value not in ({}, [], "") or key == "emptyDir"):
        yield Difference(path, ImportCode.IGNORED)


def _is_served(key: str, path: Path, source: Source) -> bool:
    """Whether a server, a controller or the workflow that the source comes from has written it."""
    parent = path[-2] if len(path) > 1 else ""
    if parent == "annotations":
        return key in WRITTEN
    if parent == "labels":
        return key in written_labels(source) or (key in _OURS and source.workflow is not None)
    if source.kind == "Service":
        return key in ASSIGNED and path[:-1] == ("spec",)
    if source.kind == "Job":
        return path == ("spec", "selector")
    claim = path[3:] if path[:2] == ("spec", "volumeClaimTemplates") else ()
    return claim in _CLAIM or path[-2:] == ("metadata", "creationTimestamp")


def _compared(ours: Any, theirs: Any, path: Path, source: Source) -> Iterator[Difference]:
    if path[-1] in _WHOLE and isinstance(ours, Mapping):
        if ours != theirs and not _is_own_selector(ours, source):
            yield Difference(path, ImportCode.CHANGED)
    elif isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in ours:
            yield from _field(ours, theirs, (*path, key), source)
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from _listed(ours, theirs, path, source)
    elif not _same(ours, theirs, path):
        yield Difference(path, ImportCode.CHANGED)


def _is_own_selector(selector: Mapping[str, Any], source: Source) -> bool:
    """Whether it is one that every workflow makes anew, of its own id."""
    keys = set(mapping(at(selector, "matchLabels")) or selector)
    return source.workflow is not None and labels.WORKFLOW_ID in keys <= _OURS


def _same(ours: Any, theirs: Any, path: Path) -> bool:
    if isinstance(ours, bool) is not isinstance(theirs, bool):
        return False
    if ours == theirs:
        return True
    if path[-2:-1] in (("limits",), ("requests",)) and not isinstance(ours, Mapping | list):
        try:
            return quantity.amount(str(ours)) == quantity.amount(str(theirs))
        except ValueError:
            return False
    return False


# -------------------------------------------------------------------------------------- lists


def _listed(
    ours: Sequence[Any], theirs: Sequence[Any], path: Path, source: Source
) -> Iterator[Difference]:
    partners = _partners(ours, theirs, path, source)
    for i, item in enumerate(ours):
        here = (*path, str(i))
        if i in partners:
            yield from _compared(item, theirs[partners[i]], here, source)
        elif item is not None:
            yield Difference(here, ImportCode.IGNORED)


def _partners(
    ours: Sequence[Any], theirs: Sequence[Any], path: Path, source: Source
) -> dict[int, int]:
    """Which entry of the result stands for which one of the source."""
    if path == (*template_of(source), "spec", "containers"):
        return {main_container(ours, source.name): 0} if ours else {}
    if not all(isinstance(item, Mapping) for item in (*ours, *theirs)):
        return {i: i for i in range(min(len(ours), len(theirs)))}
    free: dict[Any, list[int]] = {}
    for j, item in enumerate(theirs):
        free.setdefault(_called(item), []).append(j)
    found: dict[int, int] = {}
    taken: set[int] = set()
    few = len(ours) * len(theirs) <= _MOST_TRIES
    for i, item in enumerate(ours):
        called = _called(item)
        options = [j for j in free.get(called, ()) if j not in taken]
        if few and len(options) > 1:
            options.sort(key=lambda j: len(list(_compared(item, theirs[j], path, source))))
        if options and (called is not None or _equal(item, theirs[options[0]], path, source)):
            found[i] = options[0]
            taken.add(options[0])
        elif called is not None and called in free:
            twin = free[called][0]  # the same volume under two names
            if _equal(item, theirs[twin], path, source):
                found[i] = twin
    for i in range(min(len(ours), len(theirs))):
        if i not in found and i not in taken:
            found[i] = i
    return found


def _equal(ours: Any, theirs: Any, path: Path, source: Source) -> bool:
    return next(_compared(ours, theirs, path, source), None) is None


def _called(item: Mapping[str, Any]) -> Any:
    for key in _CALLED:
        if isinstance(item.get(key), str | int):
            return key, item[key]
    return None


# -------------------------------------------------------------------------------------- pods


def _plain(source: Source, value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object with its volumes called by what they are: their names mean nothing outside."""
    path = (*template_of(source), "spec")
    pod = at(value, *path)
    if not isinstance(pod, Mapping) or not isinstance(pod.get("volumes"), list):
        return value
    names = {}
    for _, volume in items(pod["volumes"]):
        about = {key: _without_defaults(item) for key, item in volume.items() if key != "name"}
        names[str(volume.get("name"))] = json.dumps(about, sort_keys=True, default=str)
    renamed = {
        **pod,
        "volumes": [_renamed(volume, names) for volume in pod["volumes"]],
        "containers": [
            {**c, **{k: _all(c[k], names) for k in ("volumeMounts", "volumeDevices") if k in c}}
            if isinstance(c, Mapping)
            else c
            for c in (pod.get("containers") or [])
        ],
    }
    return _with(value, path, renamed)


def _without_defaults(about: Any) -> Any:
    if not isinstance(about, Mapping):
        return about
    return {k: v for k, v in about.items() if not says_nothing(k, v, about)}


def _all(entries: Any, names: Mapping[str, str]) -> Any:
    return [_renamed(e, names) for e in entries] if isinstance(entries, list) else entries


def _renamed(entry: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(entry, Mapping) or "name" not in entry:
        return entry
    return {**entry, "name": names.get(str(entry["name"]), entry["name"])}


def _with(value: Mapping[str, Any], path: Path, part: Any) -> Mapping[str, Any]:
    if not path:
        return part  # type: ignore[no-any-return]
    return {**value, path[0]: _with(value[path[0]], path[1:], part)}
