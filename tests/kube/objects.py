"""A list that can be watched, as small as it can be: objects, versions and a history."""

import asyncio
import json
from typing import Any

from aiohttp import web

from tests.kube.serving import Asked, Server, status

PATH = "/api/v1/namespaces/a/pods"


class Pods:
    """The pods of one namespace, or another list; `forget()` makes old versions unknown, as
    compaction does."""

    def __init__(
        self,
        server: Server,
        *,
        first: int = 0,
        path: str = PATH,
        api_version: str = "v1",
        kind: str = "Pod",
    ) -> None:
        self.server = server
        self.path = path
        self.typed = {"kind": kind, "apiVersion": api_version}
        self.live: dict[str, dict[str, Any]] = {}
        self.version = first
        self.oldest = first
        self.events: list[tuple[int, dict[str, Any]]] = []
        self.changed = asyncio.Event()
        self.page = 0
        self.watches = 0
        self.began = asyncio.Event()
        self.end_streams = False
        server.routes[f"GET {path}"] = self._answer

    def put(self, name: str, **labels: str) -> None:
        """Add or change a pod."""
        self.place(
            {
                "metadata": {
                    "name": name,
                    "labels": labels,
                    "managedFields": [{"manager": "somebody"}],
                }
            }
        )

    def place(self, one: dict[str, Any]) -> None:
        """Add or change an object; its name alone says which."""
        name = one["metadata"]["name"]
        kind = "MODIFIED" if name in self.live else "ADDED"
        self.version += 1
        self.live[name] = {
            **one,
            "metadata": {**one["metadata"], "resourceVersion": str(self.version)},
        }
        self._tell(kind, self.live[name])

    def remove(self, name: str) -> None:
        self.version += 1
        gone = self.live.pop(name)
        gone["metadata"]["resourceVersion"] = str(self.version)
        self._tell("DELETED", gone)

    def bookmark(self) -> None:
        self.version += 1
        self._tell("BOOKMARK", {"metadata": {"resourceVersion": str(self.version)}})

    def say(self, event: Any) -> None:
        """Send any event to all who watch."""
        self.version += 1
        self.events.append((self.version, event))
        self._wake()

    def forget(self) -> None:
        self.oldest = self.version
        self.events.clear()

    def hang_up(self) -> None:
        """End the streams there are, in order."""
        self.end_streams = True
        self._wake()

    async def watched(self, times: int) -> None:
        """Wait until that many watches have begun."""
        async with asyncio.timeout(10):
            while self.watches < times:
                await self.began.wait()

    @property
    def asked(self) -> list[Asked]:
        return [asked for asked in self.server.asked if asked.path == self.path]

    def _tell(self, kind: str, pod: dict[str, Any]) -> None:
        typed = {**self.typed, **json.loads(json.dumps(pod))}
        self.events.append((self.version, {"type": kind, "object": typed}))
        self._wake()

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") == "true":
            return await self._watch(request)
        return self._list(request)

    def _list(self, request: web.Request) -> web.Response:
        """`page` objects at a time, when it is set; the token is the name to go on from."""
        after = request.query.get("continue", "")
        names = sorted(name for name in self.live if name > after)
        head: dict[str, Any] = {"resourceVersion": str(self.version)}
        if self.page and len(names) > self.page:
            names = names[: self.page]
            head["continue"] = names[-1]
        body = {**self.typed, "kind": f"{self.typed['kind']}List", "metadata": head}
        return web.json_response({**body, "items": [self.live[name] for name in names]})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        seen = int(request.query["resourceVersion"])
        response = web.StreamResponse()
        await response.prepare(request)
        self.watches += 1
        self.began.set()
        self.began = asyncio.Event()
        self.end_streams = False
        if seen < self.oldest:
            gone = status(410, "too old resource version", reason="Expired")
            await response.write(_line({"type": "ERROR", "object": gone}))
            return response
        while True:
            changed = self.changed
            for version, event in self.events:
                if version > seen:
                    seen = version
                    await response.write(_line(event))
            if self.end_streams:
                return response
            await changed.wait()


def _line(event: Any) -> bytes:
    return event if isinstance(event, bytes) else json.dumps(event).encode() + b"\n"
