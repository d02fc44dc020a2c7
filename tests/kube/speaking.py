"""Containers that write logs, on a stand-in for an API server: as kubelets send them, or broken."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.kube.objects import Pods
from tests.kube.serving import Asked, Server, status

Object = dict[str, Any]
Answer = Callable[["Speaker", web.Request], Awaitable[web.StreamResponse]]

NAMESPACE = "shop"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
START = int(NOW.timestamp())


def running(
    run: str, *, restarts: int = 0, last: Object | None = None, began: str = "11:59:00"
) -> Object:
    """The status of a container in its run."""
    return {
        "ready": True,
        "restartCount": restarts,
        "containerID": run,
        "state": {"running": {"startedAt": f"2026-01-01T{began}Z"}},
        "lastState": {"terminated": last} if last else {},
    }


def ended(run: str, code: int = 1, at: str = "2026-01-01T11:59:30Z") -> Object:
    """How a run has ended."""
    return {"containerID": run, "exitCode": code, "finishedAt": at}


def over(run: str, code: int = 0) -> Object:
    """The status of a container that has ended."""
    return {"ready": False, "restartCount": 0, "state": {"terminated": ended(run, code)}}


def waiting(reason: str, last: Object | None = None) -> Object:
    """The status of a container that waits for its start."""
    state = {"waiting": {"reason": reason}}
    return {"ready": False, "state": state, "lastState": {"terminated": last} if last else {}}


def pod(
    name: str, *, phase: str = "Running", policy: str = "Always", **containers: Object
) -> Object:
    """A pod with the statuses of its containers by their names."""
    return {
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"uid-{name}",
            "creationTimestamp": "2026-01-01T11:00:00Z",
            "labels": {"app": "web"},
        },
        "spec": {
            "restartPolicy": policy,
            "containers": [{"name": each, "image": "web:1"} for each in containers],
        },
        "status": {
            "phase": phase,
            "containerStatuses": [{"name": each, **said} for each, said in containers.items()],
        },
    }


def line(second: float, text: str) -> bytes:
    """A line so many seconds after noon, with its nanoseconds."""
    nanoseconds = round(second * 10**9)
    moment = datetime.fromtimestamp(START + nanoseconds // 10**9, UTC)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09d}Z"
    return f"{stamp} {text}".encode()


class Speaker:
    """The log of one pod, of whatever container. `script` answers the first requests in turn."""

    def __init__(self, server: Server, name: str, *lines: bytes) -> None:
        self.server = server
        self.path = f"{PODS}/{name}/log"
        self.lines = list(lines)
        self.previous: list[bytes] = []
        self.script: list[Answer] = []
        self.silent = asyncio.Event()
        """Set when the container has written its last line."""
        self._changed = asyncio.Event()
        self._asked = asyncio.Event()
        server.routes[f"GET {self.path}"] = self._answer

    @property
    def asked(self) -> list[Asked]:
        return [asked for asked in self.server.asked if asked.path == self.path]

    async def until_asked(self, times: int) -> None:
        """Returns when so many requests for the log have come."""
        async with asyncio.timeout(10):
            while len(self.asked) < times:
                await self._asked.wait()

    def say(self, *lines: bytes) -> None:
        """Writes more."""
        self.lines += lines
        self._wake()

    def end(self) -> None:
        """Writes nothing more."""
        self.silent.set()
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._asked.set()
        self._asked = asyncio.Event()
        if self.script:
            return await self.script.pop(0)(self, request)
        return await self.honest(request)

    def wanted(self, request: web.Request) -> list[bytes]:
        """What there is now of what a request asks for."""
        query = request.query
        found = list(self.previous if query.get("previous") == "true" else self.lines)
        if since := query.get("sinceTime"):
            second = since.removesuffix("Z").encode()
            found = [each for each in found if each[: len(second)] >= second]
        if tail := query.get("tailLines"):
            found = found[max(len(found) - int(tail), 0) :] if int(tail) else []
        return found

    async def honest(self, request: web.Request) -> web.StreamResponse:
        """As a kubelet does."""
        response = web.StreamResponse()
        await response.prepare(request)
        sent = len(self.previous if request.query.get("previous") == "true" else self.lines)
        for each in self.wanted(request):
            await response.write(each + b"\n")
        while request.query.get("follow") == "true":
            changed = self._changed
            for each in self.lines[sent:]:
                await response.write(each + b"\n")
            sent = len(self.lines)
            if self.silent.is_set():
                break
            await changed.wait()
        return response


def broken_after(count: int) -> Answer:
    """So many lines, then the connection breaks."""

    async def answer(speaker: Speaker, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for each in speaker.wanted(request)[:count]:
            await response.write(each + b"\n")
        assert request.transport is not None
        request.transport.abort()
        return response

    return answer


def cut_within(count: int, length: int) -> Answer:
    """So many lines and a part of the next; then it ends as if that were all."""

    async def answer(speaker: Speaker, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        found = speaker.wanted(request)
        await response.write(b"".join(each + b"\n" for each in found[:count]))
        await response.write(found[count][:length])
        return response

    return answer


def refused(code: int, message: str) -> Answer:
    """No log, but a Status."""

    async def answer(_: Speaker, __: web.Request) -> web.StreamResponse:
        return web.json_response(status(code, message), status=code)

    return answer


def pods_on(server: Server) -> Pods:
    """The pods of the namespace."""
    return Pods(server, path=PODS)
