"""How one gets in: the token, the certificate authority and the kubeconfig in the data folder.

Token and authority are made once, so that whoever knows a sandbox cluster still does after it was
started again. Everything is for its owner's eyes only.
"""

import base64
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=3650)
_NAMES = ("localhost",)
_ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Access:
    """The files of one sandbox cluster."""

    folder: Path
    token: str = field(repr=False)

    @property
    def token_file(self) -> Path:
        """The administrator's bearer token, one line."""
        return self.folder / "token"

    @property
    def authority(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.crt"

    @property
    def certificate(self) -> Path:
        """The server's certificate."""
        return self.folder / "server.crt"

    @property
    def key(self) -> Path:
        """The server's key."""
        return self.folder / "server.key"

    def write_kubeconfig(self, path: Path, server: str, *, tls: bool) -> None:
        """Write the kubeconfig of the administrator, with everything inline.

        kubectl sends no token over plain HTTP, whatever stands here.
        """
        cluster: dict[str, str] = {"server": server}
        if tls:
            encoded = base64.b64encode(self.authority.read_bytes()).decode()
            cluster["certificate-authority-data"] = encoded
        context = {"cluster": "sandbox", "user": "sandbox-admin", "namespace": "default"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "sandbox",
            "clusters": [{"name": "sandbox", "cluster": cluster}],
            "users": [{"name": "sandbox-admin", "user": {"token": self.token}}],
            "contexts": [{"name": "sandbox", "context": context}],
        }
        _write(path, yaml.safe_dump(config, sort_keys=False).encode())


def prepare(data_dir: Path) -> Access:
    """The access of the sandbox cluster in a data folder, made where it is missing."""
    folder = data_dir / "sandbox"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = _token(folder / "token")
    access = Access(folder, token)
    ca, ca_key = _authority(access.authority, folder / "ca.key")
    certificate, key = _server(ca, ca_key)
    _write(access.certificate, certificate)
    _write(access.key, key)
    return access


def _token(path: Path) -> str:
    try:
        found = path.read_text().strip()
    except FileNotFoundError:
        found = ""
    if len(found) >= 32:
        return found
    made = secrets.token_urlsafe(32)
    _write(path, f"{made}\n".encode())
    return made


def _authority(certificate: Path, key: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    except (FileNotFoundError, ValueError):
        pass
    else:
        same = loaded.public_key() == found.public_key()
        valid = found.not_valid_after_utc > datetime.now(UTC) + timedelta(days=30)
        if isinstance(loaded, ec.EllipticCurvePrivateKey) and same and valid:
            return found, loaded
    made_key = ec.generate_private_key(ec.SECP256R1())
    name = _name("KubeOrch sandbox authority")
    made = (
        _builder(name, name, made_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(made_key.public_key()), critical=False
        )
        .sign(made_key, hashes.SHA256())
    )
    _write(key, _pem(made_key))
    _write(certificate, made.public_bytes(serialization.Encoding.PEM))
    return made, made_key


def _server(ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in _NAMES]
    names += [x509.IPAddress(ip_address(address)) for address in _ADDRESSES]
    identifier = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    made = (
        _builder(_name("KubeOrch sandbox"), ca.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM), _pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    """Write for the owner alone; a reader sees the old file or all of the new one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
