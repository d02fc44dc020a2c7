"""Id tokens of an OpenID Connect session, renewed before they expire.

The rules are those of OpenID Connect Core 12 (refresh) and Discovery 4, read strictly where
credentials are at stake: verification is always on, redirects are never followed, and the address
of the token endpoint, which the issuer chooses, passes the same policy as a cluster's.
"""

import asyncio
import base64
import binascii
import math
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import orjson

from app.domain.access import OidcSession
from app.domain.errors import ClusterError, ClusterFault
from app.kube import dialling
from app.kube.addresses import AddressPolicy, check_url
from app.kube.client import Renewed
from app.kube.endpoint import Endpoint
from app.kube.errors import BROKEN, translate, unusable
from app.kube.proofs import check_token

_LEEWAY = 60.0
"""Seconds before its end at which an id token is no longer used."""
_SHORTEST_USE = 10.0
"""Seconds for which a new id token is used, whatever it says: clocks differ."""
_SECONDS = 15.0
_LARGEST = 256 * 1024
_DEAD = {"invalid_grant", "invalid_client", "unauthorized_client", "access_denied"}


class OidcTokens:
    """The id tokens of one session. Renewing happens once for all who wait for it."""

    def __init__(
        self, session: OidcSession, policy: AddressPolicy, renewed: Renewed | None = None
    ) -> None:
        self._session = session
        self._policy = replace(policy, plain_http_loopback=False)
        self._renewed = renewed
        self._unsaved: OidcSession | None = None
        self._used_until = _expiry(session.id_token) - _LEEWAY
        self._task: asyncio.Task[str] | None = None
        self._past: set[str] = set()
        self._replacement: str | None = None
        self._replaced_at = 0.0

    @property
    def secrets(self) -> list[str | None]:
        """What must never be repeated."""
        session = self._session
        now = [session.client_secret, session.refresh_token, session.id_token]
        pair = [_basic(session)] if session.client_secret else []
        return [*now, *pair, *self._past]

    async def token(self) -> str:
        """An id token that is good for some time. Raises ClusterError."""
        token = self._session.id_token
        if token and time.time() < self._used_until and self._unsaved is None:
            return token
        return await self._once(token)

    async def another(self, rejected: str) -> str:
        """A newer token than the one that the cluster rejected. Raises ClusterError.

        When the newer one is rejected as well, it is not the token's fault: the provider is then
        left alone for a while, and the same token is answered.
        """
        token = self._session.id_token
        if token and token != rejected:
            return token
        if rejected == self._replacement and time.time() < self._replaced_at + _SHORTEST_USE:
            return rejected
        self._replacement = await self._once(rejected)
        self._replaced_at = time.time()
        return self._replacement

    async def close(self) -> None:
        """Wait until renewing ends: what the provider has rotated must be stored."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _once(self, outdated: str | None) -> str:
        """One renewal at a time; it goes on when the caller has given up."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._renew(outdated))
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._task)

    async def _renew(self, outdated: str | None) -> str:
        """Ask the provider, then store what it gave; only the latter when it failed before."""
        if self._unsaved is None:
            try:
                after = await self._refreshed()
            except ClusterError as error:
                if error.fault is not ClusterFault.SIGN_IN_AGAIN:
                    raise
                # Another replica may have used the refresh token, and that was its last use.
                if not await self._store(self._session):
                    raise
                if self._session.id_token != outdated and time.time() < self._used_until:
                    return self._session.id_token or ""
                after = await self._refreshed()
            self._unsaved = self._session
            self._take(after)
        token = self._session.id_token or ""
        await self._store(self._unsaved)
        self._unsaved = None
        return token

    async def _store(self, before: OidcSession) -> bool:
        """Store the session in place of `before`; True if another was faster and is taken over.

        What is stored is kept to the letter: the next renewal is compared with it.
        """
        if self._renewed is None:
            return False
        stored = await self._renewed(before, self._session)
        if stored == self._session:
            return False
        self._take(stored)
        return True

    def _take(self, session: OidcSession) -> None:
        """Use a session from now on; what it replaces may still be in answers under way."""
        old = self._session
        self._past = {text for text in (old.refresh_token, old.id_token) if text}
        ends = _expiry(session.id_token) - _LEEWAY
        new = session.id_token is not None and session.id_token != old.id_token
        self._used_until = max(ends, time.time() + _SHORTEST_USE) if new and ends > 0 else ends
        self._session = session

    async def _refreshed(self) -> OidcSession:
        """The session as the provider renews it."""
        issuer = self._session.issuer_url
        wrong = check_url(issuer, self._policy)
        if wrong:
            raise _not_dialled(wrong)
        try:
            async with asyncio.timeout(_SECONDS):
                return await self._ask_provider(issuer.rstrip("/"))
        except BROKEN as error:
            endpoint = self._endpoint(issuer)
            raise _of_provider(translate(error, endpoint, seconds=_SECONDS)) from None

    async def _ask_provider(self, issuer: str) -> OidcSession:
        found = await self._fetch("GET", f"{issuer}/.well-known/openid-configuration")
        where = found.get("token_endpoint")
        if not isinstance(where, str):
            raise _of_provider(
                ClusterError(ClusterFault.UNAVAILABLE, "It names no token endpoint.")
            )
        methods = found.get("token_endpoint_auth_methods_supported")
        answer = await self._fetch("POST", where, *self._grant(methods))
        token, refresh = answer.get("id_token"), answer.get("refresh_token")
        if not isinstance(token, str) or check_token(token):
            raise ClusterError(
                ClusterFault.SIGN_IN_AGAIN,
                "The identity provider renewed the session without an id token. Sign in again "
                "with the scope 'openid', and hand in the new refresh token.",
            )
        kept = refresh if isinstance(refresh, str) and refresh else self._session.refresh_token
        return self._session.model_copy(update={"id_token": token, "refresh_token": kept})

    def _grant(self, methods: object) -> tuple[dict[str, str], dict[str, str]]:
        """The form and the headers of a refresh."""
        session = self._session
        form = {
            "grant_type": "refresh_token",
            "refresh_token": session.refresh_token,
            "client_id": session.client_id,
        }
        if not session.client_secret:
            return form, {}
        if isinstance(methods, list) and "client_secret_post" in methods:
            return {**form, "client_secret": session.client_secret}, {}
        return form, {"Authorization": f"Basic {_basic(session)}"}

    async def _fetch(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        wrong = check_url(url, self._policy, query=True)
        if wrong:
            raise _not_dialled(wrong)
        endpoint = self._endpoint(url)
        try:
            context = ssl.create_default_context(cadata=self._session.issuer_ca)
        except (ssl.SSLError, ValueError):
            raise _of_provider(unusable("certificate authority", endpoint)) from None
        guard = dialling.Guard(self._policy)
        async with (
            aiohttp.ClientSession(
                connector=dialling.connector(guard, context),
                trace_configs=[dialling.no_redirects()],
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(sock_connect=dialling.CONNECT_SECONDS),
                trust_env=False,
            ) as session,
            session.request(
                method, url, data=form, headers={"Accept": "application/json", **(headers or {})}
            ) as response,
        ):
            raw = await dialling.read(response, _LARGEST)
            return self._read(response.status, raw, endpoint)

    def _read(self, status: int, raw: bytes, endpoint: Endpoint) -> dict[str, Any]:
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            body = None
        if status == 200 and isinstance(body, dict):
            return body
        told = body.get("error") if isinstance(body, dict) else None
        code = told if isinstance(told, str) else ""
        if code in _DEAD and 400 <= status < 500:
            raise ClusterError(
                ClusterFault.SIGN_IN_AGAIN,
                f"The identity provider does not renew the session ({code}). Sign in again, and "
                "hand in the new refresh token.",
            )
        says = f" and says: {endpoint.clean(code, most=80)}" if code else ""
        raise _of_provider(
            ClusterError(
                ClusterFault.UNAVAILABLE,
                f"{endpoint.name} answers with HTTP {status}{says}. Check the issuer's URL.",
            )
        )

    def _endpoint(self, url: str) -> Endpoint:
        """Of a URL that was checked, so its authority is a host and perhaps a port."""
        return Endpoint.of(urlsplit(url).netloc, self.secrets)


def _basic(session: OidcSession) -> str:
    """Who the client is. RFC 6749 2.3.1: the default, and both parts are form-encoded before."""
    pair = f"{quote(session.client_id, safe='')}:{quote(session.client_secret or '', safe='')}"
    return base64.b64encode(pair.encode()).decode()


def _of_provider(error: ClusterError) -> ClusterError:
    """The error as one of the provider. It has no status: that would be the cluster's."""
    return ClusterError(error.fault, f"Identity provider: {error.message}")


def _not_dialled(wrong: str) -> ClusterError:
    sentence = f"Its address is not dialled. {wrong}"
    return _of_provider(ClusterError(ClusterFault.ADDRESS_FORBIDDEN, sentence))


def _expiry(token: str | None) -> float:
    """When an id token ends, in seconds since 1970; it is the cluster that verifies it."""
    try:
        payload = (token or "").split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        ends = orjson.loads(base64.urlsafe_b64decode(padded))["exp"]
        return float(ends) if math.isfinite(float(ends)) else 0.0
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return 0.0
