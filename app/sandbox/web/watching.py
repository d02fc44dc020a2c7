"""`watch=true`: every change after a version, as one JSON line each, until its time is over."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson

from app.sandbox.admission.causes import forbidden
from app.sandbox.cluster import Cluster
from app.sandbox.errors import ApiError, bad_option, bad_request
from app.sandbox.objects import Object
from app.sandbox.resources import Resource
from app.sandbox.store import Event
from app.sandbox.web import views
from app.sandbox.web.call import Call
from app.sandbox.web.reading import Matches, matcher, presented
from app.sandbox.web.tables import Shown

BOOKMARK_SECONDS = 60.0
LONGEST_SECONDS = 1800.0
INITIAL_END = {"k8s.io/initial-events-end": "true"}


def watch(call: Call) -> AsyncIterator[bytes]:
    """The stream that the query asks for; what is wrong with the query is raised at once."""
    text = call.query.get("resourceVersion")
    initial = call.flag("sendInitialEvents")
    match = call.query.get("resourceVersionMatch")
    if initial and match != "NotOlderThan":
        raise _wrong_match("sendInitialEvents requires NotOlderThan")
    if match and "sendInitialEvents" not in call.query:
        raise _wrong_match("is forbidden for watch unless sendInitialEvents is set")
    version = call.version(text)
    seconds = call.number("timeoutSeconds")
    if seconds is not None and seconds < 0:
        raise bad_request("timeoutSeconds must not be negative")
    watcher = _Watcher(
        call.cluster,
        call.resource,
        call.target.namespace,
        matcher(call),
        bookmarks=call.flag("allowWatchBookmarks"),
        view=views.shown(call),
    )
    listed = initial or ("sendInitialEvents" not in call.query and version == 0)
    # The list is taken now, before the first byte is asked for: a write from here on is an event.
    first = watcher.state() if listed else []
    start = call.cluster.store.version if listed or version == 0 else version
    if initial and version > start:
        first, start = [], version
    ends = seconds or LONGEST_SECONDS * random.uniform(1, 2)  # noqa: S311 - spreads reconnects
    return watcher.lines(first, start, ends, initial=initial)


def _wrong_match(why: str) -> ApiError:
    return bad_option("ListOptions", forbidden("resourceVersionMatch", why))


@dataclass
class _Watcher:
    """One open watch: what it lets through, and how it says it."""

    cluster: Cluster
    resource: Resource
    namespace: str
    matches: Matches
    bookmarks: bool
    view: Shown | None

    def state(self) -> list[Object]:
        """What matches at this moment."""
        objects = self.cluster.store.list(self.resource, self.namespace)
        return [obj for obj in objects if self.matches(obj)]

    async def lines(
        self, first: list[Object], version: int, seconds: float, *, initial: bool
    ) -> AsyncIterator[bytes]:
        """Synthetic ADDED events, then what happens."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        pause = BOOKMARK_SECONDS / self.cluster.speed
        for obj in first:
            yield self._line("ADDED", obj)
        if initial and self.bookmarks:
            yield self._bookmark(version, INITIAL_END)
        marked = loop.time() + pause
        while not self.cluster.closing:
            try:
                events = self.cluster.store.since(version)
            except ApiError as error:
                yield _encoded("ERROR", error.status())
                return
            said = [each for each in map(self._said, events) if each is not None]
            version = events[-1].version if events else version
            if said:
                yield b"".join([self._line(*each) for each in said])
            now = loop.time()
            if self.bookmarks and now >= marked:
                yield self._bookmark(version, None)
                marked = now + pause
            if now >= ends:
                return
            until = min(ends, marked) if self.bookmarks else ends
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(until - now):
                    await self.cluster.store.beyond(version)

    def _said(self, event: Event) -> tuple[str, Object] | None:
        """What an event is to this watch: whoever stops matching is deleted for it."""
        if event.resource != self.resource:
            return None
        obj = event.object
        if self.namespace and obj["metadata"].get("namespace") != self.namespace:
            return None
        before = event.previous is not None and self.matches(event.previous)
        after = event.type != "DELETED" and self.matches(obj)
        if before and not after:
            if event.type == "DELETED":
                return "DELETED", obj
            # The last state that matched, at the version that ended it.
            last = {**(event.previous or obj)}
            version = obj["metadata"]["resourceVersion"]
            last["metadata"] = {**last["metadata"], "resourceVersion": version}
            return "DELETED", last
        if after:
            return ("MODIFIED" if before else "ADDED"), obj
        return None

    def _line(self, type_: str, obj: Object) -> bytes:
        shown = presented(self.resource, obj)
        return _encoded(type_, shown if self.view is None else self.view(shown))

    def _bookmark(self, version: int, annotations: dict[str, str] | None) -> bytes:
        metadata: Object = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = annotations
        kind, api_version = self.resource.kind, self.resource.api_version
        shown = {"kind": kind, "apiVersion": api_version, "metadata": metadata}
        return _encoded("BOOKMARK", shown)


def _encoded(type_: str, obj: Any) -> bytes:
    return orjson.dumps({"type": type_, "object": obj}) + b"\n"
