"""Secret keys with ids, as the settings have them: the first is used, all of them are understood.

So a key is changed without losing anything: put the new one in front, and drop the old one when
nothing needs it any more. What a ring is for decides when that is.
"""

import base64
import binascii
import contextlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MIN_BYTES = 32
"""HMAC-SHA-256 wants a key as long as its output (RFC 7518, section 3.2), and so does AES-256."""

HOW_TO_MAKE = (
    "Make one with: python -c \"import secrets; print('k1:' + secrets.token_urlsafe(32))\""
)

_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_PLACEHOLDER = re.compile(rb"change.?me|secret|password|example|placeholder|default|kubeorch", re.I)


class BadKey(ValueError):
    """A key that cannot be used; the message says why, never what it is."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What keys are for. `loss` is what it means to lose them."""

    name: str
    loss: str


SIGNING = Purpose("signing", "everybody has to sign in again")
ENCRYPTION = Purpose("encryption", "the credentials of every cluster have to be given again")


@dataclass(frozen=True, slots=True)
class Key:
    """At least 32 random bytes, and the id that what was made with them carries."""

    id: str
    secret: bytes = field(repr=False)


class KeyRing:
    """Keys by id."""

    def __init__(self, keys: Sequence[Key], purpose: Purpose = SIGNING) -> None:
        if not keys:
            raise BadKey(f"There is no {purpose.name} key. {HOW_TO_MAKE}")
        self._keys = {key.id: key for key in keys}
        if len(self._keys) != len(keys):
            raise BadKey(f"Two {purpose.name} keys have the same id. Give each key its own.")
        self.first = keys[0]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    def __iter__(self) -> Iterator[Key]:
        return iter(self._keys.values())

    @classmethod
    def parse(cls, texts: Sequence[str], purpose: Purpose = SIGNING) -> "KeyRing":
        """Keys written as `id:base64url of at least 32 random bytes`. Raises BadKey."""
        return cls([_parse(text, purpose) for text in texts], purpose)

    @classmethod
    def kept_in(cls, path: Path, purpose: Purpose = SIGNING) -> "KeyRing":
        """The key in the file `path`, made when there is none: for development, where nobody
        wants to lose anything by a restart. Raises BadKey and OSError.
        """
        with contextlib.suppress(FileExistsError):
            if not path.exists():
                _create(path)
        path.chmod(0o600)
        try:
            return cls.parse([path.read_text("ascii").strip()], purpose)
        except ValueError as error:
            raise BadKey(
                f"{path}: {error} Or delete the file: a new one is made, and {purpose.loss}."
            ) from None


def _parse(text: str, purpose: Purpose) -> Key:
    key_id, colon, encoded = text.strip().partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id):
        raise BadKey(
            f"The form of {purpose.name} keys is id:key, the id with letters, digits and . _ - "
            f"only. {HOW_TO_MAKE}"
        )
    named = f"The {purpose.name} key {key_id!r}"
    try:
        encoded = encoded.rstrip("=")
        padded = encoded + "=" * (-len(encoded) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadKey(f"{named} is not base64url. {HOW_TO_MAKE}") from None
    if len(raw) < MIN_BYTES:
        raise BadKey(f"{named} has {len(raw)} bytes, it needs {MIN_BYTES}. {HOW_TO_MAKE}")
    # 32 random bytes have at least 16 different ones, but for once in 10^15 times.
    if len(set(raw)) < 16 or _PLACEHOLDER.search(raw) or _PLACEHOLDER.search(encoded.encode()):
        raise BadKey(f"{named} is not random. {HOW_TO_MAKE}")
    return Key(key_id, raw)


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
