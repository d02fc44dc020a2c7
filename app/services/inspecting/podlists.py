"""The pods of a node: those that carry its labels, whatever made them."""

from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime

from app.domain.diagnosing import pod_seen
from app.domain.inspecting import PodSeen
from app.kube import paths
from app.kube.listing import items, pages
from app.kube.weighing import MIB, Budget
from app.services.checking import Connect
from app.services.inspecting.whereabouts import Whereabouts

MOST = 500
"""Pods that are answered."""
_READ = 2_000
"""Pods that are read to find the newest of them."""
_PAGE = 250
_HEAVIEST = 96 * MIB
"""Bytes of memory that all pages may take: four times what so many pods do."""
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class PodLists:
    """Lists pods."""

    def __init__(self, *, connect: Connect, now: Callable[[], datetime]) -> None:
        self._connect = connect
        self._now = now

    async def pods(self, where: Whereabouts | None) -> list[PodSeen]:
        """The newest pods of a node, the newest first. Raises ClusterError.

        No more is ever held than one page and what is answered.
        """
        if where is None:
            return []
        now = self._now()
        found: list[PodSeen] = []
        count = 0
        async with self._connect(where.cluster) as connected:
            client = connected.within(Budget(_HEAVIEST))
            for namespace in where.namespaces:
                path = paths.resource("v1", "pods", namespace=namespace)
                asked = {"labelSelector": where.selector}
                read = pages(client, path, params=asked, page=_PAGE)
                async with aclosing(read):
                    async for page in read:
                        listed = items(page)
                        count += len(listed)
                        found += (pod_seen({**pod, "kind": "Pod"}, now=now) for pod in listed)
                        found = _newest(found)
                        del page, listed
                        if count >= _READ:
                            break
        return found


def _newest(pods: list[PodSeen]) -> list[PodSeen]:
    pods.sort(key=lambda pod: pod.name)
    pods.sort(key=lambda pod: pod.created_at or _LONG_AGO, reverse=True)
    return pods[:MOST]
