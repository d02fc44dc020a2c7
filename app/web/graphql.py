"""The GraphQL endpoint: queries and mutations over HTTP, and the way to streams and websockets.

An ASGI application of its own over `schema.execute` and `schema.subscribe`. Strawberry's view
offers hooks instead, but status codes, refusals, deadlines, streams and sockets would each have to
replace one, and what remained would be the order in which they are called.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.types import ExecutionResult

from app.realtime.ending import Ending
from app.settings import SpecMode
from app.web.callers import Caller, Credentials
from app.web.edge import Edge, Replies, address_of, request_id_of
from app.web.events import EventStream
from app.web.explorer import ExplorerPage, wants_page
from app.web.operations import Malformed, Operation
from app.web.responses import Media, Outcome, Refusal, Reply, negotiate, respond
from app.web.sockets import Socket

WATCH_AFTER: Final = 0.1
"""Seconds before a query is worth a task that watches whether its client is still there."""


class ClientGone(Exception):
    """Nobody waits for the answer."""


class GraphQLEndpoint:
    """Serves one path, for both kinds of connection."""

    def __init__(self, edge: Edge, explorer: ExplorerPage | None = None) -> None:
        self._edge = edge
        self._explorer = explorer
        self._mode = edge.settings.spec_mode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await Socket(self._edge, WebSocket(scope, receive, send)).serve()
            return
        try:
            response = await self._answer(Request(scope, receive), receive)
        except Refusal as refusal:
            response = refusal.response(self._mode)
        except (ClientGone, ClientDisconnect):
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request, receive: Receive) -> ASGIApp:
        if self._explorer is not None and wants_page(request):
            return self._explorer.page(request)
        if request.method not in {"GET", "POST"}:
            raise _wrong_method("GraphQL is served by GET and POST.", "GET, POST")
        accepted = negotiate(request.headers.get("accept", "")[:1024])
        if accepted.media is None and self._mode is SpecMode.DRAFT:
            text = f"Accept one of {', '.join(Media)}."
            raise Refusal(Outcome.NOT_ACCEPTABLE, "NOT_ACCEPTABLE", text)
        operation = await _read(request)
        kind = self._edge.admit(operation)
        if isinstance(kind, ExecutionResult):
            if accepted.media is Media.EVENTS:
                return EventStream(self._edge, _only(kind), Caller(address_of(request.scope)))
            return respond(kind, accepted.media or Media.JSON, self._mode)
        if kind is OperationType.MUTATION and request.method == "GET":
            raise _wrong_method("Mutations are sent by POST.", "POST")
        if kind is OperationType.SUBSCRIPTION and not accepted.events:
            raise Refusal(
                Outcome.REFUSED,
                "SUBSCRIPTION_NEEDS_STREAM",
                "Subscriptions need a websocket that speaks graphql-transport-ws, or "
                f"`Accept: {Media.EVENTS}`.",
            )
        return await self._run(request, receive, operation, kind, accepted.media or Media.JSON)

    async def _run(
        self,
        request: Request,
        receive: Receive,
        operation: Operation,
        kind: OperationType,
        media: Media,
    ) -> ASGIApp:
        edge = self._edge
        credentials = Credentials.of_header(request.headers.get("authorization"))
        caller = await credentials.caller(address_of(request.scope), edge.authenticate)
        request_id = request_id_of(request.scope)
        if media is Media.EVENTS or kind is OperationType.SUBSCRIPTION:
            ending = Ending()
            replies = edge.replies(operation, kind, caller, request_id, ending)
            return EventStream(edge, replies, caller, ending)
        if kind is OperationType.MUTATION:
            return respond(await edge.run(operation, kind, caller, request_id), media, self._mode)
        async with _while_connected(receive):
            result = await edge.run(operation, kind, caller, request_id)
        return respond(result, media, self._mode)


def _wrong_method(text: str, allow: str) -> Refusal:
    return Refusal(Outcome.WRONG_METHOD, "METHOD_NOT_ALLOWED", text, allow=allow)


async def _read(request: Request) -> Operation:
    """What is asked for. Raises Refusal."""
    if request.method == "POST" and not _is_json(request.headers.get("content-type", "")):
        text = "Send `Content-Type: application/json`, in UTF-8."
        raise Refusal(Outcome.WRONG_TYPE, "UNSUPPORTED_MEDIA_TYPE", text)
    try:
        if request.method == "GET":
            return Operation.of_parameters(request.query_params)
        return Operation.of_body(await request.body())
    except Malformed as error:
        outcome = Outcome.UNREADABLE if error.unreadable else Outcome.MALFORMED
        raise Refusal(outcome, "MALFORMED_REQUEST", error.message) from error


def _is_json(content_type: str) -> bool:
    name, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = {part[8:].strip('"') for part in parameters if part.startswith("charset=")}
    return name == "application/json" and charsets <= {"utf-8", "utf8"}


async def _only(result: ExecutionResult) -> Replies:
    yield Reply(result)


@asynccontextmanager
async def _while_connected(receive: Receive) -> AsyncIterator[None]:
    """Cancels what is done inside when the client leaves; raises ClientGone then."""
    task = asyncio.current_task()
    watcher: asyncio.Task[None] | None = None
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        if task is not None:
            task.cancel()

    def start() -> None:
        nonlocal watcher
        watcher = asyncio.create_task(watch())

    timer = asyncio.get_running_loop().call_later(WATCH_AFTER, start)
    try:
        yield
    except asyncio.CancelledError:
        if gone and task is not None:
            task.uncancel()
            raise ClientGone from None
        raise
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()
