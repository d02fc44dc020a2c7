"""A sandbox cluster in the test's process, without controllers, and a client of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from app.sandbox.beginning import begin
from app.sandbox.cluster import Cluster, SandboxSettings
from app.sandbox.web.endpoints import Endpoint

TOKEN = "the-token-of-the-administrator"
MAPS = "/api/v1/namespaces/default/configmaps"


def cluster(history: int = 10_000) -> Cluster:
    """A cluster in which nothing moves by itself."""
    made = Cluster(SandboxSettings(token=TOKEN, history=history))
    begin(made)
    return made


@asynccontextmanager
async def client(served: Cluster, token: str = TOKEN) -> AsyncIterator[httpx.AsyncClient]:
    """A client; a stream arrives when it has ended."""
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", Endpoint(served).__call__, methods=methods)])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://sandbox",
        headers={"Authorization": f"Bearer {token}", "User-Agent": "tests/1"},
    ) as made:
        yield made
