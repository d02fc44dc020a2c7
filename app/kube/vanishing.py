"""Waiting until a deleted object is gone: finalizers take their time."""

import asyncio
from contextlib import aclosing

from app.domain.planning.objects import ObjectKey, name_of, uid_of
from app.kube.client import KubeClient
from app.kube.watching import Changed, Snapshot, watch


async def vanished(client: KubeClient, key: ObjectKey, uid: str, *, seconds: float) -> bool:
    """Whether the object with this uid is gone, or goes within so many seconds.

    Raises ClusterError when it cannot be watched.
    """
    resource = await client.resources.find(key.api_version, key.kind)
    path = resource.path(namespace=key.namespace)
    try:
        async with (
            asyncio.timeout(seconds),
            aclosing(watch(client, path, field_selector=f"metadata.name={key.name}")) as events,
        ):
            async for event in events:
                if isinstance(event, Snapshot):
                    if uid not in map(uid_of, event.objects):
                        return True
                elif isinstance(event, Changed) and name_of(event.object) == key.name:
                    same = uid_of(event.object) == uid
                    if (event.type == "DELETED") is same:
                        return True
    except TimeoutError:
        pass
    return False
