"""What happens to every request before any of our routes sees it, as plain ASGI.

From the outside in: a request id, an access line with the last answer to the unexpected, and a
limit on the body. `stack(settings)` has them in that order.
"""

import asyncio
import contextlib
import logging
import re
import secrets
import time
from urllib.parse import quote

import orjson
import structlog
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings

HEADER = "x-request-id"
CLIENT_GONE = 499
"""Status in the log, never sent: the client left before it was answered."""

_PROBES = {"/healthz", "/readyz", "/metrics"}
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_LINGER_SECONDS = 2.0

log = structlog.get_logger("kubeorch.access")


def stack(settings: Settings) -> list[Middleware]:
    """The middlewares for `Starlette(middleware=…)`, in their order."""
    return [
        Middleware(RequestId),
        Middleware(AccessLog),
        Middleware(
            BodyLimit, max_bytes=settings.max_request_bytes, seconds=settings.request_seconds
        ),
    ]


class RequestId:
    """Gives every request an id: `scope["state"]["request_id"]`, each log line, the answer.

    A caller's own `X-Request-Id` is kept when it has 1 to 64 of the characters A-Z a-z 0-9 . _ -
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = _incoming_id(scope) or secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept"}:
                headers = [*message.get("headers", ()), (HEADER.encode(), request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_id)


class AccessLog:
    """One line per request or websocket, without query string or body, when it has ended.

    An exception that nobody expected is logged in full and answered with its request id alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        status: int | None = None
        started = time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            match message["type"]:
                case "http.response.start":
                    status = message["status"]
                case "websocket.accept":
                    status = 101
                case "websocket.close":
                    status = message.get("code", 1000)
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception:
            log.exception("unexpected error", path=_path(scope))
            if status is None and scope["type"] == "http":
                request_id = scope["state"]["request_id"]
                await _answer(
                    send_and_note,
                    500,
                    f"Something went wrong on the server. Report it with the id {request_id}.",
                    {"code": "INTERNAL", "requestId": request_id},
                )
            elif scope["type"] == "websocket" and status in {None, 101}:
                await send_and_note({"type": "websocket.close", "code": 1011})
        finally:
            log.log(
                logging.DEBUG if scope["path"] in _PROBES else logging.INFO,
                "request",
                method=scope.get("method", "WEBSOCKET"),
                path=_path(scope),
                status=status or CLIENT_GONE,
                milliseconds=round((time.perf_counter() - started) * 1000, 1),
            )


class _TooLarge(Exception):
    """The body is over the limit; `more` of it is still to come."""

    def __init__(self, *, more: bool) -> None:
        super().__init__()
        self.more = more


class BodyLimit:
    """Answers 413 to a body of more than `max_bytes`, announced or streamed, 408 to a slow one.

    The body is read before the application sees the request, so that nothing in the application
    can trip over a limit halfway; memory per request is bounded by the limit itself.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced_length(scope) > self._max_bytes:
            await self._refuse(receive, send, more=True)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._read(receive)
        except TimeoutError:
            await _answer(
                send,
                408,
                f"The request body did not arrive within {self._seconds:g} s.",
                {"code": "REQUEST_TIMEOUT"},
            )
            return
        except _TooLarge as error:
            await self._refuse(receive, send, more=error.more)
            return
        if body is None:
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; None when the client left."""
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_bytes:
                raise _TooLarge(more=more)
        return bytes(body)

    async def _refuse(self, receive: Receive, send: Send, *, more: bool) -> None:
        """Answer at once; then let the client finish sending for a while, or it may not read."""
        await _answer(
            send,
            413,
            f"The request body has more than {self._max_bytes} bytes. Send less at once, for "
            "example an edit of the canvas in parts.",
            {"code": "PAYLOAD_TOO_LARGE", "limit": self._max_bytes},
            finish=False,
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                while more:
                    more = (await receive()).get("more_body", False)
        await send({"type": "http.response.body"})


async def _answer(
    send: Send, status: int, message: str, extensions: dict[str, object], *, finish: bool = True
) -> None:
    """Answer with an error in GraphQL's shape, and close the connection."""
    body = orjson.dumps({"errors": [{"message": message, "extensions": extensions}]})
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": not finish})


def _incoming_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == HEADER.encode() and _SANE_ID.fullmatch(value):
            return str(value, "ascii")
    return None


def _announced_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0


def _path(scope: Scope) -> str:
    """The path as it may be logged: no control characters, no end of its own."""
    return quote(scope["path"], safe="/:@!$&'()*+,;=~-._")[:512]
