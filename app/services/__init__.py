"""Use cases: one module per noun. `Services` is what a resolver can call."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.metrics import Metrics
from app.realtime.ending import Ending
from app.services.accounts import Accounts
from app.services.clusterchecks import ClusterChecks
from app.services.clusters import Clusters
from app.services.clusterstreams import ClusterStreams
from app.services.deploying.deployments import Deployments
from app.services.importing import Importing
from app.services.inspecting import Inspecting
from app.services.monitoring import Monitor
from app.services.plans import Plans
from app.services.runs import Runs
from app.services.runstreams import RunStreams
from app.services.sharing import Sharing
from app.services.streams import Streams
from app.services.versions import Versions
from app.services.watching.drifting import Drifts
from app.services.watching.streams import Statuses, StatusStreams
from app.services.workflows import Workflows


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the server can do. Made by `app.bootstrap`, once per process."""

    accounts: Accounts
    workflows: Workflows
    importing: Importing
    versions: Versions
    deployments: Deployments
    runs: Runs
    run_streams: RunStreams
    plans: Plans
    statuses: Statuses
    status_streams: StatusStreams
    drifts: Drifts
    inspecting: Inspecting
    clusters: Clusters
    sharing: Sharing
    cluster_checks: ClusterChecks
    cluster_streams: ClusterStreams
    monitor: Monitor
    streams: Streams
    metrics: Metrics
    ping: Callable[[], Awaitable[None]]
    """Asks the database whether it is there; raises when it is not."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is asked to stop: streams end, nothing new begins."""


__all__ = ["Ending", "Services"]
