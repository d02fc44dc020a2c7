"""The HTTP server, and the order in which it leaves.

First nothing new comes in and streams end, then requests in flight finish, then the application
closes what it opened; whoever started the database stops it after that.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from starlette.applications import Starlette

from app.commands.protocol import patient
from app.settings import Settings

BACKLOG = 2048
GARBAGE = (50_000, 2, 2)
"""When to look for cycles. An event on its way to thousands of sockets is thousands of short lives;
Python's usual 700 would take each for garbage to look for, and stop everybody for seconds."""
FORCED_SECONDS = 3.0
"""How long the application may take to close what it opened when it was told twice to stop."""


class Server(uvicorn.Server):
    """uvicorn, told when to stop by `stop()` alone: the caller owns the process's signals.

    `ready` is awaited when connections are accepted, before the first tick.
    """

    def __init__(
        self, app: Starlette, settings: Settings, *, ready: Callable[[], Awaitable[None]]
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=patient(settings.request_seconds),
                ws="websockets-sansio",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                backlog=BACKLOG,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies,
                timeout_graceful_shutdown=settings.shutdown_seconds,
                ws_max_size=settings.max_request_bytes,
                ws_ping_interval=settings.ping_seconds,
                ws_ping_timeout=settings.ping_seconds,
                # A compressor per websocket would cost more memory than it saves traffic.
                ws_per_message_deflate=False,
            )
        )
        self._app = app
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn would raise the signal again, and end us before the database stops."""
        yield

    def stop(self, *, at_once: bool = False) -> None:
        """Stop in good order; at once, or asked a second time, drop what is still in flight."""
        if at_once or self.should_exit:
            self.force_exit = True
            for task in self.server_state.tasks:
                task.cancel()
            for connection in self.server_state.connections:
                connection.transport.abort()
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:
            return
        try:
            await self._ready()
        except BaseException:
            await self.shutdown(sockets)
            raise

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.services.stopping.set()
        await super().shutdown(sockets)
        if self.force_exit:
            # uvicorn would leave it out; but what the application holds open would keep the
            # database from stopping, and the application from noticing that it has.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FORCED_SECONDS):
                    await self.lifespan.shutdown()


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, not yet listening; raises OSError when it is taken."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sys.platform == "linux":
            # A peer that takes nothing any more would else hold its connection for a quarter hour.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 60_000)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def url(listener: socket.socket) -> str:
    """Where a person on this machine finds the server: wildcards become loopback."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
