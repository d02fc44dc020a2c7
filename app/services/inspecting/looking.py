"""What a diagnosis wants to see, read from a cluster: bounded, and never the value of a Secret."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from app.domain.diagnosing import MOST, Look, Sight, Subject
from app.domain.errors import ClusterError, ClusterFault, Invalid
from app.domain.planning import ObjectKey
from app.kube.client import JSON, AnswerTooLarge, KubeClient
from app.kube.listing import items, metadata, pages
from app.kube.weighing import MIB, Budget, TooMuch

NAMES_ONLY = f"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,{JSON}"
"""What to accept for one object of which no value is wanted; some servers send everything."""
_HEAVIEST = 32 * MIB
"""Bytes of memory that all answers to one diagnosis may take: some thousand objects."""
_SECONDS = 10.0
_VALUES = ("data", "stringData", "binaryData")
_QUIET = frozenset({"ConfigMap", "Secret"})
_TOLD_TO_ALL = frozenset({"IngressClass", "StorageClass"})
"""Kinds of the whole cluster whose names everybody sees who sees the cluster."""
_OF_ONE = (AnswerTooLarge, TooMuch)
"""What is said against what an object holds, and not against the cluster."""
_NOT_YOURS = "The cluster is shared with you in some namespaces only."


class Looking:
    """Reads for one diagnosis, `at_once` calls at the same time.

    What is beyond a bound on all of it together is hidden, and says why.
    """

    def __init__(self, client: KubeClient, *, held_to: Sequence[str], at_once: int = 4) -> None:
        """`held_to` are the namespaces that may be looked at; none means all, and the cluster."""
        self._client = client.within(Budget(_HEAVIEST))
        self._held_to = frozenset(held_to)
        self._gate = asyncio.Semaphore(at_once)

    async def subjects(self, keys: Iterable[ObjectKey]) -> list[Subject]:
        """The objects of a node. Raises ClusterError when the cluster does not answer."""
        wanted = list(keys)
        return await _all(self._subject(key) for key in wanted)

    async def sights(self, looks: Iterable[Look]) -> Mapping[Look, Sight]:
        """What each look brings; one that fails says why, whatever it was."""
        wanted = list(looks)
        return dict(zip(wanted, await _all(self._sight(look) for look in wanted), strict=True))

    async def _subject(self, key: ObjectKey) -> Subject:
        quiet = key.kind in _QUIET and key.group == ""
        look = Look(key.api_version, key.kind, key.namespace, key.name, names_only=quiet)
        if not self._may(look):
            return Subject(key, hidden=_NOT_YOURS)
        try:
            async with self._gate:
                sight = await self._read(look)
        except ClusterError as error:
            if not isinstance(error, _OF_ONE) and error.fault is not ClusterFault.FORBIDDEN:
                raise
            return Subject(key, hidden=error.message)
        return Subject(key, sight.one, sight.hidden)

    async def _sight(self, look: Look) -> Sight:
        if not self._may(look):
            return Sight(hidden=_NOT_YOURS)
        try:
            async with self._gate:
                return await self._read(look)
        except ClusterError as error:
            return Sight(hidden=error.message)

    def _may(self, look: Look) -> bool:
        if not self._held_to:
            return True
        if look.namespace is None:
            return look.kind in _TOLD_TO_ALL
        return look.namespace in self._held_to

    async def _read(self, look: Look) -> Sight:
        try:
            resource = await self._client.resources.find(look.api_version, look.kind)
        except ClusterError as error:
            if error.fault is ClusterFault.NOT_FOUND:
                return Sight(hidden=error.message)
            raise
        try:
            path = resource.path(namespace=look.namespace, name=look.name)
        except Invalid:  # a name that no object can have
            return Sight()
        if look.name is None:
            return await self._list(look, path)
        accept = NAMES_ONLY if look.names_only else JSON
        try:
            answer = await self._client.get(path, accept=accept, seconds=_SECONDS)
        except ClusterError as error:
            if error.fault is ClusterFault.NOT_FOUND:
                return Sight()
            raise
        return Sight((_seen(look, answer.body),))

    async def _list(self, look: Look, path: str) -> Sight:
        asked = {"labelSelector": look.labels, "fieldSelector": look.fields}
        params = {name: text for name, text in asked.items() if text}
        found: list[dict[str, Any]] = []
        more = False
        read = pages(self._client, path, params=params, page=MOST, seconds=_SECONDS)
        async with aclosing(read) as listed:
            async for page in listed:
                found += (_seen(look, each) for each in items(page))
                more = len(found) > MOST or bool(metadata(page).get("continue"))
                del page
                if len(found) >= MOST:
                    break
        return Sight(found[:MOST], more=more)


def _seen(look: Look, obj: dict[str, Any]) -> dict[str, Any]:
    """The object as a check may see it: what it is, and no value that must not be known."""
    if look.names_only or look.kind in _QUIET:
        for name in _VALUES:
            obj.pop(name, None)
    else:
        metadata(obj).pop("managedFields", None)
    # Items of lists don't say what they are; metadata alone says that it is metadata.
    obj["apiVersion"], obj["kind"] = look.api_version, look.kind
    return obj


async def _all(calls: Iterable[Any]) -> list[Any]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
