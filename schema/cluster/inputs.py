"""Input fields that several cluster mutations share, each with its limits, written once.

Inside a union pydantic ignores what is said of a field: descriptions, and the `repr=False` of a
secret, are written where the field is.
"""

from datetime import UTC, datetime
from typing import Annotated

import strawberry
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from strawberry.types.maybe import Some

from app.domain.fields import DnsLabel
from app.domain.ids import Id
from app.domain.maps import Labels
from app.domain.text import refusal
from app.services.accessing import (
    CertificateDraft,
    CredentialsDraft,
    KubeconfigDraft,
    OidcDraft,
    Place,
    ServiceAccountDraft,
    TokenDraft,
)

KIB = 1024
MAX_KUBECONFIG, MAX_PEM, MAX_TOKEN = 256 * KIB, 64 * KIB, 16 * KIB
_CA = (
    "Certificates of the authorities that the server's certificate is checked with, as PEM or "
    "base64 of PEM. Left out: those that this machine trusts."
)


def _verified(value: bool | None) -> bool | None:
    if value:
        raise refusal("Connections are always verified. Give the cluster's authority as caData.")
    return value


def _moment(value: datetime) -> datetime:
    """In UTC, as exact as it is kept."""
    try:
        if value.tzinfo is None:
            raise refusal("Write the offset too, as in 2030-01-31T12:00:00Z.")
        moment = value.astimezone(UTC)
    except OverflowError:
        raise refusal("Write a moment between the years 1 and 9999.") from None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _few(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > 50:
        raise refusal("At most 50 labels are allowed.")
    return labels


ClusterId = Annotated[Id, Field(description="The cluster.")]
ClusterName = Annotated[
    DnsLabel, Field(description="Unique among the owner's clusters: a DNS label, as in `prod-eu`.")
]
Server = Annotated[str | None, Field(max_length=2048)]
ServerName = Annotated[str | None, Field(max_length=253)]
ClusterLabels = Annotated[Labels, AfterValidator(_few)]
Moment = Annotated[datetime, AfterValidator(_moment)]
Insecure = Annotated[bool | None, AfterValidator(_verified)]

SERVER_SAYS = "URL of the API server, as in `https://192.0.2.1:6443`. A kubeconfig has its own."
SERVER_NAME_SAYS = "The name in the server's certificate, when it is not the host of the URL."
_INSECURE_SAYS = "Only false: connections are always verified."


class SecretInput(BaseModel):
    """An input with secrets in it: what pydantic says of it does not repeat them."""

    model_config = ConfigDict(hide_input_in_errors=True)


@strawberry.pydantic.input(
    description="A kubeconfig. One that runs programs, asks plugins or reads files is refused."
)
class KubeconfigInput(SecretInput):
    content: str = Field(
        max_length=MAX_KUBECONFIG, repr=False, description="The whole file: at most 256 KiB."
    )
    context: str | None = Field(
        default=None, max_length=253, description="Left out: its current-context."
    )

    def draft(self) -> CredentialsDraft:
        return KubeconfigDraft(content=self.content, context=self.context)


class _Verified(SecretInput):
    ca_data: str | None = Field(default=None, max_length=MAX_PEM, repr=False, description=_CA)
    insecure: Insecure = Field(default=None, description=_INSECURE_SAYS)


@strawberry.pydantic.input(description="A bearer token that is sent as it is.")
class TokenInput(_Verified):
    token: str = Field(min_length=1, max_length=MAX_TOKEN, repr=False, description="The token.")

    def draft(self) -> CredentialsDraft:
        return TokenDraft(token=self.token, ca=self.ca_data)


@strawberry.pydantic.input(description="A service account's token; never this server's own.")
class ServiceAccountInput(_Verified):
    token: str = Field(min_length=1, max_length=MAX_TOKEN, repr=False, description="The token.")

    def draft(self) -> CredentialsDraft:
        return ServiceAccountDraft(token=self.token, ca=self.ca_data)


@strawberry.pydantic.input(description="A client certificate.")
class CertificateInput(_Verified):
    client_certificate: str = Field(
        min_length=1, max_length=MAX_PEM, repr=False, description="PEM or base64 of PEM."
    )
    client_key: str = Field(
        min_length=1,
        max_length=MAX_PEM,
        repr=False,
        description="Its key, not encrypted: PEM or base64 of PEM.",
    )

    def draft(self) -> CredentialsDraft:
        return CertificateDraft(
            certificate=self.client_certificate, key=self.client_key, ca=self.ca_data
        )


@strawberry.pydantic.input(
    description="A session with an identity provider, whose id tokens the API server believes. "
    "They are renewed with the refresh token."
)
class OidcInput(_Verified):
    issuer_url: str = Field(min_length=1, max_length=2048, description="As in the id tokens.")
    client_id: str = Field(min_length=1, max_length=512, description="Of the API server's client.")
    client_secret: str | None = Field(
        default=None, min_length=1, max_length=4 * KIB, repr=False, description="If it has one."
    )
    refresh_token: str = Field(
        min_length=1, max_length=MAX_TOKEN, repr=False, description="The newest one."
    )
    id_token: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_TOKEN,
        repr=False,
        description="Used until it expires. Left out: one is fetched.",
    )
    issuer_ca: str | None = Field(
        default=None,
        max_length=MAX_PEM,
        repr=False,
        description="As caData, but for the issuer's certificate.",
    )
    scopes: list[str] | None = Field(
        default=None,
        max_length=50,
        description="Not needed: a refresh asks for what the refresh token was given for.",
    )

    def draft(self) -> CredentialsDraft:
        return OidcDraft(
            issuer_url=self.issuer_url,
            client_id=self.client_id,
            client_secret=self.client_secret,
            refresh_token=self.refresh_token,
            id_token=self.id_token,
            issuer_ca=self.issuer_ca,
            ca=self.ca_data,
        )


@strawberry.pydantic.input(
    one_of=True,
    description="What proves who we are to the API server. It is sealed, and never answered.",
)
class ClusterCredentialsInput(SecretInput):
    kubeconfig: strawberry.Maybe[KubeconfigInput]
    token: strawberry.Maybe[TokenInput]
    certificate: strawberry.Maybe[CertificateInput]
    serviceaccount: strawberry.Maybe[ServiceAccountInput]
    oidc: strawberry.Maybe[OidcInput]

    def draft(self) -> CredentialsDraft:
        for name in type(self).model_fields:
            given = getattr(self, name)
            if isinstance(given, Some) and given.value is not None:
                draft: CredentialsDraft = given.value.draft()
                return draft
        raise AssertionError("GraphQL has checked that exactly one is given")


def place(server: str | None, tls_server_name: str | None) -> Place:
    """Where the server is; what is blank is not given."""
    return Place(server=server or None, tls_server_name=tls_server_name or None)
