"""Everything about deploys: planning, runs, what is deployed, and a closer look at it."""

from dataclasses import dataclass
from datetime import timedelta

from app.bootstrap.ground import Ground
from app.documents.audits import AuditStore
from app.documents.clusters import ClusterStore
from app.documents.drifts import DriftStore
from app.documents.inventories import InventoryStore
from app.documents.plans import PlanStore
from app.documents.runs import RunStore
from app.documents.statuses import StatusStore
from app.documents.users import UserStore
from app.documents.versions import VersionStore
from app.documents.watches import WatchStore
from app.documents.work import WorkStore
from app.documents.workflows import WorkflowStore
from app.kube.informers import Informers
from app.services.connections import Connections
from app.services.deploying.aiming import Aiming
from app.services.deploying.committing import Ledgers
from app.services.deploying.deployments import Deployments
from app.services.deploying.engine import Means, RunPace
from app.services.deploying.loading import Loading
from app.services.deploying.planning import Planning
from app.services.deploying.worker import Worker
from app.services.inspecting import Inspecting
from app.services.plans import Plans
from app.services.runs import Runs
from app.services.runstreams import RunStreams
from app.services.watching.drifting import Drifts
from app.services.watching.keeping import LiveStatus
from app.services.watching.rounds import Rounds
from app.services.watching.streams import Statuses, StatusStreams
from app.services.watching.telling import StatusTelling
from app.services.welcome import Welcome

_WORKFLOWS_AT_ONCE = 16
"""Workflows that one process compares with their clusters at the same time."""


@dataclass(frozen=True, slots=True)
class DeployServices:
    """The room."""

    deployments: Deployments
    plans: Plans
    runs: Runs
    run_streams: RunStreams
    statuses: Statuses
    status_streams: StatusStreams
    drifts: Drifts
    inspecting: Inspecting


async def deploying(ground: Ground, connections: Connections) -> DeployServices:
    """The room; runs are done and what is deployed is watched, if this process does that."""
    now, hub, connect = ground.now, ground.hub, connections.to
    workflows, versions, clusters = WorkflowStore(), VersionStore(), ClusterStore()
    inventories, plans, runs, work = InventoryStore(), PlanStore(), RunStore(), WorkStore()
    ledgers = Ledgers(
        database=ground.database,
        outbox=ground.outbox,
        changes=ground.changes,
        work=work,
        runs=runs,
        inventories=inventories,
        audits=AuditStore(),
    )
    statuses = StatusStore()
    drifts = Drifts(
        clusters=clusters,
        inventories=inventories,
        versions=versions,
        work=work,
        store=DriftStore(),
        connect=connect,
        at_once=_WORKFLOWS_AT_ONCE,
        objects_at_once=ground.settings.applies_at_once,
        now=now,
    )
    ground.stack.push_async_callback(drifts.close)
    welcome = Welcome(hub=hub, workflows=workflows)
    if ground.settings.background:
        await _begin(ground, ledgers, statuses, drifts, connections)
    return DeployServices(
        deployments=Deployments(
            planning=Planning(
                aiming=Aiming(
                    workflows=workflows,
                    versions=versions,
                    clusters=clusters,
                    inventories=inventories,
                    now=now,
                ),
                plans=plans,
                connect=connect,
                at_once=ground.settings.applies_at_once,
                seconds=ground.settings.plan_seconds,
                now=now,
            ),
            plans=plans,
            ledgers=ledgers,
            connect=connect,
            now=now,
        ),
        plans=Plans(store=plans, workflows=workflows, clusters=clusters, now=now),
        runs=Runs(store=runs, inventories=inventories, workflows=workflows),
        run_streams=RunStreams(hub=hub, runs=runs, welcome=welcome, metrics=ground.metrics),
        statuses=Statuses(store=statuses, clusters=clusters, now=now),
        status_streams=StatusStreams(
            hub=hub,
            statuses=statuses,
            clusters=clusters,
            welcome=welcome,
            metrics=ground.metrics,
            now=now,
        ),
        drifts=drifts,
        inspecting=Inspecting(
            inventories=inventories,
            workflows=workflows,
            clusters=clusters,
            connect=connect,
            hub=hub,
            welcome=welcome,
            now=now,
        ),
    )


async def _begin(
    ground: Ground,
    ledgers: Ledgers,
    statuses: StatusStore,
    drifts: Drifts,
    connections: Connections,
) -> None:
    """What nobody waits for: runs, and the status of what is deployed."""
    settings, now = ground.settings, ground.now
    informers = Informers(connections.to)
    ground.stack.push_async_callback(informers.close)
    watches, clusters = WatchStore(), ClusterStore()
    live = LiveStatus(
        clusters=clusters,
        inventories=ledgers.inventories,
        statuses=statuses,
        work=ledgers.work,
        runs=ledgers.runs,
        watches=watches,
        telling=StatusTelling(
            database=ground.database,
            outbox=ground.outbox,
            inventories=ledgers.inventories,
            statuses=statuses,
            watches=watches,
            now=now,
        ),
        informers=informers,
        rounds=Rounds(
            drifts=drifts,
            store=DriftStore(),
            every=timedelta(seconds=settings.drift_seconds),
            now=now,
        ),
        hub=ground.hub,
        lease=timedelta(seconds=settings.run_lease_seconds),
        most=settings.cluster_connections // 2,
        now=now,
    )
    worker = Worker(
        Means(
            ledgers=ledgers,
            loading=Loading(
                runs=ledgers.runs,
                versions=VersionStore(),
                clusters=clusters,
                users=UserStore(ground.database),
                inventories=ledgers.inventories,
                now=now,
            ),
            connect=connections.to,
            informers=informers,
            hub=ground.hub,
            pace=RunPace(
                at_once=settings.runs_at_once,
                applies_at_once=settings.applies_at_once,
                lease_seconds=settings.run_lease_seconds,
                seconds=settings.run_seconds,
                trouble_seconds=settings.run_trouble_seconds,
                steady_seconds=settings.run_steady_seconds,
            ),
            now=now,
        ),
        metrics=ground.metrics,
    )
    await ground.stack.enter_async_context(live.running())
    await ground.stack.enter_async_context(worker.running())
