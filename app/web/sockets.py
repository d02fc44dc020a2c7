"""Websockets that speak graphql-transport-ws, and nothing else.

Whatever a client sends ends in an answer or in a close code, never in an exception. For every
operation the database is asked anew who the caller is, and resolvers get a new context.
"""

import asyncio
from contextlib import ExitStack, aclosing, suppress
from typing import Any, Final, NoReturn

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.types import ExecutionResult

from app.domain.events import EndReason
from app.domain.user import Actor
from app.realtime.ending import Ending
from app.web.callers import Caller, Credentials, network_of
from app.web.connections import TooManyConnections
from app.web.edge import CLOSING_SECONDS, Edge, address_of, end_of_token, request_id_of
from app.web.handshakes import check_origin, deny
from app.web.messages import (
    Close,
    Code,
    Complete,
    ConnectionInit,
    Message,
    Ping,
    Subscribe,
    read,
)
from app.web.responses import Refusal, Reply, encode, masked, refused

PROTOCOL: Final = "graphql-transport-ws"
TRANSPORT: Final = "websocket"
"""What metrics call it."""

log = structlog.get_logger("kubeorch.graphql")


class Socket:
    """One websocket, from the handshake to the close."""

    def __init__(self, edge: Edge, websocket: WebSocket) -> None:
        self._edge = edge
        self._websocket = websocket
        self._settings = edge.settings
        self._request_id = request_id_of(websocket.scope)
        self._address = address_of(websocket.scope)
        self._credentials = Credentials.of_header(websocket.headers.get("authorization"))
        self._caller: Caller | None = None
        """Known once the connection is acknowledged."""
        self._initialised = asyncio.Event()
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._ending = Ending()
        self._started = 0
        self._heard = 0.0
        self._tasks = asyncio.TaskGroup()
        self._counted = ExitStack()

    async def serve(self) -> None:
        """Until either side closes."""
        with self._counted:
            try:
                check_origin(self._websocket, self._settings)
                network = network_of(self._address)
                self._counted.enter_context(self._edge.connections.from_address(network))
            except Refusal as refusal:
                await deny(self._websocket, refusal.response(self._settings.spec_mode))
                return
            open_sockets = self._edge.metrics.connections.labels(TRANSPORT)
            self._counted.enter_context(open_sockets.track_inprogress())
            spoken = PROTOCOL in self._websocket.scope["subprotocols"]
            await self._websocket.accept(PROTOCOL if spoken else None)
            if spoken:
                await self._close(await self._converse())
            else:
                await self._close(Close(Code.WRONG_PROTOCOL, f"Speak {PROTOCOL}."))

    async def _converse(self) -> Close:
        """Until something ends it: the first reason wins, and everything else is cancelled."""
        self._heard = asyncio.get_running_loop().time()
        close = Close(None)
        try:
            async with self._tasks:
                for watch in (
                    self._until_initialised(),
                    self._until_stopping(),
                    self._keep_alive(),
                ):
                    self._tasks.create_task(watch)
                await self._listen()
        except* Close as closes:
            close = next(each for each in closes.exceptions if isinstance(each, Close))
        return close

    async def _listen(self) -> NoReturn:
        while True:
            received = await self._websocket.receive()
            if received["type"] == "websocket.disconnect":
                raise Close(None)
            message = read(received.get("text"), self._settings.max_request_bytes)
            self._heard = asyncio.get_running_loop().time()
            await self._handle(message)

    async def _handle(self, message: Message) -> None:
        match message:
            case ConnectionInit(payload):
                await self._initialise(payload)
            case Ping():
                await self._send(_message(type="pong"))
            case Subscribe():
                await self._subscribe(message)
            case Complete(id_):
                task = self._operations.pop(id_, None)
                if task is not None:
                    task.cancel()

    async def _initialise(self, payload: dict[str, Any]) -> None:
        if self._initialised.is_set():
            raise Close(Code.TOO_MANY, "Too many initialisation requests")
        self._initialised.set()
        self._credentials = Credentials.of_payload(payload) or self._credentials
        caller = await self._who()
        if caller.actor is not None:
            try:
                self._counted.enter_context(self._edge.connections.of_user(caller.actor.id))
            except TooManyConnections as error:
                raise Close(Code.TOO_MANY, error.message) from error
            self._tasks.create_task(self._until_expired(caller))
            self._tasks.create_task(self._until_session_ends(caller.actor))
        self._caller = caller
        await self._send(_message(type="connection_ack"))

    async def _who(self) -> Caller:
        caller = await self._credentials.caller(self._address, self._edge.authenticate)
        if caller.refused is not None:
            raise Close(Code.FORBIDDEN, f"Forbidden: {caller.refused.message}")
        return caller

    async def _subscribe(self, message: Subscribe) -> None:
        if self._caller is None:
            raise Close(Code.UNAUTHORIZED, "Unauthorized: the connection is not acknowledged yet.")
        if message.id in self._operations:
            raise Close(Code.DUPLICATE, f"Subscriber for {message.id} already exists")
        limit = self._settings.max_operations_per_socket
        if len(self._operations) >= limit:
            text = f"This connection has {limit} operations already, which is the limit."
            await self._send(_error(message.id, Reply(refused(text, "TOO_MANY_OPERATIONS"))))
            return
        self._started += 1
        request_id = f"{self._request_id}-{self._started}"
        task = self._tasks.create_task(self._operate(message, request_id))
        self._operations[message.id] = task

    async def _operate(self, message: Subscribe, request_id: str) -> None:
        """One operation. Its id is free again before the client hears that it has ended."""
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                last = await self._results(message, request_id)
            except Close:
                raise
            except Exception:
                log.exception("unexpected error")
                last = _error(message.id, Reply(masked(request_id)))
            finally:
                if self._operations.get(message.id) is asyncio.current_task():
                    del self._operations[message.id]
            await self._send(last)

    async def _results(self, message: Subscribe, request_id: str) -> str:
        """Sends the results; the answer is what ends the operation."""
        kind = self._edge.admit(message.operation)
        if isinstance(kind, ExecutionResult):
            return _error(message.id, Reply(kind))
        caller = await self._who()
        replies = self._edge.replies(message.operation, kind, caller, request_id, self._ending)
        async with aclosing(replies):
            async for reply in replies:
                if not reply.ran:
                    return _error(message.id, reply)
                await self._send(_next(message.id, reply))
                self._edge.delivered(reply)
                del reply  # a snapshot would stay until the next one comes
        return _message(id=message.id, type="complete")

    async def _until_initialised(self) -> None:
        try:
            async with asyncio.timeout(self._settings.connection_init_seconds):
                await self._initialised.wait()
        except TimeoutError:
            raise Close(Code.TIMEOUT, "Connection initialisation timeout") from None

    async def _until_stopping(self) -> NoReturn:
        await self._edge.stopping.wait()
        raise Close(Code.RESTARTING, "Server is restarting")

    async def _until_expired(self, caller: Caller) -> NoReturn:
        await end_of_token(caller)
        await self._dismiss(EndReason.TOKEN_EXPIRED)
        raise Close(Code.FORBIDDEN, "Token expired")

    async def _until_session_ends(self, actor: Actor) -> NoReturn:
        await self._edge.end_of_session(actor)
        await self._dismiss(EndReason.SESSION_ENDED)
        raise Close(Code.FORBIDDEN, "Forbidden: The session has ended. Sign in again.")

    async def _dismiss(self, reason: EndReason) -> None:
        """Let the streams say why they end, unless the client does not listen."""
        self._ending.say(reason)
        if self._ending.heard and self._operations:
            await asyncio.wait(self._operations.values(), timeout=CLOSING_SECONDS)

    async def _keep_alive(self) -> NoReturn:
        """Ping, and end it with a client that says nothing for two pings or reads nothing."""
        seconds = self._settings.ping_seconds
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(seconds)
            deadline = self._heard + 2 * seconds
            try:
                async with asyncio.timeout_at(deadline):
                    await self._send(_message(type="ping"))
                expired = loop.time() >= deadline
            except TimeoutError:
                expired = True
            if expired:
                raise Close(Code.TIMEOUT, "No answer to pings")

    async def _send(self, message: str) -> None:
        """Waits while the client reads slowly. Text frames: browsers' clients know no others."""
        try:
            await self._websocket.send_text(message)
        except (WebSocketDisconnect, RuntimeError) as error:
            raise Close(None) from error

    async def _close(self, close: Close) -> None:
        if close.code is None:
            return
        self._edge.metrics.dropped.labels(TRANSPORT, close.code.name.lower()).inc()
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._websocket.close(close.code, close.reason)


def _message(**fields: Any) -> str:
    return encode(fields).decode()


def _next(id_: str, reply: Reply) -> str:
    """A `next` message around a body that is encoded already."""
    return f'{{"id":{encode(id_).decode()},"type":"next","payload":{reply.text}}}'


def _error(id_: str, reply: Reply) -> str:
    return _message(id=id_, type="error", payload=reply.errors)
