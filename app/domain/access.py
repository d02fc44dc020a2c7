"""How a cluster is reached and what proves who we are: the secret half of a cluster.

Whatever people hand in, a kubeconfig or single values, is reduced to this and nothing else is
kept. It exists in memory and sealed in the database; it has no place in a log, an event or an
answer, so it doesn't print itself.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Secret(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr_args__(self) -> list[tuple[str | None, object]]:
        return []


class BearerToken(_Secret):
    """A token that is sent as it is."""

    kind: Literal["token"] = "token"
    token: str


class ClientCertificate(_Secret):
    """A certificate and its unencrypted key, both PEM."""

    kind: Literal["certificate"] = "certificate"
    certificate: str
    key: str


class OidcSession(_Secret):
    """A session with an identity provider, whose id tokens the API server believes.

    `id_token` is renewed with `refresh_token` before it expires. `issuer_ca` is PEM; without it the
    system's authorities decide whom to trust.
    """

    kind: Literal["oidc"] = "oidc"
    issuer_url: str
    client_id: str
    client_secret: str | None = None
    refresh_token: str
    id_token: str | None = None
    issuer_ca: str | None = None


Proof = Annotated[BearerToken | ClientCertificate | OidcSession, Field(discriminator="kind")]


class Access(_Secret):
    """Everything that a connection needs.

    `server` is an https URL without user, query and fragment; a path is allowed. `ca` is PEM, one
    or more certificates; without it the system's authorities decide.
    """

    server: str
    ca: str | None = None
    tls_server_name: str | None = None
    proof: Proof
