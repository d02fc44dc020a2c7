"""The cluster: a Kubernetes API server that workflows deploy to."""

import enum
from datetime import datetime

from pydantic import BaseModel, Field

from app.domain.ids import Id
from app.domain.workflow import Entity


class AuthType(enum.StrEnum):
    """How the server proves itself to the API server."""

    KUBECONFIG = "kubeconfig"
    TOKEN = "token"  # noqa: S105
    CERTIFICATE = "certificate"
    SERVICEACCOUNT = "serviceaccount"
    OIDC = "oidc"


class ClusterStatus(enum.StrEnum):
    """Whether the API server answers."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ERROR = "error"
    UNKNOWN = "unknown"


class ClusterRole(enum.StrEnum):
    """What a person may do with a cluster that is shared with them."""

    VIEWER = "viewer"
    DEPLOYER = "deployer"
    ADMIN = "admin"


class Permission(BaseModel):
    """Whether our credentials may do something. No `namespace` means in all of them."""

    verb: str
    resource: str
    """With its group when it has one, as in `deployments.apps`."""
    namespace: str | None = None
    allowed: bool


class ClusterMetadata(BaseModel):
    """What discovery found; empty until the cluster was reached once."""

    version: str | None = None
    platform: str | None = None
    node_count: int | None = None
    namespaces: list[str] = Field(default_factory=list)
    capabilities: list[str] = Field(default_factory=list)


class ClusterShare(BaseModel):
    """One person's access. No `namespaces` means all of them; no `expires_at` means for good."""

    user_id: Id
    role: ClusterRole
    namespaces: list[str] = Field(default_factory=list)
    expires_at: datetime | None = None

    def lasts(self, now: datetime) -> bool:
        """Whether it has not ended."""
        return self.expires_at is None or self.expires_at > now


class Cluster(Entity):
    """A cluster as its people see it; credentials live elsewhere and never leave the server."""

    name: str
    display_name: str
    description: str | None = None
    server: str
    auth_type: AuthType
    status: ClusterStatus = ClusterStatus.UNKNOWN
    status_message: str | None = None
    last_check: datetime | None = None
    latency_ms: int | None = None
    default: bool = False
    metadata: ClusterMetadata = Field(default_factory=ClusterMetadata)
    owner_id: Id
    shared_with: list[ClusterShare] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    created_at: datetime
    updated_at: datetime
    server_by: Id | None = None
    """Who chose the server, if not the owner: others name it themselves when they send secrets."""
    credentials_version: int = 1
    """Grows when the credentials change: connections made with older ones are closed."""
    seq: int = 0
    """Of the newest event of the cluster's stream."""
