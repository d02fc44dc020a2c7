"""Certificates and keys as people hand them in."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519

from app.domain.errors import Invalid
from app.kube.certificates import LONGEST, not_after, read_authorities, read_pair
from tests.kubernetes.certificates import Authority, Pair

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()


@pytest.fixture(scope="module")
def alice(authority: Authority) -> Pair:
    return authority.client("alice", valid=timedelta(hours=1))


def pair(certificate: str, key: str) -> list[tuple[str, str]]:
    """What is wrong with a pair, as field and message."""
    with pytest.raises(Invalid) as refused:
        read_pair(certificate, key, certificate_path=("cert",), key_path=("key",))
    return [(problem.path[0], problem.message) for problem in refused.value.problems]


def test_a_bundle_of_authorities(authority: Authority) -> None:
    other = Authority("other")
    bundle = f"Some words before\n{authority.pem.decode()}\r\n\n{other.pem.decode()}"

    read = read_authorities(bundle, path=("ca",))

    assert read == authority.pem.decode() + other.pem.decode()
    encoded = base64.encodebytes(bundle.encode()).decode()
    assert read_authorities(encoded, path=("ca",)) == read


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "It is empty."),
        (" \n", "It is empty."),
        ("s3cret", "It has to be PEM, or base64 of PEM."),
        ("ü", "It has to be PEM, or base64 of PEM."),
        (
            "-----BEGIN CERTIFICATE-----\ns3cret\n-----END CERTIFICATE-----",
            "This holds no certificate that can be read.",
        ),
        ("-----BEGIN CERTIFICATE-----", "This holds no certificate that can be read."),
        ("-----BEGIN \ud800", "This holds no certificate that can be read."),
        ("a" * (LONGEST + 1), f"It is longer than {LONGEST} characters."),
    ],
)
def test_no_authorities(text: str, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_authorities(text, path=("input", "ca"))

    assert refused.value.path == ["input", "ca"]
    assert [problem.message for problem in refused.value.problems] == [sentence]


def test_a_key_in_the_wrong_field_is_not_kept(authority: Authority, alice: Pair) -> None:
    with pytest.raises(Invalid, match="private key"):
        read_authorities((alice.certificate + alice.key).decode(), path=("ca",))


def test_a_pair_is_kept_in_one_form(authority: Authority, alice: Pair) -> None:
    chain = (alice.certificate + authority.pem).decode()

    read = read_pair(
        base64.b64encode(chain.encode()).decode(),
        alice.key.decode(),
        certificate_path=("cert",),
        key_path=("key",),
    )

    assert read.certificate == chain
    assert read.key.startswith("-----BEGIN PRIVATE KEY-----")
    assert alice.key.decode() not in repr(read)


def test_a_pair_that_is_none(authority: Authority, alice: Pair) -> None:
    key = serialization.load_pem_private_key(alice.key, None)
    encrypted = key.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"s3cret"))
    legacy = key.private_bytes(
        PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.BestAvailableEncryption(b"s3cret"),
    )
    certificate = alice.certificate.decode()
    other = authority.client("bob").key.decode()
    ed = ed25519.Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, PLAIN).decode()
    exchange = x25519.X25519PrivateKey.generate().private_bytes(PEM, PKCS8, PLAIN).decode()

    mismatch = [("key", "The key does not belong to the certificate.")]
    assert pair(certificate, other) == mismatch
    assert pair(certificate, ed) == mismatch
    assert pair(certificate, exchange) == mismatch
    for locked in (encrypted, legacy):
        [(field, message)] = pair(certificate, locked.decode())
        assert (field, "encrypted" in message) == ("key", True)
    assert pair("x", "y") == [
        ("cert", "It has to be PEM, or base64 of PEM."),
        ("key", "It has to be PEM, or base64 of PEM."),
    ]
    assert pair(certificate, certificate) == [
        ("key", "This holds no private key that can be read.")
    ]


def test_when_a_certificate_ends(alice: Pair) -> None:
    left = not_after(alice.certificate.decode()) - datetime.now(UTC)

    assert timedelta(minutes=58) < left <= timedelta(hours=1)
