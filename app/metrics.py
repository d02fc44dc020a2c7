"""What the process counts of itself, for Prometheus. One set per application, none global.

Names follow https://prometheus.io/docs/practices/naming/.
"""

from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_LAGS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""Seconds."""


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.connections = Gauge(
            "kubeorch_stream_connections",
            "Open websockets and event streams.",
            ["transport"],
            registry=self.registry,
        )
        self.dropped = Counter(
            "kubeorch_stream_connections_dropped",
            "Websockets and event streams that the server ended, by why.",
            ["transport", "reason"],
            registry=self.registry,
        )
        self.subscribers = Gauge(
            "kubeorch_subscribers",
            "Running subscriptions, by field.",
            ["field"],
            registry=self.registry,
        )
        self.resumes = Counter(
            "kubeorch_stream_resumes",
            "Subscriptions that began behind an event that the client had.",
            registry=self.registry,
        )
        self.gaps = Counter(
            "kubeorch_stream_gaps",
            "Times a subscriber was told that events are missing.",
            registry=self.registry,
        )
        self.ended = Counter(
            "kubeorch_streams_ended",
            "Streams that ended for a reason, by why.",
            ["reason"],
            registry=self.registry,
        )
        self.lag = Histogram(
            "kubeorch_stream_lag_seconds",
            "From the writing of an event to its socket: the clocks of two replicas may differ.",
            buckets=_LAGS,
            registry=self.registry,
        )
        self.executions = Counter(
            "kubeorch_stream_executions",
            "Events that were executed and encoded for a cohort of subscribers.",
            registry=self.registry,
        )
        self.deliveries = Counter(
            "kubeorch_stream_deliveries",
            "Events that were sent to subscribers.",
            registry=self.registry,
        )
        self.reopened = Counter(
            "kubeorch_hub_reopened",
            "Times the change stream broke and was opened anew.",
            registry=self.registry,
        )

        self.cluster_checks = Counter(
            "kubeorch_cluster_checks",
            "Looks at clusters, by what was found.",
            ["status"],
            registry=self.registry,
        )

        self.runs = Counter(
            "kubeorch_runs",
            "Runs that this process has brought to an end, by how they ended.",
            ["status"],
            registry=self.registry,
        )
        self.active_runs = Gauge(
            "kubeorch_active_runs",
            "Runs that this process is doing.",
            registry=self.registry,
        )
        self.lost_leases = Counter(
            "kubeorch_run_leases_lost",
            "Runs that this process had to leave to another one.",
            registry=self.registry,
        )

    def exposition(self) -> bytes:
        """Everything, as CONTENT_TYPE."""
        return generate_latest(self.registry)
