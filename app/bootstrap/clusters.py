"""Everything about clusters: what people do with them, and the monitor."""

from dataclasses import dataclass
from datetime import timedelta

from app.bootstrap.ground import Ground
from app.bootstrap.keys import vault
from app.documents.checks import CheckStore
from app.documents.clusters import ClusterStore
from app.documents.credentials import CredentialStore
from app.documents.feeds import FeedStore
from app.documents.inventories import InventoryStore
from app.documents.shares import ShareStore
from app.documents.throttles import ThrottleStore
from app.documents.users import UserStore
from app.documents.work import WorkStore
from app.documents.workflows import WorkflowStore
from app.kube.addresses import AddressPolicy
from app.kube.pool import ClientPool
from app.services.clusterchanges import ClusterChanges
from app.services.clusterchecks import ClusterChecks
from app.services.clusters import Clusters
from app.services.clusterstreams import ClusterStreams
from app.services.clustertelling import ClusterTelling
from app.services.connections import Connections
from app.services.expiring import ShareExpiry
from app.services.monitoring import Monitor, Pace
from app.services.sharing import Sharing
from app.settings import ClusterAddresses, Environment, Settings


@dataclass(frozen=True, slots=True)
class ClusterServices:
    """The room, and the way to clusters that others take."""

    clusters: Clusters
    sharing: Sharing
    checks: ClusterChecks
    streams: ClusterStreams
    monitor: Monitor
    connections: Connections


async def clusters(ground: Ground) -> ClusterServices:
    """The room; what works in the background begins, if this process does that."""
    settings, now = ground.settings, ground.now
    store, credentials, checks, feeds = ClusterStore(), CredentialStore(), CheckStore(), FeedStore()
    telling = ClusterTelling(outbox=ground.outbox, feeds=feeds, now=now)
    changes = ClusterChanges(database=ground.database, clusters=store, telling=telling, now=now)
    pool = ClientPool(
        _addresses(settings),
        size=settings.cluster_connections,
        idle_seconds=settings.cluster_idle_seconds,
    )
    ground.stack.push_async_callback(pool.close)
    keys = vault(settings)
    connections = Connections(pool=pool, credentials=credentials, vault=keys)
    monitor = Monitor(
        database=ground.database,
        clusters=store,
        checks=checks,
        telling=telling,
        connect=connections.to,
        pace=Pace(
            every=timedelta(seconds=settings.cluster_check_seconds),
            seconds=settings.cluster_answer_seconds,
            at_once=settings.cluster_checks_at_once,
        ),
        metrics=ground.metrics,
        now=now,
    )
    expiry = ShareExpiry(
        database=ground.database, clusters=store, shares=ShareStore(), telling=telling, now=now
    )
    ground.stack.push_async_callback(monitor.close)
    if settings.background:
        await ground.stack.enter_async_context(monitor.running())
        await ground.stack.enter_async_context(expiry.running())
    return ClusterServices(
        clusters=Clusters(
            store=store,
            credentials=credentials,
            checks=checks,
            workflows=WorkflowStore(),
            work=WorkStore(),
            inventories=InventoryStore(),
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
            users=UserStore(ground.database),
            throttles=ThrottleStore(ground.database),
            shared=expiry.shared,
            now=now,
        ),
        checks=ClusterChecks(changes=changes, monitor=monitor, connect=connections.to, now=now),
        streams=ClusterStreams(
            hub=ground.hub, clusters=store, feeds=feeds, metrics=ground.metrics, now=now
        ),
        monitor=monitor,
        connections=connections,
    )


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
