"""Opaque secrets: refresh tokens and invitation codes. Only their digests are stored.

A secret has 256 random bits, so a fast digest is enough: there is nothing to guess.
"""

import hashlib
import secrets


def new_secret() -> str:
    """43 characters that fit in a URL."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal, under which the secret is stored and found."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
