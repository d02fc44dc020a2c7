"""The one place that wires: settings in, services out. Tests call it with settings of their own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta

from app.bootstrap.clusters import clusters
from app.bootstrap.deploying import deploying
from app.bootstrap.ground import Ground, utc_now
from app.bootstrap.keys import signing_keys, vault
from app.documents import DOCUMENTS
from app.documents.database import Database
from app.documents.inventories import InventoryStore
from app.documents.versions import VersionStore
from app.documents.work import WorkStore
from app.documents.workflows import WorkflowStore
from app.domain.editing import Limits
from app.identity.passwords import Passwords
from app.identity.tokens import AccessTokens
from app.metrics import Metrics
from app.realtime.hub import Hub
from app.realtime.outbox import Outbox
from app.services import Services
from app.services.accounts import Accounts
from app.services.attempts import AttemptLimits
from app.services.changing import Changes
from app.services.importing import Importing
from app.services.streams import Streams
from app.services.versions import Versions
from app.services.workflows import Workflows
from app.settings import Settings

__all__ = ["bootstrap", "utc_now", "vault"]


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
        ground = Ground(
            settings=settings,
            stack=stack,
            database=database,
            outbox=outbox,
            hub=hub,
            metrics=metrics,
            changes=changes,
            now=now,
        )
        rooms = await clusters(ground)
        deploys = await deploying(ground, rooms.connections)
        limits = Limits(nodes=settings.max_nodes, edges=settings.max_edges)
        passwords = Passwords(rounds=settings.bcrypt_rounds)
        stack.callback(passwords.close)
        yield Services(
            accounts=Accounts(
                database=database,
                outbox=outbox,
                hub=hub,
                passwords=passwords,
                tokens=AccessTokens(signing_keys(settings), seconds=settings.access_token_seconds),
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
                work=WorkStore(),
                inventories=InventoryStore(),
                changes=changes,
                limits=limits,
                now=now,
            ),
            importing=Importing(limits=limits),
            versions=Versions(store=version_store, changes=changes),
            deployments=deploys.deployments,
            plans=deploys.plans,
            runs=deploys.runs,
            run_streams=deploys.run_streams,
            statuses=deploys.statuses,
            status_streams=deploys.status_streams,
            drifts=deploys.drifts,
            inspecting=deploys.inspecting,
            clusters=rooms.clusters,
            sharing=rooms.sharing,
            cluster_checks=rooms.checks,
            cluster_streams=rooms.streams,
            monitor=rooms.monitor,
            streams=Streams(hub=hub, workflows=workflow_store, metrics=metrics),
            metrics=metrics,
            ping=database.ping,
        )
