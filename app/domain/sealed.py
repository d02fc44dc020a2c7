"""A secret as it is kept: opened by the key ring alone, and only where it belongs."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted secret. `wrapped_key` is a nonce, its own wrapped key and a tag: 60 bytes;
    `ciphertext` is as long as the secret and a tag of 16 bytes.
    """

    key_id: str
    """Of the ring's key that wraps."""
    wrapped_key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
