"""What people hand in to reach a cluster, and how it becomes an `Access`.

One class per way to sign in. Whatever is wrong is told with the path of the input field that it
came in, and never with its value.
"""

import re
from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol

from app.domain.access import Access, BearerToken, OidcSession, Proof
from app.domain.cluster import AuthType
from app.domain.errors import FieldProblem, Invalid
from app.kube.addresses import AddressPolicy, check_server_name, check_url
from app.kube.certificates import read_authorities, read_pair
from app.kube.kubeconfig import read_kubeconfig

_TOKEN = re.compile(r"[\x21-\x7e]+")
_CLIENT_SECRET = re.compile(r"[\x20-\x7e]+")
"""RFC 6749, appendix A.2."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the API server is, as far as somebody says so apart from the credentials."""

    server: str | None = None
    tls_server_name: str | None = None


class CredentialsDraft(Protocol):
    """Credentials as they are handed in."""

    auth_type: ClassVar[AuthType]

    def access(self, place: Place) -> Access:
        """What they come to. Raises Invalid."""


@dataclass(frozen=True, slots=True)
class KubeconfigDraft:
    """A whole kubeconfig, and which of its contexts."""

    auth_type: ClassVar[AuthType] = AuthType.KUBECONFIG
    content: str = field(repr=False)
    context: str | None = None

    def access(self, place: Place) -> Access:
        if place.server is not None:
            raise Invalid.field(["server"], "Leave it out: the kubeconfig says where it is.")
        if place.tls_server_name is not None:
            raise Invalid.field(["tlsServerName"], "Leave it out, or write it in the kubeconfig.")
        try:
            return read_kubeconfig(self.content, context=self.context)
        except Invalid as error:
            below = [
                FieldProblem(("credentials", *each.path), each.message, each.code)
                for each in error.problems
            ]
        raise Invalid(below)


@dataclass(frozen=True, slots=True)
class TokenDraft:
    """A bearer token that somebody made."""

    auth_type: ClassVar[AuthType] = AuthType.TOKEN
    token: str = field(repr=False)
    ca: str | None = field(default=None, repr=False)

    def access(self, place: Place) -> Access:
        token = _token(self.token, self.auth_type.value, "token")
        return _access(place, BearerToken(token=token), self.ca, self.auth_type.value)


@dataclass(frozen=True, slots=True)
class ServiceAccountDraft(TokenDraft):
    """A service account's token. It is never this server's own: a token has to be given."""

    auth_type: ClassVar[AuthType] = AuthType.SERVICEACCOUNT


@dataclass(frozen=True, slots=True)
class CertificateDraft:
    """A client certificate and its key."""

    auth_type: ClassVar[AuthType] = AuthType.CERTIFICATE
    certificate: str = field(repr=False)
    key: str = field(repr=False)
    ca: str | None = field(default=None, repr=False)

    def access(self, place: Place) -> Access:
        pair = read_pair(
            self.certificate,
            self.key,
            certificate_path=("credentials", "certificate", "clientCertificate"),
            key_path=("credentials", "certificate", "clientKey"),
        )
        return _access(place, pair, self.ca, self.auth_type.value)


@dataclass(frozen=True, slots=True)
class OidcDraft:
    """A session with an identity provider."""

    auth_type: ClassVar[AuthType] = AuthType.OIDC
    issuer_url: str
    client_id: str
    refresh_token: str = field(repr=False)
    client_secret: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    issuer_ca: str | None = field(default=None, repr=False)
    ca: str | None = field(default=None, repr=False)

    def access(self, place: Place) -> Access:
        session = OidcSession(
            issuer_url=self.issuer_url.strip(),
            client_id=self.client_id.strip(),
            client_secret=_client_secret(self.client_secret),
            refresh_token=_token(self.refresh_token, "oidc", "refreshToken"),
            id_token=None if self.id_token is None else _token(self.id_token, "oidc", "idToken"),
            issuer_ca=_authorities(self.issuer_ca, "oidc", "issuerCa"),
        )
        return _access(place, session, self.ca, self.auth_type.value)


def read_access(
    draft: CredentialsDraft, place: Place, *, policy: AddressPolicy, otherwise: str | None = None
) -> Access:
    """The access that was handed in, to an address that may be dialled. Raises Invalid.

    `otherwise` is the server when nobody names one. Takes a while for a large kubeconfig: not for
    the event loop.
    """
    where = ["server"]
    if draft.auth_type is AuthType.KUBECONFIG:
        where = ["credentials", "kubeconfig", "content"]
    elif place.server is None and otherwise is not None:
        place = replace(place, server=otherwise)
    access = draft.access(place)
    access = access.model_copy(update={"server": access.server.strip().rstrip("/")})
    _check(access.server, policy, where)
    if isinstance(access.proof, OidcSession):
        _check(access.proof.issuer_url, policy, ["credentials", "oidc", "issuerUrl"])
    return access


def _check(url: str, policy: AddressPolicy, path: list[str]) -> None:
    if wrong := check_url(url, policy):
        raise Invalid.field(path, wrong)


def _access(place: Place, proof: Proof, ca: str | None, member: str) -> Access:
    if place.server is None or not place.server.strip():
        raise Invalid.field(["server"], "Write the URL of the API server.", "REQUIRED")
    name = place.tls_server_name
    if name is not None and (wrong := check_server_name(name)):
        raise Invalid.field(["tlsServerName"], wrong)
    return Access(
        server=place.server,
        ca=_authorities(ca, member, "caData"),
        tls_server_name=place.tls_server_name,
        proof=proof,
    )


def _authorities(text: str | None, *path: str) -> str | None:
    return None if text is None else read_authorities(text, path=("credentials", *path))


def _client_secret(text: str | None) -> str | None:
    if text is not None and not _CLIENT_SECRET.fullmatch(text):
        raise Invalid.field(
            ["credentials", "oidc", "clientSecret"],
            "Write it as it was given: letters, digits, signs and spaces, without line breaks.",
        )
    return text


def _token(text: str, *path: str) -> str:
    """What can be sent in a header or a form: visible ASCII. Line ends around it are a paste's."""
    token = text.strip()
    if not _TOKEN.fullmatch(token):
        raise Invalid.field(
            ["credentials", *path],
            "Write it as it was given: letters, digits and signs, without spaces or line breaks.",
        )
    return token
