"""Who is calling: a network address, and a user when the token is good.

A bad token is no error yet: whoever holds a stale one must still be able to refresh the session.
The reason is kept, and is what an operation that needs a user answers with.
"""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.domain.errors import Unauthenticated
from app.domain.session import Access
from app.domain.user import Actor

Authenticate = Callable[[str], Awaitable[Access]]
"""Whom an access token speaks for. Raises Unauthenticated."""

NOT_BEARER: Final = "Send the access token as `Authorization: Bearer <token>`."


@dataclass(frozen=True, slots=True)
class Caller:
    """`refused` says why a token that was sent is no good; then there is no actor."""

    address: str
    actor: Actor | None = None
    expires_at: datetime | None = None
    refused: Unauthenticated | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was sent to prove who is calling: a token, or something that is not one."""

    token: str | None = None
    mistake: str | None = None

    @classmethod
    def of_header(cls, value: str | None) -> "Credentials":
        """From an Authorization header's value."""
        if not value or not value.strip():
            return cls()
        scheme, _, token = value.strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return cls(mistake=NOT_BEARER)
        return cls(token=token.strip())

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any]) -> "Credentials | None":
        """From the payload of `connection_init`, in any of the ways that clients have of it.

        `authorization` or `headers.authorization` like the HTTP header, or `token` alone; None when
        there is nothing of the kind.
        """
        headers = payload.get("headers")
        for place in (payload, headers if isinstance(headers, dict) else {}):
            for name in ("authorization", "Authorization"):
                value = place.get(name)
                if value is not None:
                    return cls.of_header(value) if isinstance(value, str) else _NO_TOKEN
        token = payload.get("token")
        if token is None:
            return None
        return cls(token=token) if isinstance(token, str) and token else _NO_TOKEN

    async def caller(self, address: str, authenticate: Authenticate) -> Caller:
        """Who it is, by the database's word of this moment."""
        if self.mistake is not None:
            return Caller(address, refused=Unauthenticated(self.mistake))
        if self.token is None:
            return Caller(address)
        try:
            access = await authenticate(self.token)
        except Unauthenticated as error:
            return Caller(address, refused=error)
        return Caller(address, access.actor, access.expires_at)


_NO_TOKEN: Final = Credentials(mistake=NOT_BEARER)


def network_of(address: str) -> str:
    """What counts as one address: an IPv6 host is given 2^64 of them."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
