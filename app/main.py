"""The application: routes, middleware, and what lives as long as the process."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from strawberry.http.websocket_origin import normalize_allowed_origins

import schema
from app.bootstrap import bootstrap
from app.services import Ending, Services
from app.settings import Settings
from app.web import health, metrics, requests
from app.web.callers import Caller
from app.web.cohorts import Cohorts
from app.web.connections import Connections
from app.web.edge import Edge
from app.web.explorer import ExplorerPage
from app.web.graphql import GraphQLEndpoint
from schema.context import Context
from schema.limits import Limits

PATH: Final = "/graphql"
PATHS: Final = (PATH, "/")
"""Clients may take the server's address for the endpoint: the root answers them too."""

FINISH_SECONDS: Final = 10.0
"""How long the end of the process waits for mutations whose callers have left."""

Bootstrap = Callable[[Settings], AbstractAsyncContextManager[Services]]

log = structlog.get_logger("kubeorch")


def create_app(settings: Settings, *, bootstrap: Bootstrap = bootstrap) -> Starlette:
    """The ASGI application. From its start on, `app.state.services` has the services.

    Whoever stops the server sets `app.state.services.stopping` first, so that streams end.
    """
    explorer = ExplorerPage(settings.explorer)
    graphql = _GraphQL()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with bootstrap(settings) as services:
            edge = edge_of(settings, services)
            graphql.endpoint = GraphQLEndpoint(edge, explorer)
            app.state.services = services
            yield
            services.stopping.set()
            if left := await edge.finish(FINISH_SECONDS):
                log.error("mutations were not finished in time", number=left)

    return Starlette(
        routes=[
            *(Route(path, _HomePage(graphql) if path == "/" else graphql) for path in PATHS),
            *(WebSocketRoute(path, graphql) for path in PATHS),
            *explorer.routes(),
            *health.routes,
            *metrics.routes,
        ],
        middleware=[*_cross_origin(settings), *requests.stack(settings)],
        lifespan=lifespan,
    )


def edge_of(settings: Settings, services: Services) -> Edge:
    """The GraphQL edge over these services."""

    def context(caller: Caller, request_id: str, ending: Ending) -> Context:
        return Context(
            services=services,
            ending=ending,
            request_id=request_id,
            address=caller.address,
            actor=caller.actor,
            refused=caller.refused,
        )

    return Edge(
        schema=schema.build(limits_of(settings)),
        settings=settings,
        authenticate=services.accounts.actor_of,
        session_ended=services.accounts.session_ended,
        context=context,
        stopping=services.stopping,
        connections=Connections(
            per_address=settings.max_sockets_per_address,
            per_user=settings.max_sockets_per_user,
        ),
        metrics=services.metrics,
        cohorts=Cohorts(services.metrics),
    )


def limits_of(settings: Settings) -> Limits:
    """The settings that are limits of documents."""
    return Limits(
        tokens=settings.max_tokens,
        depth=settings.max_depth,
        aliases=settings.max_aliases,
        root_fields=settings.max_root_fields,
        mutations=settings.max_mutations,
        cost=settings.max_cost,
        introspection=settings.introspection,
    )


class _GraphQL:
    """Stands in the routes for the endpoint, which needs the services and so the event loop."""

    endpoint: GraphQLEndpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.endpoint(scope, receive, send)


class _HomePage:
    """The endpoint at the root, but for people, who are led to GraphiQL's own address."""

    def __init__(self, graphql: _GraphQL) -> None:
        self._graphql = graphql

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET" and not scope["query_string"]:
            await RedirectResponse(PATH)(scope, receive, send)
        else:
            await self._graphql(scope, receive, send)


def _cross_origin(settings: Settings) -> list[Middleware]:
    """Without named origins, a browser lets no other site's page read our answers."""
    origins = sorted(normalize_allowed_origins(settings.allowed_origins))
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", requests.HEADER],
            expose_headers=[requests.HEADER],
        )
    ]
