"""What the cluster warns of while a run waits: Events, which explain and decide nothing.

Only they tell why a pod is not even made, or its volume not mounted. They carry no labels, so they
are watched by namespace, and only when a run waits for longer than most do.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing

from app.domain.errors import ClusterError
from app.domain.health.seen import part, word
from app.domain.planning.objects import Object
from app.kube.client import KubeClient
from app.kube.watching import Changed, Snapshot, watch

_AFTER = 5.0
"""Seconds until somebody listens."""
_MOST = 1_000
"""Events that are kept."""
_MOST_NAMESPACES = 10
"""Namespaces that are listened to: each takes a connection."""


class Warnings:
    """The warnings of some namespaces, by the uid of what they are about."""

    def __init__(
        self, client: KubeClient, namespaces: Iterable[str], *, heard: Callable[[], None]
    ) -> None:
        self._client = client
        self._namespaces = sorted(namespaces)[:_MOST_NAMESPACES]
        self._heard = heard
        self._about: dict[str, dict[str, Object]] = {}
        self._count = 0

    def of(self, uids: Iterable[str]) -> Sequence[Object]:
        """Those about some objects."""
        return [event for uid in uids for event in self._about.get(uid, {}).values()]

    async def keep(self) -> None:
        """Listens until it is cancelled, where that is allowed."""
        await asyncio.sleep(_AFTER)
        async with asyncio.TaskGroup() as group:
            for namespace in self._namespaces:
                group.create_task(self._listen(namespace))

    async def _listen(self, namespace: str) -> None:
        try:
            resource = await self._client.resources.find("v1", "Event")
            path = resource.path(namespace=namespace)
            events = watch(self._client, path, field_selector="type=Warning")
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Snapshot):
                        self._take(event.objects)
                    elif isinstance(event, Changed) and event.type != "DELETED":
                        self._take([event.object])
        except ClusterError:
            return  # then there are fewer explanations

    def _take(self, events: Iterable[Object]) -> None:
        for event in events:
            uid = word(part(event, "involvedObject"), "uid")
            if self._count >= _MOST:
                self._about.clear()
                self._count = 0
            own = self._about.setdefault(uid, {})
            name = word(part(event, "metadata"), "name")
            self._count += name not in own
            own[name] = event
        self._heard()
