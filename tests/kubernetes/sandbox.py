"""The sandbox cluster as this suite asks it: over TLS, in the test's own process, in a hurry."""

import asyncio
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from app.sandbox.app import create_app
from app.sandbox.authority import ADMIN
from app.sandbox.cluster import Cluster as Emulated
from app.sandbox.cluster import SandboxSettings
from tests.kubernetes.certificates import Authority
from tests.kubernetes.clusters import Cluster

SPEED = 50.0

PROVIDED = frozenset({"api", "controllers", "pods"})
"""What tests can get of it. It knows whole tokens only: nobody signs in in another way."""


Around = Callable[[ASGIApp], ASGIApp]


@asynccontextmanager
async def sandbox(
    *, speed: float = SPEED, around: Around = lambda app: app
) -> AsyncIterator[Cluster]:
    """An empty sandbox cluster on a loopback port while the block runs; `around` wraps it."""
    authority, token = Authority(), secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as folder:
        authority.server("127.0.0.1", "localhost").write(Path(folder), "server")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        async with AsyncExitStack() as stack:
            emulated = Emulated(SandboxSettings(token=token, speed=speed))

            async def start() -> None:
                served = _served(around(create_app(emulated)), port, Path(folder))
                await stack.enter_async_context(served)
                stack.callback(emulated.close)  # it ends watches, for which a server waits

            async def restart() -> None:
                await stack.aclose()
                emulated.store.compact()  # objects outlive the server, what watches missed does not
                await start()

            await start()
            yield Cluster(
                name="sandbox",
                server=f"https://127.0.0.1:{port}",
                ca=authority.pem,
                token=token,
                user=ADMIN,
                platform="sandbox",
                nodes=1,
                has_kubelet=True,
                restart=restart,
                lend=lambda: _lent(emulated),
            )


@asynccontextmanager
async def _lent(emulated: Emulated) -> AsyncIterator[str]:
    token = secrets.token_hex(16)
    emulated.authority.grant(token, "guest", allowed=())
    try:
        yield token
    finally:
        emulated.authority.revoke(token)


class _Server(uvicorn.Server):
    """uvicorn that says when it is up, and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@asynccontextmanager
async def _served(app: ASGIApp, port: int, folder: Path) -> AsyncIterator[None]:
    server = _Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            http="httptools",
            lifespan="on",
            log_config=None,
            access_log=False,
            ssl_certfile=folder / "server.crt",
            ssl_keyfile=str(folder / "server.key"),
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve())
    up = asyncio.create_task(server.up.wait())
    await asyncio.wait({serving, up}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        up.cancel()
        server.should_exit = True
        await serving
