"""The one place that wires: settings in, services out. Tests call it with settings of their own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

from app.documents import DOCUMENTS
from app.documents.clusters import ClusterStore
from app.documents.database import Database
from app.documents.runs import RunStore
from app.documents.versions import VersionStore
from app.documents.workflows import WorkflowStore
from app.domain.editing import Limits
from app.identity.keyring import KeyRing
from app.identity.passwords import Passwords
from app.identity.tokens import AccessTokens
from app.metrics import Metrics
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox
from app.services import Services
from app.services.accounts import Accounts
from app.services.attempts import AttemptLimits
from app.services.changing import Changes
from app.services.clusters import Clusters
from app.services.importing import Importing
from app.services.runs import Runs
from app.services.streams import Streams
from app.services.versions import Versions
from app.services.workflows import Workflows
from app.settings import Settings


def utc_now() -> datetime:
    """The clock. Milliseconds, because that is what MongoDB keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@asynccontextmanager
async def bootstrap(
    settings: Settings, *, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[Services]:
    """Connects, creates indexes, starts the hub; closes everything on the way out."""
    if settings.mongodb_uri is None:
        raise ValueError("bootstrap needs settings.mongodb_uri; `kubeorch serve` supplies one")
    async with AsyncExitStack() as stack:
        database = await Database.connect(
            settings.mongodb_uri.get_secret_value(), settings.database, DOCUMENTS
        )
        stack.push_async_callback(database.close)
        outbox = Outbox(database.raw)
        await outbox.prepare(ttl_seconds=settings.events_ttl_seconds)
        metrics = Metrics()
        hub = Hub(
            outbox,
            ring_size=settings.stream_buffer,
            ring_bytes=settings.stream_buffer_bytes,
            metrics=metrics,
        )
        await stack.enter_async_context(hub.running())

        workflow_store, version_store = WorkflowStore(), VersionStore()
        changes = Changes(
            database=database,
            workflows=workflow_store,
            versions=version_store,
            outbox=outbox,
            max_bytes=settings.max_canvas_bytes,
            now=now,
        )
        clusters = Clusters(store=ClusterStore(), now=now)
        limits = Limits(nodes=settings.max_nodes, edges=settings.max_edges)
        passwords = Passwords(rounds=settings.bcrypt_rounds)
        stack.callback(passwords.close)
        yield Services(
            accounts=Accounts(
                database=database,
                outbox=outbox,
                hub=hub,
                passwords=passwords,
                tokens=AccessTokens(_keys(settings), seconds=settings.access_token_seconds),
                session_lifetime=timedelta(seconds=settings.refresh_token_seconds),
                sign_up=settings.sign_up,
                limits=AttemptLimits(
                    failures=settings.login_attempts,
                    failures_per_address=settings.login_attempts_per_address,
                    registrations=settings.registrations_per_address,
                    refreshes=settings.refreshes_per_address,
                    window=timedelta(seconds=settings.login_window_seconds),
                ),
                now=now,
            ),
            workflows=Workflows(
                store=workflow_store,
                clusters=clusters,
                changes=changes,
                limits=limits,
                now=now,
            ),
            importing=Importing(limits=limits),
            versions=Versions(store=version_store, changes=changes),
            runs=Runs(store=RunStore()),
            clusters=clusters,
            streams=Streams(hub=hub, workflows=workflow_store, metrics=metrics),
            metrics=metrics,
            ping=database.ping,
        )


def _keys(settings: Settings) -> KeyRing:
    """The configured keys; in development, else, one that is made once and kept."""
    if settings.signing_keys:
        return KeyRing.parse([key.get_secret_value() for key in settings.signing_keys])
    return KeyRing.kept_in(settings.data_dir / "signing-key")
