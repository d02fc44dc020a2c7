"""The keys that sign access tokens: the first signs, all of them verify.

A key is changed without signing anybody out: put the new one in front, and drop the old one when
the last token that it signed has expired.
"""

import base64
import binascii
import contextlib
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from joserfc.jwk import OctKey

MIN_BYTES = 32
"""HMAC-SHA-256 wants a key as long as its output (RFC 7518, section 3.2)."""

HOW_TO_MAKE = (
    "Make one with: python -c \"import secrets; print('k1:' + secrets.token_urlsafe(32))\""
)

_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_PLACEHOLDER = re.compile(rb"change.?me|secret|password|example|placeholder|default|kubeorch", re.I)


class BadKey(ValueError):
    """A signing key that cannot be used; the message says why, never what it is."""


class KeyRing:
    """Signing keys by key id."""

    def __init__(self, keys: Sequence[OctKey]) -> None:
        if not keys:
            raise BadKey(f"There is no signing key. {HOW_TO_MAKE}")
        self._keys = {str(key.kid): key for key in keys}
        if len(self._keys) != len(keys):
            raise BadKey("Two signing keys have the same id. Give each key its own.")
        self.signing = keys[0]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "KeyRing":
        """Keys written as `id:base64url of at least 32 random bytes`. Raises BadKey."""
        return cls([_parse(text) for text in texts])

    @classmethod
    def kept_in(cls, path: Path) -> "KeyRing":
        """The key in the file `path`, made when there is none: for development, where nobody
        wants to be signed out by a restart. Raises BadKey and OSError.
        """
        with contextlib.suppress(FileExistsError):
            if not path.exists():
                _create(path)
        path.chmod(0o600)
        try:
            return cls.parse([path.read_text("ascii").strip()])
        except ValueError as error:
            raise BadKey(f"{path}: {error} Or delete the file: a new one is made.") from None

    def find(self, key_id: object) -> OctKey | None:
        """The key with this id."""
        return self._keys.get(key_id) if isinstance(key_id, str) else None


def _parse(text: str) -> OctKey:
    key_id, colon, encoded = text.strip().partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id):
        raise BadKey(
            "A signing key is written as id:key, the id with letters, digits and . _ - only. "
            f"{HOW_TO_MAKE}"
        )
    try:
        encoded = encoded.rstrip("=")
        padded = encoded + "=" * (-len(encoded) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadKey(f"The signing key {key_id!r} is not base64url. {HOW_TO_MAKE}") from None
    if len(raw) < MIN_BYTES:
        raise BadKey(
            f"The signing key {key_id!r} has {len(raw)} bytes, it needs {MIN_BYTES}. {HOW_TO_MAKE}"
        )
    # 32 random bytes have at least 16 different ones, but for once in 10^15 times.
    if len(set(raw)) < 16 or _PLACEHOLDER.search(raw) or _PLACEHOLDER.search(encoded.encode()):
        raise BadKey(f"The signing key {key_id!r} is not random. {HOW_TO_MAKE}")
    return OctKey.import_key(raw, {"kid": key_id})


def _create(path: Path) -> None:
    """Writes a fresh key to `path`, whole or not at all. Raises FileExistsError when another
    process was faster, whose key is then the one for both.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"dev-{secrets.token_hex(4)}:{secrets.token_urlsafe(MIN_BYTES)}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, it never replaces
    finally:
        draft.unlink(missing_ok=True)
