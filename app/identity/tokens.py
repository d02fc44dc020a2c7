"""Access tokens: short-lived JWTs that name a user and a session, and nothing else.

A token proves that we gave it out and when it ends. Whether the session is alive, whether the user
exists and what they may do is read from the database each time.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry

from app.domain.errors import Unauthenticated
from app.domain.ids import Id
from app.identity.keyring import KeyRing

ISSUER = "kubeorch"
AUDIENCE = "kubeorch-api"

_ALGORITHM = "HS256"
_TYPE = "at+jwt"  # RFC 9068: no other token that we may sign one day passes for an access token
_MAX_LENGTH = 1024
_CLOCKS_DIFFER_SECONDS = 60

_NOT_VALID = "The access token is not valid. Sign in again."
_EXPIRED = "The access token has expired. Get a new one with refreshSession."


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a valid token says."""

    user_id: Id
    session_id: Id
    expires_at: datetime


class _Claims(jwt.JWTClaimsRegistry):
    """The standard rules, but another replica's clock may be a little ahead of ours."""

    def validate_iat(self, value: object) -> None:
        if isinstance(value, int) and value <= self.now + _CLOCKS_DIFFER_SECONDS:
            return
        super().validate_iat(value)


class AccessTokens:
    """Gives out and reads access tokens that live for `seconds`."""

    def __init__(self, keys: KeyRing, *, seconds: int) -> None:
        octets = {key.id: OctKey.import_key(key.secret, {"kid": key.id}) for key in keys}
        self._keys: Mapping[str, OctKey] = octets
        self._signing = octets[keys.first.id]
        self._seconds = seconds
        self._registry = JWSRegistry(algorithms=[_ALGORITHM])

    def issue(self, user_id: Id, session_id: Id, *, now: datetime) -> tuple[str, datetime]:
        """A token, and when it expires."""
        issued = int(now.timestamp())
        expires = issued + self._seconds
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "iat": issued,
            "exp": expires,
            "jti": secrets.token_urlsafe(12),
        }
        header = {"alg": _ALGORITHM, "typ": _TYPE, "kid": self._signing.kid}
        token = jwt.encode(header, claims, self._signing, registry=self._registry)
        return token, datetime.fromtimestamp(expires, UTC)

    def read(self, token: str, *, now: datetime) -> AccessClaims:
        """What `token` says. Raises Unauthenticated, telling an expired token from a bad one."""
        if len(token) > _MAX_LENGTH:
            raise Unauthenticated(_NOT_VALID)
        # RecursionError: the header is read before the signature, and may be nested brackets.
        try:
            found = jwt.decode(token, self._key_of, registry=self._registry)
            if found.header.get("typ") != _TYPE:
                raise Unauthenticated(_NOT_VALID)
            _Claims(
                now=int(now.timestamp()),
                iss={"essential": True, "value": ISSUER},
                aud={"essential": True, "value": AUDIENCE},
                sub={"essential": True},
                sid={"essential": True},
                iat={"essential": True},
                exp={"essential": True},
                jti={"essential": True},
            ).validate(found.claims)
            return AccessClaims(
                user_id=Id(found.claims["sub"]),
                session_id=Id(found.claims["sid"]),
                expires_at=datetime.fromtimestamp(found.claims["exp"], UTC),
            )
        except ExpiredTokenError:
            raise Unauthenticated(_EXPIRED) from None
        except (JoseError, ValueError, TypeError, OverflowError, RecursionError):
            raise Unauthenticated(_NOT_VALID) from None

    def _key_of(self, token: Any) -> OctKey:
        key_id = token.headers().get("kid")
        if not isinstance(key_id, str) or key_id not in self._keys:
            raise ValueError("unknown key")
        return self._keys[key_id]
