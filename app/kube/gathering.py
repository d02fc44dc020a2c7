"""Many live objects at once: by lists where that is less to ask, else one by one.

A namespace may be full of other people's objects, Secrets with their values among them. So a first
list of a kind is asked for names alone, one page of it; whole objects are listed by a selector that
fits ours, and what it leaves out is read by name.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Collection, Iterable
from contextlib import aclosing
from typing import Any, TypeVar

from app.domain.errors import ClusterError, ClusterFault
from app.domain.planning.objects import ObjectKey
from app.kube.client import AnswerTooLarge, KubeClient
from app.kube.listing import METADATA_ONLY, PAGE, items, metadata, pages
from app.kube.resources import Resource
from app.kube.weighing import MIB, Budget

Object = dict[str, Any]
T = TypeVar("T")

_FEW = 4
"""Objects of one kind in one namespace that are read by name: two lists would not be less."""
_NO_LISTS = {ClusterFault.FORBIDDEN, ClusterFault.GONE}


async def gather(
    client: KubeClient, keys: Iterable[ObjectKey], *, selector: str, at_once: int
) -> dict[ObjectKey, Object | None]:
    """The live object of every key; None where there is none, or its kind is not served.

    `selector` is a label selector that most of the objects fit, if they are there. They come with
    their managedFields. Raises the first ClusterError.
    """
    groups: dict[tuple[str, str, str | None], list[ObjectKey]] = defaultdict(list)
    for key in dict.fromkeys(keys):
        groups[key.api_version, key.kind, key.namespace].append(key)
    gathering = _Gathering(client, selector, at_once)
    found = await all_of(gathering.group(group) for group in groups.values())
    return {key: live for part in found for key, live in part.items()}


def enough_for(count: int) -> Budget:
    """What reading and applying so many objects may take: four times what most objects do, and some
    large ones."""
    return Budget(64 * MIB + count * MIB // 4)


async def all_of(calls: Iterable[Awaitable[T]]) -> list[T]:
    """The answers of all calls; the first that fails ends the others. Raises what it raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_awaited(call)) for call in calls]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


async def _awaited(call: Awaitable[T]) -> T:
    return await call


class _Gathering:
    """One gathering, with the number of calls that it has at the same time."""

    def __init__(self, client: KubeClient, selector: str, at_once: int) -> None:
        self._client = client
        self._selector = selector
        self._gate = asyncio.Semaphore(at_once)

    async def group(self, keys: list[ObjectKey]) -> dict[ObjectKey, Object | None]:
        """The objects of one kind in one namespace."""
        first = keys[0]
        try:
            resource = await self._client.resources.find(first.api_version, first.kind)
        except ClusterError as error:
            if error.fault is ClusterFault.NOT_FOUND:
                return dict.fromkeys(keys)
            raise
        found: dict[ObjectKey, Object | None] = {}
        if len(keys) >= _FEW:
            names = await self._names(resource, first.namespace)
            if names is not None:
                found = {key: None for key in keys if key.name not in names}
                there = [key for key in keys if key.name in names]
                if len(there) >= _FEW:
                    found |= await self._listed(resource, first.namespace, there)
        left = [key for key in keys if key not in found]
        read = await all_of(self._read(resource, key) for key in left)
        return found | dict(zip(left, read, strict=True))

    async def _names(self, resource: Resource, namespace: str | None) -> set[str] | None:
        """The names of all objects of the kind; None when they are too many, or not ours to see."""
        try:
            async with self._gate:
                answer = await self._client.get(
                    resource.path(namespace=namespace),
                    params={"limit": str(PAGE)},
                    accept=METADATA_ONLY,
                )
        except AnswerTooLarge:
            return None
        except ClusterError as error:
            if error.fault in _NO_LISTS:
                return None
            raise
        if metadata(answer.body).get("continue"):
            return None
        return {str(metadata(one).get("name")) for one in items(answer.body)}

    async def _listed(
        self, resource: Resource, namespace: str | None, keys: Collection[ObjectKey]
    ) -> dict[ObjectKey, Object | None]:
        """Those of the keys that the selector fits."""
        wanted = {key.name: key for key in keys}
        found: dict[ObjectKey, Object | None] = {}
        path = resource.path(namespace=namespace)
        try:
            async with self._gate:
                listed = pages(self._client, path, params={"labelSelector": self._selector})
                async with aclosing(listed):
                    async for page in listed:
                        for one in items(page):
                            key = wanted.get(str(metadata(one).get("name")))
                            if key is not None:
                                # Items of lists don't say what they are.
                                kind = {"apiVersion": key.api_version, "kind": key.kind}
                                found[key] = {**kind, **one}
                        del page
        except ClusterError as error:
            if error.fault not in _NO_LISTS:
                raise
        return found

    async def _read(self, resource: Resource, key: ObjectKey) -> Object | None:
        try:
            async with self._gate:
                path = resource.path(namespace=key.namespace, name=key.name)
                return (await self._client.get(path)).body
        except ClusterError as error:
            if error.fault is ClusterFault.NOT_FOUND:
                return None
            raise
