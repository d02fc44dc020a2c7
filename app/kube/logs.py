"""The logs of several containers as one: what there is in the order of time, then what comes.

Nothing is read ahead but a small number of lines: a reader who is slow makes the reading slow, down
to the connection, and nothing grows. So many logs are open at once; others wait until one ends.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.errors import ClusterError, NotFound
from app.domain.inspecting import LogLine
from app.kube import paths
from app.kube.client import KubeClient
from app.kube.listing import items, pages
from app.kube.logpods import Pod, Pods, is_name, until_over
from app.kube.logsources import FATAL, LogRhythm, Source, Stamped
from app.kube.watching import Rhythm

AHEAD = 64
"""Lines that are read before somebody takes them."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which logs: of the pods that `selector` fits, in these namespaces.

    `pod` and `container` leave one; `tail` is how many lines of each container there is already.
    """

    namespaces: tuple[str, ...]
    selector: str
    pod: str | None = None
    container: str | None = None
    tail: int | None = None
    follow: bool = False
    at_once: int = 20
    """Containers whose logs are read at the same time."""
    rhythm: LogRhythm = field(default_factory=LogRhythm)


async def read_logs(
    client: KubeClient, query: LogQuery, *, now: datetime, stop: asyncio.Event
) -> AsyncGenerator[LogLine, None]:
    """The lines, until everything was read, the pods have finished, or `stop` is set.

    With `follow` the restarts of containers are followed, and pods that come later are read too.
    Raises NotFound for a pod or container that is not there, and ClusterError.
    """
    belt = _Belt(AHEAD)
    producer = asyncio.create_task(_Reading(client, query, now, belt).run())
    stopper = asyncio.create_task(stop.wait())
    for task in (producer, stopper):
        task.add_done_callback(lambda _: belt.close())
    try:
        while (line := await belt.take()) is not None and not stop.is_set():
            yield line
        if not stop.is_set():
            await producer
    finally:
        for task in (producer, stopper):
            task.cancel()
        await asyncio.gather(producer, stopper, return_exceptions=True)


class _Belt:
    """A few lines on their way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: deque[LogLine] = deque()
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._closed = False

    async def put(self, line: LogLine) -> None:
        """Puts a line on it, as soon as there is room."""
        while len(self._lines) >= self._most:
            self._room.clear()
            await self._room.wait()
        self._lines.append(line)
        self._more.set()

    async def take(self) -> LogLine | None:
        """The next line; None when no more will come."""
        while not self._lines:
            if self._closed:
                return None
            self._more.clear()
            await self._more.wait()
        self._room.set()
        return self._lines.popleft()

    def close(self) -> None:
        """Nothing more will be put."""
        self._closed = True
        self._more.set()


class _Reading:
    """One reading of logs."""

    def __init__(self, client: KubeClient, query: LogQuery, now: datetime, belt: _Belt) -> None:
        self._client = client
        self._query = query
        self._now = now
        self._belt = belt
        self._pods = Pods()
        self._slots = asyncio.Semaphore(query.at_once)
        self._jobs: dict[tuple[str, str], asyncio.Task[None]] = {}
        """What waits for the end of Jobs whose pods have failed, by namespace and name."""
        self._fields = f"metadata.name={query.pod}" if query.pod is not None else None

    async def run(self) -> None:
        """Puts every line on the belt. Raises NotFound and ClusterError."""
        if not self._query.follow:
            await self._list()
            sources, most = self._sources(self._chosen()), self._query.at_once
            for start in range(0, len(sources), most):
                await self._past(sources[start : start + most])
            return
        try:
            async with asyncio.TaskGroup() as group:
                await self._follow(group)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _list(self) -> None:
        asked = {"labelSelector": self._query.selector}
        if self._fields is not None:
            asked["fieldSelector"] = self._fields
        for namespace in self._query.namespaces:
            path = paths.resource("v1", "pods", namespace=namespace)
            async with aclosing(pages(self._client, path, params=asked)) as listed:
                async for page in listed:
                    self._pods.fill(items(page))
                    del page
                    if self._pods.is_full:
                        break

    def _chosen(self) -> list[Pod]:
        """The pods to begin with, the newest first. Raises NotFound."""
        found = sorted(self._pods.known.values(), key=lambda pod: pod.name)
        found.sort(key=lambda pod: pod.created, reverse=True)
        if self._query.pod is not None and not found:
            raise NotFound("pod", path=["pod"])
        container = self._query.container
        if container is not None and found:
            found = [pod for pod in found if container in pod.containers]
            if not found:
                raise NotFound("container", path=["container"])
        return found

    def _sources(self, pods: Iterable[Pod], *, are_new: bool = False) -> list[Source]:
        """A reader for each container; one of a new pod is read from its beginning."""
        only = self._query.container
        return [
            Source(
                self._client,
                pod,
                name,
                tail=None if are_new else self._query.tail,
                rhythm=self._query.rhythm,
                now=self._now,
            )
            for pod in pods
            for name in pod.containers
            if only is None or name == only
        ]

    async def _past(self, sources: Sequence[Source]) -> None:
        async with aclosing(_merged(sources)) as lines:
            async for line in lines:
                await self._belt.put(line)

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        rhythm = self._query.rhythm
        watches = [
            group.create_task(
                self._pods.follow(
                    self._client,
                    paths.resource("v1", "pods", namespace=namespace),
                    labels=self._query.selector,
                    fields=self._fields,
                    rhythm=Rhythm(pause=rhythm.pause),
                    trouble=rhythm.trouble,
                )
            )
            for namespace in self._query.namespaces
        ]
        await self._pods.synced(len(watches))
        first = self._sources(self._chosen())
        known = set(self._pods.known)
        if self._query.tail != 0:
            await self._past(first[: self._query.at_once])
        alone = len(first) == 1
        reading = {group.create_task(self._live(one, alone=alone)) for one in first}
        while True:
            bell = self._pods.bell
            new = [pod for uid, pod in self._pods.known.items() if uid not in known]
            known = set(self._pods.known)
            for one in self._sources(new, are_new=True):
                reading.add(group.create_task(self._live(one, alone=False)))
            if not reading and self._is_over(group):
                break
            changed = asyncio.ensure_future(bell.wait())
            await asyncio.wait([changed, *reading], return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()
            reading = {task for task in reading if not task.done()}
        for task in (*watches, *self._jobs.values()):
            task.cancel()

    def _is_over(self, group: asyncio.TaskGroup) -> bool:
        """Whether nothing more can come, when nothing is read."""
        if self._query.pod is not None:
            return True
        pods = self._pods.known.values()
        finished = bool(pods) and all(pod.is_finished and not pod.is_kept_running for pod in pods)
        return finished and all(self._is_given_up(pod, group) for pod in pods)

    def _is_given_up(self, pod: Pod, group: asyncio.TaskGroup) -> bool:
        """Whether nobody tries again what a pod has failed to do; if not, that is watched for."""
        job = (pod.namespace, pod.retried_by)
        if not pod.retried_by or not is_name(pod.retried_by):
            return True
        task = self._jobs.get(job)
        if task is None:
            task = self._jobs[job] = group.create_task(until_over(self._client, *job))
            task.add_done_callback(lambda _: self._pods.ring())
        return task.done()

    async def _live(self, source: Source, *, alone: bool) -> None:
        async with self._slots:
            while True:
                try:
                    async with aclosing(source.live(self._pods)) as lines:
                        async for _, line in lines:
                            await self._belt.put(line)
                except ClusterError as error:
                    if alone or error.fault in FATAL:
                        raise
                else:
                    return
                # One of many: the others go on, and it may come back.
                pod = self._pods.known.get(source.pod.uid)
                if pod is None:
                    return
                await self._pods.another(pod)


async def _merged(sources: Sequence[Source]) -> AsyncGenerator[LogLine, None]:
    """What several logs have, in the order of time, with one line of each in hand."""
    logs = [source.history() for source in sources]
    alone = len(logs) == 1
    try:
        asked = (_next(log, alone=alone) for log in logs)
        firsts = await asyncio.gather(*asked, return_exceptions=True)
        heap = []
        for place, first in enumerate(firsts):
            if isinstance(first, BaseException):
                raise first
            if first is not None:
                heap.append((first[0], place, first[1]))
        heapq.heapify(heap)
        while heap:
            _, place, line = heap[0]
            yield line
            following = await _next(logs[place], alone=alone)
            if following is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (following[0], place, following[1]))
    finally:
        for log in logs:
            await log.aclose()


async def _next(log: AsyncGenerator[Stamped, None], *, alone: bool) -> Stamped | None:
    try:
        return await anext(log, None)
    except ClusterError as error:
        if alone or error.fault in FATAL:
            raise
        return None
