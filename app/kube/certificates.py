"""Certificates and keys that people hand in, checked before they are kept.

What OpenSSL would say of them later, in its own words and in the middle of a connection, is said
here, at the field at fault.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from app.domain.access import ClientCertificate
from app.domain.errors import FieldProblem, Invalid

LONGEST = 512 * 1024
"""Characters of one text: the bundles of whole operating systems are smaller."""
LONGEST_KEY = 5_000
"""Characters of a private key: one of RSA has 3,300 with as many bits as are accepted. What is done
with a key grows with the cube of its length, and nothing else runs in this process meanwhile."""
_MOST_BITS = 4_096
_MOST_CERTIFICATES = 500
_BEGIN = "-----BEGIN "


def read_authorities(text: str, *, path: Sequence[str]) -> str:
    """The certificates of a CA bundle as PEM; PEM or base64 of PEM is accepted. Raises Invalid."""
    return _to_pem(_certificates(text, path))


def read_pair(
    certificate: str, key: str, *, certificate_path: Sequence[str], key_path: Sequence[str]
) -> ClientCertificate:
    """A client certificate and the unencrypted key that belongs to it, as PEM. Raises Invalid.

    After the client's own certificate may follow those between it and its authority.
    """
    problems: list[FieldProblem] = []
    chain: list[x509.Certificate] = []
    key_pem = public = b""
    try:
        chain = _certificates(certificate, certificate_path)
    except Invalid as error:
        problems += error.problems
    try:
        key_pem, public = _private_key(key, key_path)
    except Invalid as error:
        problems += error.problems
    if problems:
        raise Invalid(problems)
    try:
        own = _spki(chain[0].public_key())
    except (ValueError, UnsupportedAlgorithm):
        raise Invalid.field(certificate_path, "Its key is of a kind that is unknown.") from None
    if own != public:
        raise Invalid.field(key_path, "The key does not belong to the certificate.")
    return ClientCertificate(certificate=_to_pem(chain), key=key_pem.decode())


def not_after(certificate: str) -> datetime:
    """When the first certificate of a checked PEM text expires."""
    return x509.load_pem_x509_certificate(certificate.encode()).not_valid_after_utc


def _certificates(text: str, path: Sequence[str]) -> list[x509.Certificate]:
    pem = _pem(text, path)
    if b"PRIVATE KEY-----" in pem:
        raise Invalid.field(path, "This holds a private key: send only certificates here.")
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise Invalid.field(path, "This holds no certificate that can be read.") from None
    if len(found) > _MOST_CERTIFICATES:
        raise Invalid.field(path, f"It holds more than {_MOST_CERTIFICATES} certificates.")
    return found


def _private_key(text: str, path: Sequence[str]) -> tuple[bytes, bytes]:
    """The key as PEM, and its public half."""
    pem = _pem(text, path)
    if len(pem) > LONGEST_KEY:
        raise _too_long(path)
    try:
        # That the factors of an RSA key are prime takes seconds to prove, and proves nothing to us.
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        raise Invalid.field(
            path, "The key is encrypted: decrypt it first, as with `openssl pkey -in … -out …`."
        ) from None
    except (ValueError, UnsupportedAlgorithm, InternalError):
        raise Invalid.field(path, "This holds no private key that can be read.") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size > _MOST_BITS:
            raise _too_long(path)
        if not _coherent(key):
            raise Invalid.field(path, "This holds no private key that can be read.")
    try:
        form = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return form, _spki(key.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Invalid.field(path, "Keys of this kind cannot prove who we are.") from None


def _too_long(path: Sequence[str]) -> Invalid:
    return Invalid.field(
        path, f"The key is too long: send one of at most {_MOST_BITS} bits, and nothing else."
    )


def _coherent(key: RSAPrivateKey) -> bool:
    """Whether the numbers belong together, which also bounds what signing with them takes."""
    parts = key.private_numbers()
    p, q, public = parts.p, parts.q, parts.public_numbers
    return (
        min(p, q) > 1
        and public.n == p * q
        and 1 < public.e < 2**33
        and 1 < parts.d < public.n
        and (parts.dmp1, parts.dmq1) == (parts.d % (p - 1), parts.d % (q - 1))
        and public.e * parts.d % (p - 1) == 1 == public.e * parts.d % (q - 1)
        and parts.iqmp * q % p == 1
    )


def _pem(text: str, path: Sequence[str]) -> bytes:
    if len(text) > LONGEST:
        raise Invalid.field(path, f"It is longer than {LONGEST} characters.")
    if not text.strip():
        raise Invalid.field(path, "It is empty.")
    if _BEGIN in text:
        return text.encode(errors="replace")
    try:
        decoded = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if _BEGIN.encode() not in decoded:
        raise Invalid.field(path, "It has to be PEM, or base64 of PEM.")
    return decoded


def _to_pem(certificates: Sequence[x509.Certificate]) -> str:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates).decode()


def _spki(key: object) -> bytes:
    public = getattr(key, "public_bytes")  # noqa: B009  # a union of two dozen classes
    return bytes(public(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
