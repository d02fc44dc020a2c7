"""Objects of one kind, now and as they change, through whatever happens to the connection.

List, then watch from the version of the list; a stream that ends is taken up where it was, and
when the cluster does not remember that place, all objects are listed again. Versions are opaque:
they are sent back as they came and never compared.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal

from app.domain.errors import ClusterError, ClusterFault
from app.kube.answers import read
from app.kube.client import JSON, KubeClient, LineTooLong
from app.kube.listing import METADATA_ONLY, items, metadata, pages

Object = dict[str, Any]
ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All objects there are: what is missing was deleted while nobody looked."""

    objects: list[Object]


@dataclass(frozen=True, slots=True)
class Changed:
    """One object that came, changed or went; a deleted one as it was last.

    One that no longer fits the selector is DELETED too. After an apply, a change may still show the
    object from before it.
    """

    type: ChangeType
    object: Object


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The cluster can't be watched now; it is tried again in `seconds`."""

    error: ClusterError
    seconds: float


Event = Snapshot | Changed | Interrupted

FATAL = frozenset(
    {
        ClusterFault.UNAUTHORIZED,
        ClusterFault.SIGN_IN_AGAIN,
        ClusterFault.FORBIDDEN,
        ClusterFault.NOT_FOUND,
        ClusterFault.ADDRESS_FORBIDDEN,
        ClusterFault.NOT_KUBERNETES,
        ClusterFault.INVALID,
    }
)
"""Faults after which a watch does not go on by itself."""
_CHANGES: dict[str, ChangeType] = {
    "ADDED": "ADDED",
    "MODIFIED": "MODIFIED",
    "DELETED": "DELETED",
}
_FORGOTTEN = {410, 504}
_CHANGES_METADATA_ONLY = METADATA_ONLY.replace("MetadataList", "Metadata")
_LONGEST_PAUSE = 30.0
_STEADY = 10.0
"""Seconds after which a stream counts as one that worked."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds. `turn` is how long one stream lasts, give or take a fifth; `quiet` how long it may
    bring nothing (bookmarks come about once a minute); `pause` the first after a failure."""

    turn: float = 240.0
    quiet: float = 90.0
    pause: float = 0.5


class _End(Exception):
    """A stream failed. It is taken up where it was, or with `relist` from a new list."""

    def __init__(self, error: ClusterError, *, relist: bool = False) -> None:
        super().__init__(error)
        self.error = error
        self.relist = relist


async def watch(
    client: KubeClient,
    path: str,
    *,
    label_selector: str | None = None,
    field_selector: str | None = None,
    rhythm: Rhythm | None = None,
    metadata_only: bool = False,
    opened: Callable[[], None] = lambda: None,
    arrived: Callable[[Object], Object] = lambda one: one,
) -> AsyncGenerator[Event, None]:
    """Yields a Snapshot first, and again whenever changes may have been missed.

    Close it (`contextlib.aclosing`) when you stop reading: it holds a connection.

    `metadata_only` asks for no more than that; servers that can't do so send everything, and the
    kind of what others send is PartialObjectMetadata. `opened` is called whenever a stream begins,
    and so also when one that was interrupted goes on. `arrived` is given each object as soon as it
    is there, before all of a list are, and answers what is to be kept of it.

    Objects come without `metadata.managedFields`. Raises ClusterError when going on makes no sense:
    UNAUTHORIZED, SIGN_IN_AGAIN, FORBIDDEN, NOT_FOUND, ADDRESS_FORBIDDEN, NOT_KUBERNETES, INVALID.
    """
    selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
    params = {name: text for name, text in selectors.items() if text}
    accepts = (METADATA_ONLY, _CHANGES_METADATA_ONLY) if metadata_only else (JSON, "*/*")
    watching = _Watching(
        client, path, params, rhythm or Rhythm(), accepts=accepts, opened=opened, arrived=arrived
    )
    while True:
        try:
            if watching.version is None:
                yield await watching.listed()
            async with aclosing(watching.streamed()) as changes:
                async for change in changes:
                    yield change
        except ClusterError as error:
            end = _End(error, relist=error.fault is ClusterFault.GONE)
        except _End as ended:
            end = ended
        else:
            continue
        if end.error.fault in FATAL and not end.relist:
            raise end.error
        pause = watching.failed(end)
        if pause:
            yield Interrupted(end.error, pause)
            await asyncio.sleep(pause)


class _Watching:
    """Where we are: the version to go on from, and how often in a row it failed."""

    def __init__(
        self,
        client: KubeClient,
        path: str,
        params: dict[str, str],
        rhythm: Rhythm,
        *,
        accepts: tuple[str, str],
        opened: Callable[[], None],
        arrived: Callable[[Object], Object],
    ) -> None:
        self._client = client
        self._path = path
        self._params = params
        self._rhythm = rhythm
        self._accepts = accepts
        self._opened = opened
        self._arrived = arrived
        self._failures = 0
        self.version: str | None = None

    def failed(self, end: _End) -> float:
        """Seconds to wait after another failure: full of jitter, or what the cluster asks for."""
        if end.relist:
            self.version = None
        self._failures += 1
        if end.relist and self._failures == 1:
            return (
                0.0  # forgetting old versions is what clusters do, unless they do it all the time
            )
        most = min(_LONGEST_PAUSE, self._rhythm.pause * 2.0 ** min(self._failures - 1, 10))
        return max(end.error.retry_after or 0.0, most * random.uniform(0.5, 1))  # noqa: S311

    async def listed(self) -> Snapshot:
        """All objects; the version is taken from the last page only."""
        objects: list[Object] = []
        version: str | None = None
        listed = pages(self._client, self._path, params=self._params, accept=self._accepts[0])
        async with aclosing(listed):
            async for body in listed:
                version = _version(body)
                objects += self._arrivals(body)
                del body
        self.version = version
        if version is None:
            raise ClusterError(
                ClusterFault.NOT_KUBERNETES, "The list has no version, so it can't be watched."
            )
        return Snapshot(objects)

    def _arrivals(self, body: Object) -> Iterator[Object]:
        kind, api_version = body.get("kind"), body.get("apiVersion")
        for one in items(body):
            # Items of typed lists don't say what they are; the list does.
            if isinstance(kind, str) and kind.endswith("List"):
                one.setdefault("kind", kind.removesuffix("List"))
                one.setdefault("apiVersion", api_version)
            metadata(one).pop("managedFields", None)
            yield self._arrived(one)

    async def streamed(self) -> AsyncGenerator[Changed, None]:
        """The changes of one stream. Raises _End and ClusterError; returns at its regular end."""
        turn = self._rhythm.turn * random.uniform(0.8, 1.2)  # noqa: S311
        params = {
            **self._params,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.version or "",
            "timeoutSeconds": str(max(1, round(turn))),
        }
        loop = asyncio.get_running_loop()
        began, brought = loop.time(), False
        try:
            async with self._client.stream(
                self._path,
                params=params,
                quiet=self._rhythm.quiet,
                total=turn + 30,
                accept=self._accepts[1],
            ) as lines:
                self._opened()
                async for line in lines:
                    change = self._read(line)
                    brought, self._failures = True, 0
                    if change is not None:
                        yield change
        except ClusterError as error:
            if _outlived(error, loop.time() - began, min(self._rhythm.quiet, turn)):
                return
            forgotten = error.status in _FORGOTTEN or error.fault is ClusterFault.INVALID
            raise _End(error, relist=forgotten or isinstance(error, LineTooLong)) from None
        finally:
            if loop.time() - began >= _STEADY:
                self._failures = 0
        if not brought and loop.time() - began < 1:
            # Something in between answers with empty streams: don't run in circles.
            raise _End(_broken("The watch ended as soon as it began."))

    def _read(self, line: bytes) -> Changed | None:
        """The change that a line tells; None for a bookmark."""
        event = read(line)
        told = event.get("object") if event is not None else None
        if event is None or not isinstance(told, dict):
            raise _End(_broken("The watch was cut in the middle of a line."))
        if event.get("type") == "ERROR":
            code = told.get("code")
            raise _End(_broken("The cluster ended the watch."), relist=code in _FORGOTTEN)
        self.version = _version(told) or self.version
        metadata(told).pop("managedFields", None)
        change = _CHANGES.get(str(event.get("type")))
        return Changed(change, self._arrived(told)) if change else None


def _version(body: Object) -> str | None:
    version = metadata(body).get("resourceVersion")
    return version if isinstance(version, str) and version else None


def _outlived(error: ClusterError, lived: float, least: float) -> bool:
    """Whether a stream that timed out was only quiet for long, or half open: no failure."""
    return error.fault is ClusterFault.TIMED_OUT and error.status is None and lived >= least


def _broken(sentence: str) -> ClusterError:
    return ClusterError(ClusterFault.UNAVAILABLE, sentence)
