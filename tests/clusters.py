"""Clusters that people bring in: drafts of them, and what is behind the services' back."""

import json
import secrets
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.domain.cluster import Cluster
from app.domain.user import Actor
from app.services import Services
from app.services.accessing import Place, TokenDraft
from app.services.clusters import ClusterDraft
from tests.secrecy import keep_secret, secret

NOBODY = "https://127.0.0.1:1"
"""Where nobody listens: a look at it ends at once."""


def credentials(token: str | None = None) -> TokenDraft:
    return TokenDraft(token=token or secret("a cluster's token"))


def draft(name: str, *, server: str = NOBODY, **more: Any) -> ClusterDraft:
    return ClusterDraft(
        **{"name": name, "credentials": credentials(), "place": Place(server=server)} | more
    )


async def bring_in(services: Services, actor: Actor, name: str = "", **more: Any) -> Cluster:
    """A cluster of the actor's own."""
    return await services.clusters.add(actor, draft(name or f"c-{secrets.token_hex(4)}", **more))


def certificate_and_key(what: str = "a client's key") -> tuple[str, str]:
    """A self-signed client certificate and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tester")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return certificate.public_bytes(Encoding.PEM).decode(), keep_secret(pem, what)


def kubeconfig(
    token: str | None = None, *, server: str = NOBODY, ca: bytes | None = None, **user: Any
) -> str:
    """A kubeconfig of one context, as JSON, which is YAML."""
    proof = {"token": token or secret("a kubeconfig's token")} | user
    cluster = {"server": server}
    if ca is not None:
        cluster["certificate-authority-data"] = b64encode(ca).decode()
    return json.dumps(
        {
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": proof}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        }
    )
