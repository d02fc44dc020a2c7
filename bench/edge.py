"""What the edge costs: requests per second of a query of two fields, ours against Strawberry's own.

Both serve the same types, in this process, in the same run: `python -m bench.edge`. There are no
sockets between, so that the load generator and HTTP parsing do not hide the difference.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import strawberry
from strawberry.asgi import GraphQL

from app.domain.errors import Unauthenticated
from app.domain.ids import Id
from app.metrics import Metrics
from app.settings import Settings
from app.web.cohorts import Cohorts
from app.web.connections import Connections
from app.web.edge import Edge
from app.web.graphql import GraphQLEndpoint
from schema.execution import Schema

BODY = orjson.dumps({"query": "query Greeting { hello answer }"})
REQUESTS = 1_000
ROUNDS = 7

App = Callable[..., Awaitable[None]]


@strawberry.type
class Query:
    """Two fields that cost nothing."""

    @strawberry.field
    def hello(self) -> str:
        return "world"

    @strawberry.field
    def answer(self) -> int:
        return 42


class Context:
    """The least that the edge asks of a context."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id


async def nobody(_token: str) -> Any:
    raise Unauthenticated


async def for_ever(_session_id: Id) -> None:
    await asyncio.Event().wait()


def ours() -> App:
    metrics = Metrics()
    return GraphQLEndpoint(
        Edge(
            schema=Schema(Query),
            settings=Settings(),
            authenticate=nobody,
            session_ended=for_ever,
            context=lambda _caller, request_id, _ending: Context(request_id),
            stopping=asyncio.Event(),
            connections=Connections(per_address=1, per_user=1),
            metrics=metrics,
            cohorts=Cohorts(metrics),
        )
    )


def stock() -> App:
    return GraphQL(strawberry.Schema(Query))


async def ask(app: App) -> int:
    """One request; the status of its answer."""
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"accept", b"application/json")],
        "client": ("127.0.0.1", 1),
        "state": {"request_id": "bench"},
    }
    await app(scope, receive, send)
    return status


async def rate(app: App) -> float:
    """Requests per second."""
    started = time.perf_counter()
    for _ in range(REQUESTS):
        assert await ask(app) == 200
    return REQUESTS / (time.perf_counter() - started)


async def main() -> None:
    apps = {"stock": stock(), "ours": ours()}
    rates: dict[str, list[float]] = {name: [] for name in apps}
    for app in apps.values():
        await ask(app)
    for _ in range(ROUNDS):
        for name, app in apps.items():
            rates[name].append(await rate(app))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name, value in medians.items():
        print(f"{name:6} {value:8.0f} requests/s")
    print(f"ratio  {medians['ours'] / medians['stock']:8.1f}")


if __name__ == "__main__":
    asyncio.run(main())
