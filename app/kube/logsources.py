"""The log of one container, through its restarts and through whatever becomes of the connection."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.errors import ClusterError, ClusterFault
from app.domain.inspecting import LogLine
from app.kube import paths
from app.kube.client import KubeClient
from app.kube.loglines import LONGEST_READ, Cursor, read_line
from app.kube.logpods import Container, Pod, Pods, Run

FATAL = frozenset(
    {
        ClusterFault.ADDRESS_FORBIDDEN,
        ClusterFault.FORBIDDEN,
        ClusterFault.NOT_KUBERNETES,
        ClusterFault.SIGN_IN_AGAIN,
        ClusterFault.UNAUTHORIZED,
        ClusterFault.UNREADABLE,
    }
)
"""After these another try makes no sense."""
_RECENT = timedelta(minutes=10)
"""The log of the run before is shown too when it ended so short a time ago."""

_LATE = timedelta(minutes=1)
_SILENCE = 30.0
"""Seconds without a byte of a log that has everything already."""

Stamped = tuple[int, LogLine]
"""A line with its time in nanoseconds; one that does not say when is of the time before it."""


@dataclass(frozen=True, slots=True)
class LogRhythm:
    """Seconds. `quiet` is how long a followed log may bring nothing before the connection is taken
    for dead: nothing keeps it alive. `pause` is the first after a failure, `longest` the last;
    `trouble` how long a log may fail before that is said."""

    quiet: float = 300.0
    pause: float = 0.5
    longest: float = 15.0
    trouble: float = 60.0


class Source:
    """Reads the log of a container. `tail` is how many lines of what there is already."""

    def __init__(
        self,
        client: KubeClient,
        pod: Pod,
        container: str,
        *,
        tail: int | None,
        rhythm: LogRhythm,
        now: datetime,
    ) -> None:
        self.pod = pod
        self.container = container
        self._client = client
        self._tail = tail
        self._rhythm = rhythm
        self._path = paths.resource(
            "v1", "pods", namespace=pod.namespace, name=pod.name, subresource="log"
        )
        self._cursor = Cursor()
        self._run: str | None = None
        self._read: set[str] = set()
        self._stamp = 0
        self._failures = 0
        self._failing: float | None = None
        self._known = {run.id for run in self._of(pod).runs}
        for run in self._of(pod).runs[:-1]:
            if not self._tells(run, now):
                self._read.add(run.id)

    def _of(self, pod: Pod) -> Container:
        none = Container(self.container, (), is_done=True, is_ready=False)
        return pod.containers.get(self.container, none)

    def _tells(self, previous: Run, now: datetime) -> bool:
        """Whether the run before is worth showing: it is what one looks for after a crash."""
        recent = previous.ended is not None and now - previous.ended < _RECENT
        return self._tail != 0 and (recent or not self._of(self.pod).is_ready)

    async def history(self) -> AsyncGenerator[Stamped, None]:
        """What there is already. Raises ClusterError."""
        for run in self._of(self.pod).runs:
            while run.id not in self._read:
                try:
                    async with aclosing(self._lines(run, follow=False)) as lines:
                        async for line in lines:
                            yield line
                    break
                except ClusterError as error:
                    if error.fault is ClusterFault.NOT_FOUND or error.status == 400:
                        return  # it is gone, or has not begun
                    await asyncio.sleep(self._pause(error))

    async def live(self, pods: Pods) -> AsyncGenerator[Stamped, None]:
        """What comes, until the container has ended for good or its pod is gone.

        Raises ClusterError.
        """
        if self._tail == 0:
            self._read |= {run.id for run in self._of(self.pod).runs if run.is_over}
        while (pod := pods.known.get(self.pod.uid)) is not None:
            container = self._of(pod)
            run = next((each for each in container.runs if each.id not in self._read), None)
            if run is None:
                if container.is_done:
                    return
                await pods.another(pod)
                continue
            began = asyncio.get_running_loop().time()
            pause: float | None = None
            try:
                async with aclosing(self._lines(run, follow=not run.is_over)) as lines:
                    async for line in lines:
                        yield line
            except ClusterError as error:
                pause = self._after(error, asyncio.get_running_loop().time() - began)
            else:
                if run.id in self._read:
                    continue
                # The container has ended, or the connection: the pod will say, or it goes on.
                pause = self._growing()
            if pause:
                await pods.another(pod, pause)

    def _after(self, error: ClusterError, lived: float) -> float:
        """Seconds until the next try after a failure."""
        silent = error.fault is ClusterFault.TIMED_OUT and error.status is None
        if silent and lived >= self._rhythm.quiet * 0.9:
            return 0.0
        if error.fault is ClusterFault.NOT_FOUND or error.status == 400:
            return self._growing()
        return self._pause(error)

    def _pause(self, error: ClusterError) -> float:
        """The same, unless it makes no sense or has failed for too long: then raises it."""
        loop = asyncio.get_running_loop()
        if self._failing is None:
            self._failing = loop.time()
        elif loop.time() - self._failing >= self._rhythm.trouble:
            raise error
        if error.fault in FATAL:
            raise error
        return max(error.retry_after or 0.0, self._growing())

    def _growing(self) -> float:
        self._failures += 1
        most = self._rhythm.pause * 2.0 ** min(self._failures - 1, 10)
        return min(self._rhythm.longest, most) * random.uniform(0.5, 1)  # noqa: S311

    async def _lines(self, run: Run, *, follow: bool) -> AsyncGenerator[Stamped, None]:
        """The lines of one run that have not come yet, by one request. Raises ClusterError."""
        if run.id != self._run:
            # The pod may say late that its container was started anew: what was read for the run
            # before may have been of this one.
            if not self._cursor.is_within(run.began, _LATE):
                self._cursor = Cursor()
            self._run = run.id
        params = {"container": self.container, "timestamps": "true"}
        if follow:
            params["follow"] = "true"
        if run.is_previous:
            params["previous"] = "true"
        since = self._cursor.since
        if since is not None:
            params["sinceTime"] = since
        elif self._tail is not None and run.id in self._known:
            params["tailLines"] = str(self._tail)
        self._cursor.reopen()
        async with self._client.stream(
            self._path,
            params=params,
            quiet=self._rhythm.quiet if follow else min(self._rhythm.quiet, _SILENCE),
            longest_line=LONGEST_READ,
            cut=True,
        ) as lines:
            async for raw in lines:
                line = read_line(raw)
                if not self._cursor.is_new(line):
                    continue
                self._failures, self._failing = 0, None
                self._stamp = line.stamp if line.stamp is not None else self._stamp
                told = LogLine(self.pod.name, self.container, line.at, line.text)
                yield self._stamp, told
        if run.is_over:
            self._read.add(run.id)
