"""The sandbox cluster as an ASGI application of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.routing import Route

from app.sandbox import controllers, definitions
from app.sandbox.beginning import begin
from app.sandbox.cluster import Cluster, SandboxSettings
from app.sandbox.web.endpoints import Endpoint

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def create_app(made: SandboxSettings | Cluster) -> Starlette:
    """The application; `app.state.cluster` is what it serves.

    A cluster instead of settings lives on behind a server that is started again.
    """
    served = made if isinstance(made, Cluster) else Cluster(made)
    if not served.store.list(served.registry.of("Namespace", "")):
        begin(served)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        served.closing = False
        async with contextlib.AsyncExitStack() as stack:
            task = asyncio.create_task(definitions.running(served))
            stack.push_async_callback(_ended, task)
            await stack.enter_async_context(
                controllers.running(served.store, served.registry, served.speed)
            )
            yield
            served.close()

    endpoint = Endpoint(served)
    route = Route("/{path:path}", endpoint.__call__, methods=METHODS)
    app = Starlette(routes=[route], lifespan=lifespan)
    app.state.cluster = served
    return app


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
