"""Small API servers on real sockets, that answer what a test wants and remember what was asked."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.kubernetes.certificates import Pair

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    certificate: dict[str, Any] | None

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """Answers by `routes`, whose keys are as `GET /version`; what is not there is a 404."""

    routes: dict[str, Handler] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    allow: Callable[[Asked], bool] = lambda _: True
    """Whether a request is let in; else it is a 401."""
    port: int = 0
    scheme: str = "https"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def answers(self, route: str, *bodies: Any, status: int = 200, **headers: str) -> None:
        """Answer these in turn, and the last for ever."""
        left = list(bodies)

        async def answer(_: web.Request) -> web.Response:
            body = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(body, web.Response):
                return body
            return web.json_response(body, status=status, headers=_dashed(headers))

        self.routes[route] = answer

    def refuses(self, route: str, code: int, message: str = "no", **more: Any) -> None:
        """Answer a Status."""
        headers = more.pop("headers", None)

        async def answer(_: web.Request) -> web.Response:
            return web.json_response(status(code, message, **more), status=code, headers=headers)

        self.routes[route] = answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        asked = Asked(
            method=request.method,
            path=request.raw_path.partition("?")[0],
            query=dict(request.query),
            headers=dict(request.headers),
            body=await request.read(),
            certificate=transport.get_extra_info("peercert") if transport else None,
        )
        self.asked.append(asked)
        if not self.allow(asked):
            return web.json_response(status(401, "Unauthorized"), status=401)
        handler = self.routes.get(f"{asked.method} {asked.path}")
        if handler is None:
            return web.json_response(status(404, "not found"), status=404)
        return await handler(request)


def status(code: int, message: str, **more: Any) -> dict[str, Any]:
    """A failure as Kubernetes words it."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "code": code,
        **more,
    }


def context(pair: Pair, folder: Path, *, clients: bytes | None = None) -> ssl.SSLContext:
    """TLS for a server; with `clients`, who connects needs a certificate of that authority."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = pair.write(folder, "server")
    made.load_cert_chain(certificate, key)
    if clients is not None:
        made.load_verify_locations(cadata=clients.decode())
        made.verify_mode = ssl.CERT_REQUIRED
    return made


@asynccontextmanager
async def serving(
    server: Server, tls: ssl.SSLContext | None, *, port: int = 0
) -> AsyncIterator[Server]:
    """The server, listening on loopback."""

    application = web.Application(client_max_size=2**27)
    application.router.add_route("*", "/{any:.*}", server.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        server.port = runner.addresses[0][1]
        server.scheme = "https" if tls else "http"
        yield server
    finally:
        await runner.cleanup()


def _dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
