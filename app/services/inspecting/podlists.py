"""The pods of a node: those that carry its labels, whatever made them."""

from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from app.domain.diagnosing import pod_seen
from app.domain.inspecting import PodSeen
from app.kube import paths
from app.kube.listing import items, pages
from app.services.checking import Connect
from app.services.inspecting.whereabouts import Whereabouts

MOST = 500
"""Pods that are answered."""
_READ = 2_000
"""Pods that are read to find the newest of them."""
_PAGE = 250
_LARGEST = 16 * 2**20
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class PodLists:
    """Lists pods."""

    def __init__(self, *, connect: Connect, now: Callable[[], datetime]) -> None:
        self._connect = connect
        self._now = now

    async def pods(self, where: Whereabouts | None) -> list[PodSeen]:
        """The newest pods of a node, the newest first. Raises ClusterError."""
        if where is None:
            return []
        found: list[dict[str, Any]] = []
        async with self._connect(where.cluster) as client:
            for namespace in where.namespaces:
                path = paths.resource("v1", "pods", namespace=namespace)
                asked = {"labelSelector": where.selector}
                read = pages(client, path, params=asked, page=_PAGE, largest=_LARGEST)
                async with aclosing(read):
                    async for page in read:
                        found += items(page)
                        if len(found) >= _READ:
                            break
        now = self._now()
        seen = [pod_seen({**pod, "kind": "Pod"}, now=now) for pod in found[:_READ]]
        seen.sort(key=lambda pod: pod.name)
        seen.sort(key=lambda pod: pod.created_at or _LONG_AGO, reverse=True)
        return seen[:MOST]
