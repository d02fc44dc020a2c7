"""Every setting, typed, with its unit and its reason. Nobody else reads the environment.

Values come from variables named `KUBEORCH_<FIELD>`; lists are JSON. `kubeorch config` prints them.
"""

import enum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.identity.keyring import ENCRYPTION, HOW_TO_MAKE, SIGNING, KeyRing


class Environment(enum.StrEnum):
    """DEVELOPMENT makes its own keys; PRODUCTION refuses to start without real ones."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class SignUp(enum.StrEnum):
    """Who may register: anybody, holders of an invitation, or nobody."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


class Explorer(enum.StrEnum):
    """Where GraphiQL at `/graphql` comes from. AUTO: our own bundle, else the CDN."""

    AUTO = "auto"
    OFFLINE = "offline"
    OFF = "off"


class SpecMode(enum.StrEnum):
    """Which reading of GraphQL over HTTP decides status codes: the audit's, or the 2026 draft's."""

    AUDIT = "audit"
    DRAFT = "draft"


class ClusterAddresses(enum.StrEnum):
    """Where API servers may be: in PUBLIC networks, also in PRIVATE ones, or LOCAL: this machine
    too, and there without TLS. Link-local and metadata addresses are never dialled.
    """

    PUBLIC = "public"
    PRIVATE = "private"
    LOCAL = "local"


class LogLevel(enum.StrEnum):
    """How severe a line must be to be logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Settings(BaseSettings):
    """The server's settings."""

    model_config = SettingsConfigDict(
        env_prefix="KUBEORCH_",
        extra="ignore",
        populate_by_name=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # some are secret, also those that are refused
    )

    # Where it runs
    environment: Environment = Environment.DEVELOPMENT
    """`production` refuses generated keys and verbose errors."""
    host: str = "127.0.0.1"
    """Address to listen on; loopback, so that nothing is open by accident."""
    port: int = Field(default=8000, ge=0, le=65535)
    """TCP port; 0 takes a free one."""
    data_dir: Path = Path(".kubeorch")
    """Where the embedded database, generated keys and the demo login are kept."""
    log_level: LogLevel = LogLevel.INFO
    """Least severe level that is logged: `debug`, `info`, `warning` or `error`."""
    shutdown_seconds: int = Field(default=10, ge=1)
    """How long requests in flight may take to finish once the server is asked to stop."""

    # The database
    mongodb_uri: SecretStr | None = Field(default=None, validation_alias="MONGODB_URI")
    """A MongoDB >= 6 replica set; unset starts the embedded one. Read from `MONGODB_URI`."""
    database: str = "kubeorch"
    """Database name."""
    demo: bool = True
    """Make the demo user and workflows when the database is empty. Development only."""

    # Who may come in
    sign_up: SignUp = SignUp.OPEN
    """Who may register."""
    signing_keys: list[SecretStr] = Field(default_factory=list)
    """Access-token keys as `kid:base64url of at least 32 bytes`; the first signs, all verify."""
    access_token_seconds: int = Field(default=900, ge=1, le=86_400)
    """Life of an access token; its session is looked up for every operation all the same."""
    refresh_token_seconds: int = Field(default=30 * 86_400, ge=60)
    """Life of a refresh token that is not used."""
    bcrypt_rounds: int = Field(default=12, ge=4, le=16)
    """Work factor of password hashes; each step doubles the time."""
    login_attempts: int = Field(default=10, ge=1)
    """Failed logins per account in one window before the door closes."""
    login_attempts_per_address: int = Field(default=100, ge=1)
    """Failed logins from one address in one window: more, because an office shares one."""
    login_window_seconds: int = Field(default=900, ge=1)
    """Length of that window."""
    registrations_per_address: int = Field(default=300, ge=1)
    """Registrations, successful or not, from one address in one such window."""
    refreshes_per_address: int = Field(default=3_000, ge=1)
    """Refreshed sessions, successful or not, from one address in one such window."""

    # The GraphQL edge
    explorer: Explorer = Explorer.AUTO
    """GraphiQL: `auto`, `offline` (never a CDN) or `off`."""
    introspection: bool = True
    """Answer introspection queries."""
    spec_mode: SpecMode = SpecMode.AUDIT
    """Status codes of GraphQL over HTTP."""
    allowed_origins: list[str] = Field(default_factory=list)
    """Origins besides our own whose pages may call the API and open websockets."""
    trusted_proxies: list[str] = Field(default_factory=list)
    """Addresses whose X-Forwarded-For is believed."""
    max_request_bytes: int = Field(default=1_048_576, ge=1024)
    """Largest request body and websocket message: 1 MiB."""
    request_seconds: float = Field(default=30.0, gt=0)
    """How long a request's head, and then its body, may take to arrive."""
    max_tokens: int = Field(default=5_000, ge=100)
    """Most lexical tokens in a document."""
    max_depth: int = Field(default=15, ge=3)
    """Deepest selection."""
    max_aliases: int = Field(default=50, ge=0)
    """Most aliases, fragments expanded."""
    max_root_fields: int = Field(default=20, ge=1)
    """Most root fields in one operation."""
    max_mutations: int = Field(default=10, ge=1)
    """Most root fields in one mutation."""
    max_cost: int = Field(default=10_000, ge=100)
    """Greatest static cost of an operation, in the points that `@cost` in the schema tells."""
    operation_seconds: float = Field(default=30.0, gt=0)
    """Deadline of one query; mutations that began are always finished."""
    connection_init_seconds: float = Field(default=10.0, gt=0)
    """How long a websocket may stay silent before `connection_init`."""
    ping_seconds: float = Field(default=20.0, gt=0)
    """Pause between the server's pings on websockets and event streams."""
    max_operations_per_socket: int = Field(default=50, ge=1)
    """Operations at once on one websocket."""
    max_sockets_per_user: int = Field(default=50, ge=1)
    """Websockets and event streams at once of one user."""
    max_sockets_per_address: int = Field(default=200, ge=1)
    """Websockets and event streams at once from one address."""

    # The canvas
    max_nodes: int = Field(default=1_000, ge=1)
    """Nodes in one workflow."""
    max_edges: int = Field(default=5_000, ge=1)
    """Edges in one workflow."""
    max_canvas_bytes: int = Field(default=4_194_304, ge=65_536, le=8_388_608)
    """Stored size from which a canvas may not grow; a MongoDB document ends at 16 MiB."""
    events_ttl_seconds: int = Field(default=7 * 86_400, ge=60)
    """How long events stay for subscribers that come back."""
    stream_buffer: int = Field(default=256, ge=8)
    """Events a slow subscriber may lag behind before it is sent a gap and a fresh snapshot."""
    stream_buffer_bytes: int = Field(default=4_194_304, ge=65_536)
    """The same as a size, of all events of one stream: 4 MiB."""

    # Clusters
    sandbox: bool = True
    """Start a sandbox cluster with the demo data: an emulated one, in which nothing is executed."""
    background: bool = True
    """Whether this process also does what nobody waits for, such as checking clusters. Of several
    replicas at least one must."""
    encryption_keys: list[SecretStr] = Field(default_factory=list)
    """Keys, written as signing keys are, that the credentials of clusters are sealed with: the
    first seals, all open. `kubeorch rotate-keys` moves everything under the first."""
    max_clusters: int = Field(default=200, ge=1)
    """Clusters of one owner."""
    cluster_addresses: ClusterAddresses | None = None
    """Addresses that are dialled: `public`, `private` or `local`; left out, `local` in development
    and `public` in production."""
    cluster_check_seconds: float = Field(default=60.0, ge=1)
    """Pause between two checks of a cluster; up to 16 times as long while it is out of reach."""
    cluster_answer_seconds: float = Field(default=5.0, gt=0)
    """How long a cluster may take to answer a check."""
    cluster_checks_at_once: int = Field(default=32, ge=1)
    """Clusters that one process checks at the same time."""
    cluster_connections: int = Field(default=1_000, ge=1)
    """Clusters that one process keeps connections to."""
    cluster_idle_seconds: float = Field(default=300.0, gt=0)
    """How long a connection is kept that nobody uses."""

    # Deploying
    runs_at_once: int = Field(default=8, ge=1)
    """Runs of one process that are at work at the same time, a quarter of them at most of one
    person or on one cluster. Those that wait until something is ready do not count."""
    applies_at_once: int = Field(default=8, ge=1, le=64)
    """Objects of one workflow that are sent to its cluster at the same time."""
    run_lease_seconds: float = Field(default=15.0, ge=0.5)
    """How long a run belongs to a process that says nothing: then another one goes on with it."""
    run_seconds: float = Field(default=600.0, ge=1)
    """How long a run may take, from its beginning, until everything is ready."""
    run_trouble_seconds: float = Field(default=60.0, ge=0)
    """How long a node may be in trouble, such as a container that crashes again and again, before
    its run fails."""
    run_steady_seconds: float = Field(default=2.0, ge=0)
    """How long new pods have to stay ready before their node is: what crashes at its start is ready
    for a moment."""
    plan_seconds: int = Field(default=3_600, ge=60)
    """How long a plan that was looked at can be deployed."""
    drift_seconds: float = Field(default=900.0, ge=10)
    """Pause between two looks for changes that somebody else made to what is deployed."""

    @field_validator("signing_keys", "encryption_keys")
    @classmethod
    def _keys_are_random(cls, keys: list[SecretStr], info: ValidationInfo) -> list[SecretStr]:
        if keys:
            purpose = SIGNING if info.field_name == "signing_keys" else ENCRYPTION
            KeyRing.parse([key.get_secret_value() for key in keys], purpose)
        return keys

    @model_validator(mode="after")
    def _production_is_serious(self) -> Self:
        if self.environment is Environment.PRODUCTION:
            for field in ("signing_keys", "encryption_keys"):
                if not getattr(self, field):
                    raise ValueError(
                        f"{environment_variable(field)} is required in production: a JSON list of "
                        f"""keys, such as '["k1:…"]'. {HOW_TO_MAKE}"""
                    )
            if self.mongodb_uri is None:
                raise ValueError("MONGODB_URI is required in production")
        return self


def environment_variable(field: str) -> str:
    """The variable that sets `field` of Settings; a variable's own name is answered as it is."""
    if field not in Settings.model_fields:
        return field
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"KUBEORCH_{field.upper()}"
