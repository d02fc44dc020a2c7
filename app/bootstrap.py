"""The one place that wires: settings in, services out. Tests call it with settings of their own."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from app.documents import DOCUMENTS
from app.documents.checks import CheckStore
from app.documents.clusters import ClusterStore
from app.documents.credentials import CredentialStore
from app.documents.database import Database
from app.documents.feeds import FeedStore
from app.documents.runs import RunStore
from app.documents.shares import ShareStore
from app.documents.throttles import ThrottleStore
from app.documents.users import UserStore
from app.documents.versions import VersionStore
from app.documents.workflows import WorkflowStore
from app.domain.editing import Limits
from app.identity.keyring import ENCRYPTION, SIGNING, KeyRing, Purpose
from app.identity.passwords import Passwords
from app.identity.tokens import AccessTokens
from app.identity.vault import Vault
from app.kube.addresses import AddressPolicy
from app.kube.pool import ClientPool
from app.metrics import Metrics
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox
from app.services import Services
from app.services.accounts import Accounts
from app.services.attempts import AttemptLimits
from app.services.changing import Changes
from app.services.clusterchanges import ClusterChanges
from app.services.clusterchecks import ClusterChecks
from app.services.clusters import Clusters
from app.services.clusterstreams import ClusterStreams
from app.services.clustertelling import ClusterTelling
from app.services.connections import Connections
from app.services.expiring import ShareExpiry
from app.services.importing import Importing
from app.services.monitoring import Monitor, Pace
from app.services.runs import Runs
from app.services.sharing import Sharing
from app.services.streams import Streams
from app.services.versions import Versions
from app.services.workflows import Workflows
from app.settings import ClusterAddresses, Environment, Settings


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
        rooms = await _clusters(
            settings,
            stack,
            database=database,
            outbox=outbox,
            hub=hub,
            metrics=metrics,
            now=now,
        )
        limits = Limits(nodes=settings.max_nodes, edges=settings.max_edges)
        signing_keys = _keys(settings.signing_keys, settings, SIGNING)
        passwords = Passwords(rounds=settings.bcrypt_rounds)
        stack.callback(passwords.close)
        yield Services(
            accounts=Accounts(
                database=database,
                outbox=outbox,
                hub=hub,
                passwords=passwords,
                tokens=AccessTokens(signing_keys, seconds=settings.access_token_seconds),
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
                clusters=rooms.clusters,
                changes=changes,
                limits=limits,
                now=now,
            ),
            importing=Importing(limits=limits),
            versions=Versions(store=version_store, changes=changes),
            runs=Runs(store=RunStore()),
            clusters=rooms.clusters,
            sharing=rooms.sharing,
            cluster_checks=rooms.checks,
            cluster_streams=rooms.streams,
            monitor=rooms.monitor,
            streams=Streams(hub=hub, workflows=workflow_store, metrics=metrics),
            metrics=metrics,
            ping=database.ping,
        )


@dataclass(frozen=True, slots=True)
class _ClusterServices:
    clusters: Clusters
    sharing: Sharing
    checks: ClusterChecks
    streams: ClusterStreams
    monitor: Monitor


async def _clusters(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    database: Database,
    outbox: Outbox,
    hub: Hub,
    metrics: Metrics,
    now: Callable[[], datetime],
) -> _ClusterServices:
    """Everything about clusters; what works in the background begins, if this process does that."""
    store, credentials, checks, feeds = ClusterStore(), CredentialStore(), CheckStore(), FeedStore()
    telling = ClusterTelling(outbox=outbox, feeds=feeds, now=now)
    changes = ClusterChanges(database=database, clusters=store, telling=telling, now=now)
    pool = ClientPool(
        _addresses(settings),
        size=settings.cluster_connections,
        idle_seconds=settings.cluster_idle_seconds,
    )
    stack.push_async_callback(pool.close)
    keys = vault(settings)
    connections = Connections(pool=pool, credentials=credentials, vault=keys)
    monitor = Monitor(
        database=database,
        clusters=store,
        checks=checks,
        telling=telling,
        connect=connections.to,
        pace=Pace(
            every=timedelta(seconds=settings.cluster_check_seconds),
            seconds=settings.cluster_answer_seconds,
            at_once=settings.cluster_checks_at_once,
        ),
        metrics=metrics,
        now=now,
    )
    expiry = ShareExpiry(
        database=database, clusters=store, shares=ShareStore(), telling=telling, now=now
    )
    stack.push_async_callback(monitor.close)
    if settings.background:
        await stack.enter_async_context(monitor.running())
        await stack.enter_async_context(expiry.running())
    return _ClusterServices(
        clusters=Clusters(
            store=store,
            credentials=credentials,
            checks=checks,
            workflows=WorkflowStore(),
            changes=changes,
            vault=keys,
            addresses=_addresses(settings),
            look=monitor.check,
            disconnect=connections.drop,
            most=settings.max_clusters,
            now=now,
        ),
        sharing=Sharing(
            changes=changes,
            users=UserStore(database),
            throttles=ThrottleStore(database),
            shared=expiry.shared,
            now=now,
        ),
        checks=ClusterChecks(changes=changes, monitor=monitor, connect=connections.to, now=now),
        streams=ClusterStreams(hub=hub, clusters=store, feeds=feeds, metrics=metrics, now=now),
        monitor=monitor,
    )


def vault(settings: Settings) -> Vault:
    """What the credentials of clusters are sealed with."""
    return Vault(_keys(settings.encryption_keys, settings, ENCRYPTION))


def _addresses(settings: Settings) -> AddressPolicy:
    """Where API servers may be."""
    given = settings.cluster_addresses
    if given is None:
        in_development = settings.environment is Environment.DEVELOPMENT
        given = ClusterAddresses.LOCAL if in_development else ClusterAddresses.PUBLIC
    local = given is ClusterAddresses.LOCAL
    return AddressPolicy(
        loopback=local,
        private=given is not ClusterAddresses.PUBLIC,
        plain_http_loopback=local,
    )


def _keys(given: Sequence[SecretStr], settings: Settings, purpose: Purpose) -> KeyRing:
    """The configured keys; in development, else, one that is made once and kept."""
    if given:
        return KeyRing.parse([key.get_secret_value() for key in given], purpose)
    return KeyRing.kept_in(settings.data_dir / f"{purpose.name}-key", purpose)
