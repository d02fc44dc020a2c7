"""Trouble with the API server itself, on command: it throttles, breaks off, hangs, forgets.

    faults = Faults()
    async with sandbox(around=faults.around) as cluster:
        faults.plan = first(3, answered(503))

Only the program's own requests are met with faults: those of the test go through.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Fault = Callable[[ASGIApp, Scope, Receive, Send], Awaitable[None]]
"""Answers a request in place of the application, or with its help."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the program. `number` counts them from 0."""

    number: int
    method: str
    path: str
    is_watch: bool

    @property
    def is_write(self) -> bool:
        return self.method in {"PATCH", "POST", "PUT", "DELETE"}


Plan = Callable[[Asked], Fault | None]
"""Which fault a request meets, if any."""


@dataclass(slots=True)
class Faults:
    """What goes wrong; nothing until there is a plan."""

    plan: Plan = lambda _: None
    asked: list[Asked] = field(default_factory=list)
    """All requests of the program."""
    met: list[Asked] = field(default_factory=list)
    """Those that met a fault."""
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, with the faults before it."""

        async def troubled(scope: Scope, receive: Receive, send: Send) -> None:
            fault = self._fault(scope) if scope["type"] == "http" else None
            if fault is None:
                await app(scope, receive, send)
            else:
                await fault(app, scope, receive, send)

        return troubled

    async def until_met(self, times: int) -> None:
        """Returns when so many requests have met a fault."""
        async with asyncio.timeout(30):
            while len(self.met) < times:
                await self._bell.wait()

    def _fault(self, scope: Scope) -> Fault | None:
        agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
        if not agent.startswith(b"kubeorch"):
            return None
        query = scope["query_string"].split(b"&")
        asked = Asked(
            len(self.asked),
            scope["method"],
            scope["path"],
            is_watch=b"watch=true" in query,
        )
        self.asked.append(asked)
        fault = self.plan(asked)
        if fault is not None:
            self.met.append(asked)
            self._bell.set()
            self._bell = asyncio.Event()
        return fault


def first(times: int, fault: Fault, *, of: Callable[[Asked], bool] = lambda _: True) -> Plan:
    """So many requests meet the fault, of those that are meant."""
    left = times

    def plan(asked: Asked) -> Fault | None:
        nonlocal left
        if not of(asked) or left <= 0:
            return None
        left -= 1
        return fault

    return plan


def every(count: int, fault: Fault, *, of: Callable[[Asked], bool] = lambda _: True) -> Plan:
    """Every so manieth of the requests that are meant meets the fault, the first one too."""
    seen = 0

    def plan(asked: Asked) -> Fault | None:
        nonlocal seen
        if not of(asked):
            return None
        seen += 1
        return fault if seen % count == 1 or count == 1 else None

    return plan


def answered(code: int, *, retry_after: int | None = None, message: str = "trouble") -> Fault:
    """A Status, and nothing is done."""
    headers = [(b"content-type", b"application/json")]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
    text = json.dumps(body | {"code": code, "message": message}).encode()

    async def fault(_: ASGIApp, __: Scope, receive: Receive, send: Send) -> None:
        await _read(receive)
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    return fault


async def dropped(_: ASGIApp, __: Scope, ___: Receive, send: Send) -> None:
    """The connection breaks before anything is done."""
    _abort(send)


async def lost(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """It is done, and then the connection breaks: who asked cannot know."""

    async def nowhere(_: Message) -> None:
        return

    await app(scope, receive, nowhere)
    _abort(send)


def hanging(until: asyncio.Event) -> Fault:
    """Nothing is answered, until the client has had enough; or the event is set, and the connection
    breaks."""

    async def fault(_: ASGIApp, __: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_gone(receive))
        heard = asyncio.ensure_future(until.wait())
        await asyncio.wait({gone, heard}, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        heard.cancel()
        _abort(send)

    return fault


def slow(seconds: float) -> Fault:
    """Everything as it should be, and late."""

    async def fault(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(seconds)
        await app(scope, receive, send)

    return fault


def closed_after(events: int, *, gone: bool = False, broken: bool = False) -> Fault:
    """A watch that ends after so many events: in order, or `broken` off, or because the version is
    `gone`."""

    async def fault(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        left = events

        async def counted(message: Message) -> None:
            nonlocal left
            if message["type"] != "http.response.body":
                await send(message)
                return
            lines = message.get("body", b"").splitlines(keepends=True)
            passed = lines[: max(left, 0)]
            left -= len(lines)
            await send({**message, "body": b"".join(passed)})
            if left > 0:
                return
            if broken:
                _abort(send)
            elif gone:
                await send({"type": "http.response.body", "body": _GONE, "more_body": True})
            raise _Closed

        try:
            await app(scope, receive, counted)
        except _Closed:
            if not broken:
                await send({"type": "http.response.body", "body": b""})

    return fault


class _Closed(Exception):
    """The watch has brought enough."""


_GONE = (
    json.dumps(
        {
            "type": "ERROR",
            "object": {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "reason": "Expired",
                "code": 410,
                "message": "too old resource version",
            },
        }
    ).encode()
    + b"\n"
)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> None:
    """A server that answers before it has read a body may see its answer lost."""
    while (await receive()).get("more_body"):
        pass


def _abort(send: Send) -> None:
    """ASGI has no way to say it, so the server's own connection is asked for."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]
