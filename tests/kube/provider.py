"""A provider of OpenID Connect on a real socket, that rotates its refresh tokens or doesn't."""

import base64
import json
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote

from aiohttp import web

from tests.kube.serving import Asked, Server


def id_token(name: str, *, ends: float) -> str:
    """A JWT that nobody here verifies; `ends` is seconds from now."""

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    head, body = part({"alg": "RS256"}), part({"sub": name, "exp": int(time.time() + ends)})
    return f"{head}.{body}.c2lnbmF0dXJl"


@dataclass
class Provider:
    """`refreshes` are the tokens that it takes now; `lifetime` of new id tokens is in seconds."""

    server: Server
    refreshes: set[str] = field(default_factory=lambda: {"refresh-0"})
    rotates: bool = False
    lifetime: float = 3_600.0
    methods: list[str] | None = field(default_factory=lambda: ["client_secret_post"])
    endpoint: str | None = None
    issued: list[str] = field(default_factory=list)
    """All id tokens, in order."""

    def __post_init__(self) -> None:
        self.server.routes["GET /.well-known/openid-configuration"] = self._describe
        self.server.routes["POST /token"] = self._token

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def renewals(self) -> list[Asked]:
        return [asked for asked in self.server.asked if asked.path == "/token"]

    async def _describe(self, _: web.Request) -> web.Response:
        endpoint = self.endpoint or f"{self.url}/token"
        told = {"issuer": self.url, "token_endpoint": endpoint}
        methods = {"token_endpoint_auth_methods_supported": self.methods} if self.methods else {}
        return web.json_response({**told, **methods})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        if "Authorization" in request.headers:
            encoded = request.headers["Authorization"].removeprefix("Basic ")
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
            form |= {"client_id": unquote(name), "client_secret": unquote(secret)}
        if form.get("client_id") != "kubernetes" or form.get("client_secret") not in (None, "p&ss"):
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("grant_type") != "refresh_token" or form["refresh_token"] not in self.refreshes:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.issued.append(id_token(f"alice-{len(self.issued)}", ends=self.lifetime))
        answer = {"access_token": "x", "token_type": "Bearer", "id_token": self.issued[-1]}
        if self.rotates:
            self.refreshes = {f"refresh-{len(self.issued)}"}
            answer["refresh_token"] = f"refresh-{len(self.issued)}"
        return web.json_response(answer)
