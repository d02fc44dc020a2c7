"""GraphQL over server-sent events, in distinct connections mode: one stream, one operation.

A stream ends with a `complete` event when there is nothing more to come. It ends without one when
the server stops, so that clients come back.
"""

import asyncio
from contextlib import ExitStack, aclosing
from typing import Final, NoReturn

from starlette.types import Receive, Scope, Send

from app.domain.events import EndReason
from app.realtime.ending import Ending
from app.web.callers import Caller, network_of
from app.web.edge import CLOSING_SECONDS, Edge, Replies, end_of_token
from app.web.responses import Media, Outcome, Refusal, Reply, refused

TRANSPORT: Final = "sse"
"""What metrics call it."""
COMPLETE: Final = b"event: complete\ndata:\n\n"
HEARTBEAT: Final = b":\n\n"
HEADERS: Final = [
    (b"content-type", f"{Media.EVENTS}; charset=utf-8".encode()),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]


class _End(Exception):
    """The stream ends, with these last words; None when nobody would hear them.

    `reason` is why the server ended it before its time, as metrics call it.
    """

    def __init__(self, words: bytes | None, reason: str | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.reason = reason


class EventStream:
    """An ASGI response that sends `replies` as they come."""

    def __init__(
        self, edge: Edge, replies: Replies, caller: Caller, ending: Ending | None = None
    ) -> None:
        self._edge = edge
        self._replies = replies
        self._caller = caller
        self._ending = ending or Ending()
        self._ping_seconds = edge.settings.ping_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with ExitStack() as counted:
            try:
                self._enter(counted)
            except Refusal as refusal:
                await refusal.response(self._edge.settings.spec_mode)(scope, receive, send)
                return
            await self._stream(receive, send)

    def _enter(self, counted: ExitStack) -> None:
        """Count the stream, until `counted` is closed. Raises Refusal."""
        if self._edge.stopping.is_set():
            raise Refusal(Outcome.STOPPING, "STOPPING", "The server is restarting.")
        connections = self._edge.connections
        counted.enter_context(connections.from_address(network_of(self._caller.address)))
        if self._caller.actor is not None:
            counted.enter_context(connections.of_user(self._caller.actor.id))
        open_streams = self._edge.metrics.connections.labels(TRANSPORT)
        counted.enter_context(open_streams.track_inprogress())

    async def _stream(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        end = _End(None)
        try:
            async with asyncio.TaskGroup() as tasks:
                for watch in (
                    self._until_gone(receive),
                    self._until_stopping(),
                    self._until_expired(),
                    self._until_session_ends(),
                    self._beat(send),
                ):
                    tasks.create_task(watch)
                await self._send_replies(send)
        except* _End as ends:
            end = next(each for each in ends.exceptions if isinstance(each, _End))
        if end.reason is not None:
            self._edge.metrics.dropped.labels(TRANSPORT, end.reason).inc()
        if end.words is not None:
            await send({"type": "http.response.body", "body": end.words})

    async def _send_replies(self, send: Send) -> NoReturn:
        await self._write(send, HEARTBEAT)
        async with aclosing(self._replies) as replies:
            async for reply in replies:
                await self._write(send, event(reply.body))
                self._edge.delivered(reply)
                del reply  # a snapshot would stay until the next one comes
        raise _End(COMPLETE)

    async def _write(self, send: Send, data: bytes) -> None:
        """Send, unless the client has stopped reading."""
        try:
            async with asyncio.timeout(2 * self._ping_seconds):
                await send({"type": "http.response.body", "body": data, "more_body": True})
        except TimeoutError:
            raise _End(None, "timeout") from None

    async def _until_gone(self, receive: Receive) -> NoReturn:
        while (await receive())["type"] != "http.disconnect":
            pass
        raise _End(None)

    async def _until_stopping(self) -> NoReturn:
        await self._edge.stopping.wait()
        raise _End(b"", "restarting")

    async def _until_expired(self) -> NoReturn:
        await end_of_token(self._caller)
        await self._dismiss(EndReason.TOKEN_EXPIRED)
        raise _farewell("The access token has expired. Sign in again, and come back.")

    async def _until_session_ends(self) -> NoReturn:
        actor = self._caller.actor
        await (self._edge.end_of_session(actor) if actor else asyncio.Event().wait())
        await self._dismiss(EndReason.SESSION_ENDED)
        raise _farewell("The session has ended. Sign in again.")

    async def _dismiss(self, reason: EndReason) -> None:
        """Let the stream say why it ends; what ends it then is its own last event."""
        self._ending.say(reason)
        if self._ending.heard:
            await asyncio.sleep(CLOSING_SECONDS)

    async def _beat(self, send: Send) -> NoReturn:
        while True:
            await asyncio.sleep(self._ping_seconds)
            await self._write(send, HEARTBEAT)


def event(data: bytes) -> bytes:
    """A `next` event. `data` is JSON in one line."""
    return b"event: next\ndata: " + data + b"\n\n"


def _farewell(message: str) -> _End:
    result = refused(message, "UNAUTHENTICATED")
    return _End(event(Reply(result).body) + COMPLETE, "forbidden")
