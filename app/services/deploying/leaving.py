"""Waits until an object that was deleted is gone: by watching it alone, whatever labels it has."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Any

from app.domain.errors import ClusterError
from app.domain.health import Health, HealthState, health
from app.domain.planning import ObjectKey
from app.domain.planning.objects import Object, name_of, uid_of
from app.kube.applying import read
from app.kube.client import KubeClient
from app.kube.watching import Changed, Interrupted, Snapshot, watch
from app.services.deploying.trying import Late, Trying

_GRACE = 10.0
"""Seconds for an object to go that is to be made anew, when its run is cancelled. What holds it for
longer may hold it for ever."""
_LOOK_AGAIN = 2.0
"""Seconds between two looks at what may not be watched."""

Tell = Callable[[Health], None]


async def gone(
    client: KubeClient,
    key: ObjectKey,
    uid: str | None,
    trying: Trying,
    *,
    tell: Tell,
    now: Callable[[], datetime],
    to_the_end: bool = False,
) -> None:
    """Returns when no object has this name and uid any more; `tell` hears what keeps it.

    Raises Late, ClusterError, and Left: who waits `to_the_end` goes on for some seconds.
    """

    async def seen(live: Object | None) -> bool:
        if live is None or uid_of(live) != uid:
            return True
        tell(health({**live, "apiVersion": key.api_version, "kind": key.kind}, now=now()))
        return False

    async def wait() -> None:
        async with aclosing(_states(client, key, trying, to_the_end=to_the_end)) as states:
            async for live in states:
                if await seen(live):
                    return

    try:
        async with asyncio.timeout_at(trying.deadline):
            await trying.unless_cancelled(wait(), grace=_GRACE if to_the_end else 0.0)
    except TimeoutError:
        raise Late from None


async def _states(
    client: KubeClient, key: ObjectKey, trying: Trying, *, to_the_end: bool
) -> AsyncGenerator[Object | None, None]:
    """The object now, and whenever it changes; None when there is none."""

    async def look() -> Object | None:
        return await trying.asked(lambda _: read(client, named(key)), to_the_end=to_the_end)

    yield await look()
    try:
        resource = await client.resources.find(key.api_version, key.kind)
        path = resource.path(namespace=key.namespace)
        events = watch(client, path, field_selector=f"metadata.name={key.name}")
        async with aclosing(events):
            async for event in events:
                match event:
                    case Snapshot(objects):
                        yield next((one for one in objects if name_of(one) == key.name), None)
                    case Changed(type=type_, object=one):
                        yield None if type_ == "DELETED" else one
                    case Interrupted():
                        pass
    except ClusterError:
        # It may not be watched; then it has to be looked at.
        while True:
            await asyncio.sleep(_LOOK_AGAIN)
            yield await look()


def named(key: ObjectKey) -> dict[str, Any]:
    """As much of a manifest as says which object is meant."""
    metadata = {"name": key.name, "namespace": key.namespace}
    return {"apiVersion": key.api_version, "kind": key.kind, "metadata": metadata}


GONE = Health(HealthState.MISSING, "NotFound", "It is not on the cluster.")
