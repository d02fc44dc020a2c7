"""A real server on a loopback port, in the test's own event loop."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from socket import socket as Socket  # noqa: N812
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.metrics import Metrics
from app.settings import Settings
from app.web.cohorts import Cohorts
from app.web.connections import Connections
from app.web.edge import Edge
from app.web.graphql import GraphQLEndpoint
from schema.limits import Limits
from tests.web import toy

PROTOCOL = "graphql-transport-ws"


class Server(uvicorn.Server):
    """uvicorn that says when it is up, and leaves signals alone."""

    def __init__(self, app: ASGIApp, *, max_message: int, lifespan: str) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="websockets-sansio",
                lifespan=lifespan,  # type: ignore[arg-type]
                log_config=None,
                access_log=False,
                ws_ping_interval=None,
                ws_max_size=max_message,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=5,
            )
        )
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[Socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def serving(
    app: ASGIApp, *, max_message: int = 2**24, lifespan: str = "off"
) -> AsyncIterator[str]:
    """Serve `app`; the value is `host:port`."""
    with Socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = Server(app, max_message=max_message, lifespan=lifespan)
        running = asyncio.create_task(server.serve([listener]))
        up = asyncio.create_task(server.up.wait())
        await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
        try:
            yield "{}:{}".format(*listener.getsockname())
        finally:
            up.cancel()
            server.should_exit = True
            await running


class Talk:
    """A websocket client that speaks JSON and remembers how it ended."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, type_: str, **more: Any) -> None:
        await self.connection.send(json.dumps({"type": type_, **more}))

    async def subscribe(self, id_: str, query: str, **more: Any) -> None:
        await self.say("subscribe", id=id_, payload={"query": query, **more})

    async def hear(self) -> dict[str, Any]:
        """The next message that is not a ping."""
        async with asyncio.timeout(5):
            while True:
                text = await self.connection.recv()
                assert isinstance(text, str), "clients expect text frames"
                message: dict[str, Any] = json.loads(text)
                if message["type"] != "ping":
                    return message

    async def closed(self) -> tuple[int, str]:
        """The close code and reason, once the server closes; other messages are skipped."""
        try:
            while True:
                await self.hear()
        except ConnectionClosed as ended:
            assert ended.rcvd is not None, "the server closed without a close frame"
            return ended.rcvd.code, ended.rcvd.reason


@asynccontextmanager
async def socket_to(
    address: str, *, subprotocols: tuple[str, ...] = (PROTOCOL,), **options: Any
) -> AsyncIterator[Talk]:
    """A websocket on which nothing has been said yet."""
    async with connect(
        f"ws://{address}/graphql",
        subprotocols=subprotocols or None,  # type: ignore[arg-type]
        ping_interval=None,
        **options,
    ) as connection:
        yield Talk(connection)


@asynccontextmanager
async def connected(
    address: str, payload: Mapping[str, Any] | None = None, **options: Any
) -> AsyncIterator[Talk]:
    """A websocket whose connection is acknowledged."""
    async with socket_to(address, **options) as talk:
        await talk.say("connection_init", payload=payload)
        assert (await talk.hear())["type"] == "connection_ack"
        yield talk


@dataclass
class Live:
    """A running toy server."""

    address: str
    edge: Edge
    world: toy.World
    http: httpx.AsyncClient

    async def post(
        self, query: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        body = {"query": query, **more}
        return await self.http.post("/graphql", json=body, headers=dict(headers or {}))

    async def ask(self, query: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.post(query, **more)).json()
        return answer

    async def until_open(self, number: int) -> None:
        """Until so many websockets and streams are open; nothing announces it."""
        async with asyncio.timeout(5):
            while self.edge.connections.open != number:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    def socket(self, **options: Any) -> AbstractAsyncContextManager[Talk]:
        return socket_to(self.address, **options)

    def talk(
        self, payload: Mapping[str, Any] | None = None, **options: Any
    ) -> AbstractAsyncContextManager[Talk]:
        """A socket whose connection is acknowledged."""
        return connected(self.address, payload, **options)


@asynccontextmanager
async def live(
    *,
    limits: Limits | None = None,
    max_message: int = 2**24,
    middleware: Sequence[Middleware] = (),
    **settings: Any,
) -> AsyncIterator[Live]:
    """A toy server with these settings."""
    world = toy.World()
    chosen, metrics = Settings(**settings), Metrics()
    edge = Edge(
        schema=toy.schema(limits),
        settings=chosen,
        authenticate=world.authenticate,
        session_ended=world.session_ended,
        context=lambda caller, id_, ending: toy.Context(world, id_, caller, ending),
        stopping=asyncio.Event(),
        connections=Connections(
            per_address=chosen.max_sockets_per_address, per_user=chosen.max_sockets_per_user
        ),
        metrics=metrics,
        cohorts=Cohorts(metrics),
    )
    endpoint = GraphQLEndpoint(edge)
    routes = [Route("/graphql", endpoint), WebSocketRoute("/graphql", endpoint)]
    app = Starlette(routes=routes, middleware=middleware)
    async with (
        serving(app, max_message=max_message) as address,
        httpx.AsyncClient(base_url=f"http://{address}", timeout=5) as http,
    ):
        yield Live(address, edge, world, http)
        world.gate.set()
        edge.stopping.set()
