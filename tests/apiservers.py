"""Small Kubernetes API servers on loopback: as many clusters as a test needs, well or not.

One listener stands for any number of clusters, each below a path of its own, as behind a proxy.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


def _status(code: int, reason: str, message: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": message,
        "code": code,
    }


class ApiServers:
    """Clusters `<url>/<name>`, for any name. What is in `hanging` accepts and never answers; what
    is in `token` is the one bearer token that is believed.
    """

    def __init__(self) -> None:
        self.port = 0
        self.token = "good"
        self.version = "v1.36.2"
        self.hanging: set[str] = set()
        self.asked: Counter[str] = Counter()
        """Requests for the version, by cluster."""
        self.most_at_once = 0
        """Requests for a version that were open at the same time."""
        self._looks = 0
        self._held: dict[str, asyncio.Event] = {}
        self._arrivals = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hold(self, name: str) -> asyncio.Event:
        """The cluster answers when the event is set."""
        return self._held.setdefault(name, asyncio.Event())

    async def until_asked(self, name: str, times: int = 1) -> None:
        """Returns when the cluster has been asked for its version that often."""
        async with asyncio.timeout(30), self._arrivals:
            await self._arrivals.wait_for(lambda: self.asked[name] >= times)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens, on the same port as before when there was one."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            open_ones = list(self._connections)
            for task in open_ones:
                task.cancel()
            await asyncio.gather(*open_ones, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._request(head.decode(), reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _request(
        self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        first, *rest = head.split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in rest)}
        if length := int(headers.get("content-length", 0)):
            await reader.readexactly(length)
        _, name, path = first.split(" ")[1].partition("?")[0].split("/", 2)
        looks = path == "version"
        self._looks += looks
        self.most_at_once = max(self.most_at_once, self._looks)
        try:
            if name in self.hanging:
                await reader.read()  # until the client has had enough
                raise ConnectionAbortedError
            code, body = await self._answer(name, f"/{path}", headers)
        finally:
            self._looks -= looks
        text = json.dumps(body).encode()
        writer.write(
            f"HTTP/1.1 {code} -\r\ncontent-type: application/json\r\n"
            f"content-length: {len(text)}\r\n\r\n".encode()
            + text
        )
        await writer.drain()

    async def _answer(
        self, name: str, path: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        if path == "/version":
            async with self._arrivals:
                self.asked[name] += 1
                self._arrivals.notify_all()
        if name in self._held:
            await self._held[name].wait()
        if headers.get("authorization") != f"Bearer {self.token}":
            return 401, _status(401, "Unauthorized", "Unauthorized")
        if path == "/version":
            major, minor, _ = self.version.removeprefix("v").split(".")
            return 200, {"major": major, "minor": minor, "gitVersion": self.version}
        found = _OBJECTS.get(path)
        if found is None:
            return 404, _status(404, "NotFound", "the server could not find the requested resource")
        return found


def _list(kind: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": f"{kind}List",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "1"},
        "items": list(items),
    }


_OBJECTS: dict[str, tuple[int, dict[str, Any]]] = {
    "/apis/authentication.k8s.io/v1/selfsubjectreviews": (
        201,
        {
            "kind": "SelfSubjectReview",
            "metadata": {},
            "status": {"userInfo": {"username": "tester", "groups": ["system:authenticated"]}},
        },
    ),
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": (
        201,
        {"kind": "SelfSubjectAccessReview", "status": {"allowed": True}},
    ),
    "/api/v1/namespaces": (200, _list("Namespace", {"metadata": {"name": "default"}})),
    "/api/v1/nodes": (200, _list("Node", {"metadata": {"name": "node-1"}, "spec": {}})),
}
