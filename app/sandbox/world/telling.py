"""Events, as `kubectl describe` prints them: one for each thing that is said, with a count."""

import secrets

from app.sandbox.objects import Object, copied
from app.sandbox.resources import Resource
from app.sandbox.world import World

_MOST = 2_000
"""Events that are kept; in a real cluster they are gone after an hour."""

_PAUSE = 5.0
"""Seconds in which the same is not said again: whoever looks twice has nothing new to say."""


def tell(
    world: World,
    resource: Resource,
    obj: Object,
    reason: str,
    message: str,
    *,
    source: str,
    warning: bool = False,
    host: str = "",
    path: str = "",
) -> None:
    """Say something about an object; said again, it is counted."""
    kind, metadata = world.of("Event"), obj["metadata"]
    said = world.remembered(obj).setdefault("events", {})
    now, key = world.stamp(), (reason, message, path)
    namespace = metadata.get("namespace") or "default"
    before = world.store.get(kind, namespace, said.get(key, ""))
    if before is not None:
        if world.now() - said[key, "at"] < _PAUSE:
            return
        said[key, "at"] = world.now()
        again = copied(before)
        again["count"] += 1
        again["lastTimestamp"] = now
        world.store.update(kind, again)
        return
    involved = {
        "kind": resource.kind,
        "namespace": metadata.get("namespace"),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": resource.api_version,
        "resourceVersion": metadata["resourceVersion"],
        "fieldPath": path or None,
    }
    origin = {"component": source, "host": host or None}
    made = world.create(
        kind,
        {
            "metadata": {
                "name": f"{metadata['name'][:236]}.{secrets.token_hex(8)}",
                "namespace": namespace,
            },
            "involvedObject": {name: value for name, value in involved.items() if value},
            "reason": reason,
            "message": message,
            "source": {name: value for name, value in origin.items() if value},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": "Warning" if warning else "Normal",
            "eventTime": None,
            "reportingComponent": source,
            "reportingInstance": host,
        },
    )
    if made is not None:
        said[key], said[key, "at"] = made["metadata"]["name"], world.now()
        _bound(world, kind)


def _bound(world: World, kind: Resource) -> None:
    kept = world.memory.setdefault("events", {"made": 0})
    kept["made"] += 1
    if kept["made"] % 200:
        return
    events = world.store.list(kind)
    events.sort(key=lambda event: str(event["lastTimestamp"]))
    for event in events[: max(len(events) - _MOST, 0)]:
        world.delete(kind, event)
