"""The pods whose logs are read, as little of each as that takes, and how they change."""

import asyncio
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from app.domain.errors import ClusterError
from app.domain.health.seen import Object, listed, number, part, time, word
from app.kube import paths
from app.kube.client import KubeClient
from app.kube.watching import Changed, ChangeType, Interrupted, Rhythm, Snapshot, watch

MOST = 500
"""Pods that are remembered; further ones are not looked at."""
_CONTAINERS = 60
"""Of one pod, that are remembered."""
_NO_POD: Object = {}

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")


def is_name(text: str) -> bool:
    """Whether a pod or a namespace can be called so."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a container, from its start to its end.

    `is_previous` says how to ask for it; `is_over` that it writes nothing more.
    """

    id: str
    is_previous: bool
    is_over: bool
    began: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """What is known of a container: its runs that can be read, the older first.

    `is_done` means that there will not be another.
    """

    name: str
    runs: tuple[Run, ...]
    is_done: bool
    is_ready: bool


@dataclass(slots=True, eq=False)
class Pod:
    """A pod. `turn` grows with each change."""

    uid: str
    name: str
    namespace: str
    created: str
    is_finished: bool
    is_kept_running: bool
    """Whether its containers are started again for ever: then it is never finished for good."""
    retried_by: str
    """The Job that may try again, because this attempt has failed; empty when there is none."""
    containers: Mapping[str, Container]
    turn: int = 0


def read_pod(obj: Object) -> Pod:
    """What is remembered of a pod."""
    metadata, spec, status = part(obj, "metadata"), part(obj, "spec"), part(obj, "status")
    finished = word(status, "phase") in {"Succeeded", "Failed"}
    policy = word(spec, "restartPolicy") or "Always"
    return Pod(
        uid=word(metadata, "uid") or word(metadata, "name"),
        name=word(metadata, "name"),
        namespace=word(metadata, "namespace"),
        created=word(metadata, "creationTimestamp"),
        is_finished=finished,
        is_kept_running=policy == "Always",
        retried_by=_job(metadata) if word(status, "phase") == "Failed" else "",
        containers={
            one.name: one
            for one in islice(_containers(spec, status, policy, finished), _CONTAINERS)
        },
    )


def _job(metadata: Object) -> str:
    for owner in listed(metadata, "ownerReferences"):
        if owner.get("controller") is True and word(owner, "kind") == "Job":
            return word(owner, "name")
    return ""


def _containers(spec: Object, status: Object, policy: str, finished: bool) -> Iterator[Container]:
    for asked, told, is_init in (
        ("initContainers", "initContainerStatuses", True),
        ("containers", "containerStatuses", False),
    ):
        statuses = {word(each, "name"): each for each in listed(status, told)}
        for container in listed(spec, asked):
            name = word(container, "name")
            mine = statuses.get(name, {})
            again = "OnFailure" if is_init and policy == "Always" else policy
            again = word(container, "restartPolicy") or again
            ended = part(mine, "state", "terminated")
            well = bool(ended) and number(ended, "exitCode", 1) == 0
            done = finished or (bool(ended) and again == "Never") or (well and again != "Always")
            yield Container(name, tuple(_runs(mine)), done, mine.get("ready") is True)


def _runs(status: Object) -> Iterator[Run]:
    state = part(status, "state")
    last = part(status, "lastState", "terminated")
    ended, running = part(state, "terminated"), part(state, "running")
    present = None
    if ended and _id(ended):
        present = _ended(ended, is_previous=False)
    elif running:
        id_ = _id(status) or word(running, "startedAt")
        present = Run(id_, is_previous=False, is_over=False, began=time(running, "startedAt"))
    if last and _id(last):
        # Of a container that waits for its next start, the last run is what is read anyway.
        yield _ended(last, is_previous=present is not None)
    if present is not None:
        yield present


def _ended(state: Object, *, is_previous: bool) -> Run:
    began, ended = time(state, "startedAt"), time(state, "finishedAt")
    return Run(_id(state), is_previous, is_over=True, began=began, ended=ended)


def _id(value: Object) -> str:
    return word(value, "containerID")


_OVER = frozenset({"Complete", "Failed"})


async def until_over(client: KubeClient, namespace: str, job: str) -> None:
    """Waits until a Job makes no more pods; at once when that may not be known."""
    path = paths.resource("batch/v1", "jobs", namespace=namespace)
    try:
        named = f"metadata.name={job}"
        async with aclosing(watch(client, path, field_selector=named, arrived=_brief)) as events:
            async for event in events:
                if isinstance(event, Snapshot) and not any(map(_goes_on, event.objects)):
                    return
                if isinstance(event, Changed) and (
                    event.type == "DELETED" or not _goes_on(event.object)
                ):
                    return
    except ClusterError:
        return


_GOES_ON, _IS_OVER = {"goesOn": True}, {"goesOn": False}


def _brief(job: Object) -> dict[str, Any]:
    """All that is asked of a Job."""
    conditions = listed(part(job, "status"), "conditions")
    over = any(word(each, "type") in _OVER and each.get("status") == "True" for each in conditions)
    return _IS_OVER if over else _GOES_ON


def _goes_on(job: Object) -> bool:
    return job is _GOES_ON


@dataclass(slots=True)
class Pods:
    """All pods that fit, by their uid."""

    known: dict[str, Pod] = field(default_factory=dict)
    _turn: int = 0
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    """Rings at the next change; another one takes its place then."""
    _synced: int = 0

    async def follow(
        self,
        client: KubeClient,
        path: str,
        *,
        labels: str,
        fields: str | None,
        rhythm: Rhythm,
        trouble: float,
    ) -> None:
        """Follows those of one namespace, for ever. Raises ClusterError.

        `trouble` is how many seconds it may fail before that is said.
        """
        mine: set[str] = set()
        since: float | None = None
        loop = asyncio.get_running_loop()
        arriving: list[Pod] = []

        def arrived(obj: Object) -> dict[str, Any]:
            """Pods are remembered as they come: a list of them may never end."""
            if len(arriving) < MOST:
                arriving.append(read_pod(obj))
            return {}

        events = watch(
            client,
            path,
            label_selector=labels,
            field_selector=fields,
            rhythm=rhythm,
            arrived=arrived,
        )
        async with aclosing(events):
            async for event in events:
                pods = {pod.uid: pod for pod in arriving}
                arriving.clear()
                if isinstance(event, Interrupted):
                    since = since if since is not None else loop.time()
                    if loop.time() - since >= trouble:
                        raise event.error
                    continue
                since = None
                if isinstance(event, Snapshot):
                    for uid in mine - set(pods):
                        self.known.pop(uid, None)
                    for pod in pods.values():
                        self._put(pod)
                    mine, self._synced = set(pods), self._synced + 1
                else:
                    for pod in pods.values():
                        self._changed(event.type, pod)
                    mine &= set(self.known)
                    mine |= set(pods)
                self.ring()

    @property
    def is_full(self) -> bool:
        """Whether no further pod is remembered."""
        return len(self.known) >= MOST

    async def synced(self, times: int) -> None:
        """Waits for so many snapshots."""
        while self._synced < times:
            await self.bell.wait()

    def fill(self, objects: Collection[Mapping[str, Any]]) -> None:
        """Puts in what was listed."""
        for obj in objects:
            self._put(read_pod(obj))

    def _changed(self, type_: ChangeType, pod: Pod) -> None:
        if type_ == "DELETED":
            self.known.pop(pod.uid, None)
        else:
            self._put(pod)

    def _put(self, pod: Pod) -> None:
        if not (is_name(pod.name) and is_name(pod.namespace)):
            return  # nothing could be asked of it
        if pod.uid in self.known or len(self.known) < MOST:
            self._turn += 1
            pod.turn = self._turn
            self.known[pod.uid] = pod

    def ring(self) -> None:
        """Something has changed."""
        self.bell.set()
        self.bell = asyncio.Event()

    async def another(self, pod: Pod, seconds: float | None = None) -> None:
        """Waits until this pod is not as it was any more, for so many seconds at the most."""
        try:
            async with asyncio.timeout(seconds):
                while self.known.get(pod.uid) is pod:
                    await self.bell.wait()
        except TimeoutError:
            return
