"""A provider of OpenID Connect on a real socket, that rotates its refresh tokens or doesn't.

Its id tokens are signed, and its keys can be asked for, so that an API server believes them.
"""

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import parse_qs, unquote

from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.kube.serving import Asked, Server
from tests.secrecy import keep_secret

CLIENT, CLIENT_SECRET = "kubernetes", "p&ss"
PERSON = "alice"
"""Who has signed in."""

_KEY_ID = "tests"


@cache
def signing_key(name: str = "provider") -> rsa.RSAPrivateKey:
    """The key of that name: another for each."""
    return rsa.generate_private_key(65_537, 2_048)


def id_token(
    name: str,
    *,
    ends: float,
    issuer: str = "https://issuer.test",
    key: rsa.RSAPrivateKey | None = None,
    **more: object,
) -> str:
    """A JWT, signed by the provider's key or another; `ends` is seconds from now."""
    now = int(time.time())
    body = {"iss": issuer, "aud": CLIENT, "sub": name, "iat": now - 3_600, "exp": now + int(ends)}
    head = {"alg": "RS256", "typ": "JWT", "kid": _KEY_ID}
    signed = f"{_encoded_json(head)}.{_encoded_json({**body, **more})}"
    signature = (key or signing_key()).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return keep_secret(f"{signed}.{_encoded(signature)}", "an id token")


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
        self.server.routes["GET /keys"] = self._keys
        self.server.routes["POST /token"] = self._token

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def renewals(self) -> list[Asked]:
        return [asked for asked in self.server.asked if asked.path == "/token"]

    async def _describe(self, _: web.Request) -> web.Response:
        told = {
            "issuer": self.url,
            "token_endpoint": self.endpoint or f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        methods = {"token_endpoint_auth_methods_supported": self.methods} if self.methods else {}
        return web.json_response({**told, **methods})

    async def _keys(self, _: web.Request) -> web.Response:
        public = signing_key().public_key().public_numbers()
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": _KEY_ID,
            "n": _encoded(public.n.to_bytes(256)),
            "e": _encoded(public.e.to_bytes(3)),
        }
        return web.json_response({"keys": [key]})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        if "Authorization" in request.headers:
            encoded = request.headers["Authorization"].removeprefix("Basic ")
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
            form |= {"client_id": unquote(name), "client_secret": unquote(secret)}
        secrets = (None, CLIENT_SECRET)
        if form.get("client_id") != CLIENT or form.get("client_secret") not in secrets:
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("grant_type") != "refresh_token" or form["refresh_token"] not in self.refreshes:
            return web.json_response({"error": "invalid_grant"}, status=400)
        number = len(self.issued)
        self.issued.append(
            id_token(PERSON, ends=self.lifetime, issuer=self.url, jti=f"number {number}")
        )
        answer = {"access_token": "x", "token_type": "Bearer", "id_token": self.issued[-1]}
        if self.rotates:
            self.refreshes = {f"refresh-{len(self.issued)}"}
            answer["refresh_token"] = f"refresh-{len(self.issued)}"
        return web.json_response(answer)


def _encoded_json(value: Mapping[str, object]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
