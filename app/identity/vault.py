"""Keeping secrets in the database: envelope encryption.

Every secret has a data key of its own, which encrypts it; the first key of the ring wraps the data
key. So changing the ring's first key rewrites 60 bytes per secret, never the secret, and whoever
reads the database without the ring reads nothing. Both layers are AES-256-GCM, bound to a context
(what the secret is and whose): a sealed secret that is moved elsewhere does not open there.
"""

import os
from dataclasses import replace
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.domain.sealed import Sealed
from app.identity.keyring import Key, KeyRing

_NONCE_BYTES: Final = 12
"""Random ones are safe for 2^32 messages under one key (NIST SP 800-38D, section 8.3): a data key
encrypts one, and a ring's key wraps one per secret and change."""
_KEY_BYTES: Final = 32
_WRAPPING: Final = b"kubeorch vault: wrap"
_SEALING: Final = b"kubeorch vault: seal"


class VaultError(Exception):
    """A sealed secret that does not open. The message says what to do and holds no secret."""


class UnknownKey(VaultError):
    """The ring has no key with the id that the secret was sealed under."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"The secret is sealed with the encryption key {key_id!r}, which this server does not "
            "have. Put that key behind the first one in KUBEORCH_ENCRYPTION_KEYS; drop it when "
            "`kubeorch rotate-keys` says that nothing is left under it."
        )
        self.key_id = key_id


class Unopenable(VaultError):
    """The secret, its place, or the key behind its id is not what it was."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"The secret does not open with the encryption key {key_id!r}: it was changed or moved "
            "in the database, or another key has taken this id. Restore the key or the database, "
            "or give the secret again."
        )
        self.key_id = key_id


class Vault:
    """Seals secrets with the first key of a ring and opens them with any."""

    def __init__(self, keys: KeyRing) -> None:
        self.key_id = keys.first.id
        """Of the key that seals."""
        self._wrapping = {key.id: _wrapping_key(key) for key in keys}

    def __repr__(self) -> str:
        return f"Vault({', '.join(self._wrapping)})"

    def seal(self, plain: bytes, *, context: str) -> Sealed:
        """`plain`, to be opened in the same context only."""
        data_key, nonce = AESGCM.generate_key(_KEY_BYTES * 8), os.urandom(_NONCE_BYTES)
        return Sealed(
            key_id=self.key_id,
            wrapped_key=self._wrap(data_key, context),
            nonce=nonce,
            ciphertext=AESGCM(data_key).encrypt(nonce, plain, _bound(_SEALING, context)),
        )

    def open(self, sealed: Sealed, *, context: str) -> bytes:
        """What was sealed. Raises UnknownKey and Unopenable."""
        data_key = self._unwrap(sealed, context)
        try:
            return AESGCM(data_key).decrypt(
                sealed.nonce, sealed.ciphertext, _bound(_SEALING, context)
            )
        except (InvalidTag, ValueError):
            raise Unopenable(sealed.key_id) from None

    def rewrap(self, sealed: Sealed, *, context: str) -> Sealed:
        """The same secret under the first key, without looking at it.

        Raises UnknownKey and Unopenable (its data key does not open).
        """
        data_key = self._unwrap(sealed, context)
        return replace(sealed, key_id=self.key_id, wrapped_key=self._wrap(data_key, context))

    def _wrap(self, data_key: bytes, context: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        bound = _bound(_WRAPPING, context, self.key_id)
        return nonce + self._wrapping[self.key_id].encrypt(nonce, data_key, bound)

    def _unwrap(self, sealed: Sealed, context: str) -> bytes:
        wrapping = self._wrapping.get(sealed.key_id)
        if wrapping is None:
            raise UnknownKey(sealed.key_id)
        nonce, wrapped = sealed.wrapped_key[:_NONCE_BYTES], sealed.wrapped_key[_NONCE_BYTES:]
        try:
            return wrapping.decrypt(nonce, wrapped, _bound(_WRAPPING, context, sealed.key_id))
        except (InvalidTag, ValueError):
            raise Unopenable(sealed.key_id) from None


def _wrapping_key(key: Key) -> AESGCM:
    """A key of exactly 256 bits that serves nothing else, should the ring's key be used twice."""
    derived = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_WRAPPING)
    return AESGCM(derived.derive(key.secret))


def _bound(layer: bytes, *parts: str) -> bytes:
    """Associated data, which says for each part where it ends."""
    return layer + b"".join(b"\0%d:%s" % (len(raw), raw) for raw in map(str.encode, parts))
