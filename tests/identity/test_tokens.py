"""Access tokens: what a good one says, and every way to a bad one."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from app.domain.errors import Unauthenticated
from app.domain.ids import Id
from app.identity.keyring import KeyRing
from app.identity.tokens import AccessTokens

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)
USER, SESSION = Id("a" * 24), Id("b" * 24)
OLD = "old:" + base64.urlsafe_b64encode(bytes(range(1, 33))).decode()
NEW = "new:" + base64.urlsafe_b64encode(bytes(range(101, 133))).decode()


def tokens(*keys: str) -> AccessTokens:
    return AccessTokens(KeyRing.parse(keys or (OLD,)), seconds=900)


def forged(claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None) -> str:
    """A token with our key's signature but other contents."""
    good = {
        "iss": "kubeorch",
        "aud": "kubeorch-api",
        "sub": USER,
        "sid": SESSION,
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
        "jti": "x",
    }
    changed = {k: v for k, v in (good | (claims or {})).items() if v is not None}
    head = {"alg": "HS256", "typ": "at+jwt", "kid": "old"} | (header or {})
    key = OctKey.import_key(bytes(range(1, 33)))
    return jwt.encode(head, changed, key, algorithms=["HS256", "HS512"])


def test_a_token_says_who_and_until_when() -> None:
    token, expires_at = tokens().issue(USER, SESSION, now=NOW)
    claims = tokens().read(token, now=NOW)
    assert claims.user_id == USER
    assert claims.session_id == SESSION
    assert claims.expires_at == expires_at == NOW + timedelta(seconds=900)
    assert tokens().read(forged(), now=NOW) == claims


def test_a_token_holds_no_role_and_no_address() -> None:
    token, _ = tokens().issue(USER, SESSION, now=NOW)
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}


def test_two_tokens_differ() -> None:
    assert tokens().issue(USER, SESSION, now=NOW) != tokens().issue(USER, SESSION, now=NOW)


def test_it_ends_to_the_second() -> None:
    token, expires_at = tokens().issue(USER, SESSION, now=NOW)
    tokens().read(token, now=expires_at - timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match=r"expired.*refreshSession"):
        tokens().read(token, now=expires_at)


def test_a_new_key_does_not_sign_anybody_out() -> None:
    token, _ = tokens(OLD).issue(USER, SESSION, now=NOW)
    assert tokens(NEW, OLD).read(token, now=NOW).user_id == USER
    fresh, _ = tokens(NEW, OLD).issue(USER, SESSION, now=NOW)
    assert tokens(NEW).read(fresh, now=NOW).user_id == USER
    with pytest.raises(Unauthenticated, match="not valid"):
        tokens(NEW).read(token, now=NOW)


def test_a_replica_whose_clock_is_behind_takes_a_fresh_token() -> None:
    token, _ = tokens().issue(USER, SESSION, now=NOW)
    tokens().read(token, now=NOW - timedelta(seconds=30))
    with pytest.raises(Unauthenticated):
        tokens().read(token, now=NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"},
        {"iss": None},
        {"aud": "another-api"},
        {"aud": None},
        {"sub": None},
        {"sub": "no id"},
        {"sub": 5},
        {"sid": None},
        {"sid": {"$ne": None}},
        {"sid": ["b" * 24]},
        {"iat": None},
        {"iat": "today"},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": 10**30},
        {"exp": True},
        {"jti": None},
    ],
)
def test_claims_that_are_not_as_we_write_them_are_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="not valid"):
        tokens().read(forged(claims), now=NOW)


@pytest.mark.parametrize(
    "header",
    [{"typ": "JWT"}, {"kid": "new"}, {"kid": "none"}, {"alg": "HS512"}],
)
def test_headers_that_are_not_as_we_write_them_are_refused(header: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="not valid"):
        tokens().read(forged(header=header), now=NOW)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "Bearer x",
        "\ud800.\ud800.\ud800",
        forged()[:-2],
        forged() + "x",
        f"{_part({'alg': 'none', 'typ': 'at+jwt', 'kid': 'old'})}.{forged().split('.')[1]}.",
        f"{_part({'alg': 'none'})}.{forged().split('.')[1]}.",
        f"{_part([[]])}.e30.e30",
        base64.urlsafe_b64encode(b"[" * 700).decode() + ".e30.e30",
        base64.urlsafe_b64encode(b'{"a":' * 140).decode() + ".e30.e30",
        "x" * 1_000_000,
    ],
    ids=range(14),
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated, match="not valid") as refused:
        tokens().read(token, now=NOW)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@given(st.text(max_size=200))
def test_no_text_passes_for_a_token(text: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens().read(text, now=NOW)
