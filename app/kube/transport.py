"""The official client, used for TLS, connections and authentication only.

This is the one module that imports it, and it is imported when the first cluster is dialled: it
takes more than a second. Its defaults are undone here one by one: it would trust proxy variables
and netrc, follow redirects, and prompt on the terminal for the password of a key.
"""

import contextlib
import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes.aio.client import ApiClient, Configuration

from app.domain.access import Access, BearerToken, ClientCertificate, OidcSession
from app.domain.errors import ClusterError, ClusterFault
from app.kube import dialling
from app.kube.addresses import AddressPolicy, check_server_name, check_url
from app.kube.certificates import not_after
from app.kube.client import Renewed, Request
from app.kube.endpoint import Endpoint
from app.kube.errors import unusable
from app.kube.oidc import OidcTokens
from app.kube.proofs import check_token

_KEY = "BearerToken"


class Transport:
    """Sends requests; raises what the network raises, and ClusterError of the credentials.

    Made in a thread, because reading certificates takes its time; used in an event loop.
    """

    def __init__(self, access: Access, policy: AddressPolicy, renewed: Renewed | None) -> None:
        wrong = check_url(access.server, policy)
        if wrong:
            sentence = f"The address of the API server is not dialled. {wrong}"
            raise ClusterError(ClusterFault.ADDRESS_FORBIDDEN, sentence)
        fault = _fault(access)
        if fault:
            raise ClusterError(*fault)
        url = urlsplit(access.server)
        self._access = access
        self._name = url.netloc
        self._tokens: OidcTokens | None = None
        self._guard = dialling.Guard(policy, plain_http=url.scheme.lower() == "http")
        config = self._configuration()
        if isinstance(access.proof, OidcSession):
            self._tokens = OidcTokens(access.proof, policy, renewed)
            config.api_key[_KEY] = ""
            config.refresh_api_key_hook = self._fill_in  # type: ignore[assignment]
        try:
            self._api = ApiClient(config)
        except (ssl.SSLError, ValueError):
            raise unusable("certificate authority", self.endpoint) from None
        if access.ca is None:
            own = isinstance(access.proof, ClientCertificate)
            self._api.rest_client.ssl_context = _system_context() if own else _common_context()
        try:
            if isinstance(access.proof, ClientCertificate):
                _load(self._api.rest_client.ssl_context, access.proof)
        except (ssl.SSLError, ValueError):
            raise unusable("client certificate", self.endpoint) from None
        self._api.user_agent = f"kubeorch/{version('kubeorch')}"
        self._api.rest_client._create_connector = self._connector  # type: ignore[method-assign]

    @property
    def endpoint(self) -> Endpoint:
        """Whom this talks to."""
        proof = self._access.proof
        secrets: list[str | None] = []
        if isinstance(proof, BearerToken):
            secrets = [proof.token]
        elif isinstance(proof, ClientCertificate):
            secrets = [proof.key]
        elif isinstance(proof, OidcSession):
            secrets = [proof.client_secret, proof.refresh_token, proof.id_token]
        current = self._tokens.secrets if self._tokens else []
        return Endpoint.of(self._name, [*secrets, *current])

    @property
    def expired(self) -> datetime | None:
        """When our client certificate expired, if it did."""
        proof = self._access.proof
        if not isinstance(proof, ClientCertificate):
            return None
        ends = not_after(proof.certificate)
        return ends if ends < datetime.now(UTC) else None

    async def send(
        self,
        request: Request,
        waits: aiohttp.ClientTimeout,
        *,
        rejected: str | None = None,
    ) -> tuple[aiohttp.ClientResponse, str | None]:
        """The response, whose body is yet to be read, and the token that was sent.

        `rejected` is a token that the cluster
        does not accept: another is sent, when there can be one.
        """
        if rejected is not None and self._tokens is not None:
            await self._tokens.another(rejected)
        self._api.configuration.client_session_kwargs.setdefault(
            "cookie_jar", aiohttp.DummyCookieJar()
        )
        query = f"?{urlencode(request.params, errors='replace')}" if request.params else ""
        prepared = await self._api.param_serialize(
            method=request.method,
            resource_path=f"{request.path}{query}",
            header_params=dict(request.headers),
            body=request.body,
            auth_settings=[_KEY],
        )
        sent = prepared[2].get("authorization")
        answer = await self._api.call_api(
            *prepared,
            _request_timeout=waits,
        )
        token = sent.removeprefix("Bearer ") if sent and self._tokens else None
        return answer.response, token

    async def close(self) -> None:
        """Close all connections; a renewal of tokens that is under way is finished first."""
        if self._tokens is not None:
            await self._tokens.close()
        await self._api.close()  # type: ignore[no-untyped-call]

    def _configuration(self) -> Configuration:
        access = self._access
        config = Configuration(host=access.server.rstrip("/"))
        config.ca_cert_data = access.ca or _placeholder()
        config.tls_server_name = access.tls_server_name
        config.client_session_kwargs = {"trust_env": False, "read_bufsize": dialling.READ_AHEAD}
        config.trace_configs = [dialling.no_redirects()]
        if isinstance(access.proof, BearerToken):
            config.api_key[_KEY] = f"Bearer {access.proof.token}"
        return config

    async def _fill_in(self, config: Configuration) -> None:
        assert self._tokens is not None  # noqa: S101
        config.api_key[_KEY] = f"Bearer {await self._tokens.token()}"

    def _connector(self) -> aiohttp.TCPConnector:
        return dialling.connector(self._guard, self._api.rest_client.ssl_context)


def _system_context() -> ssl.SSLContext:
    """The system's authorities: a megabyte, which takes some forty milliseconds to read."""
    return ssl.create_default_context()


@cache
def _common_context() -> ssl.SSLContext:
    """For all who add nothing to the system's authorities."""
    return _system_context()


@cache
def _placeholder() -> str:
    """An authority that signs nothing: without one, the client reads the system's for each cluster.

    The context that it makes of this one is thrown away.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def _fault(access: Access) -> tuple[ClusterFault, str] | None:
    """What of the credentials could not even be sent."""
    name = access.tls_server_name
    sentence = check_server_name(name) if name else None
    if sentence:
        return ClusterFault.TLS_FAILED, f"The TLS server name is wrong. {sentence}"
    proof = access.proof
    sentence = check_token(proof.token) if isinstance(proof, BearerToken) else None
    return (ClusterFault.UNAUTHORIZED, f"{sentence} Hand in a valid one.") if sentence else None


def _load(context: ssl.SSLContext, proof: ClientCertificate) -> None:
    """OpenSSL reads keys from a path only: an anonymous file in memory has one."""
    pem = f"{proof.certificate}\n{proof.key}".encode()
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("certificate", os.MFD_CLOEXEC)
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            # Without a password OpenSSL asks for one on the terminal, and waits.
            context.load_cert_chain(f"/proc/self/fd/{handle}", password="")
        return
    handle, name = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
        context.load_cert_chain(name, password="")
    finally:
        with contextlib.suppress(OSError):
            Path(name).unlink()
