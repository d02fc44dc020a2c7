"""What a look at a cluster finds: whether it answers, and what it has to offer."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from app.domain.cluster import Cluster, ClusterMetadata, ClusterStatus
from app.domain.errors import ClusterError, ClusterFault
from app.kube import discovery
from app.kube.client import KubeClient

Connect = Callable[[Cluster], AbstractAsyncContextManager[KubeClient]]
"""A connection to a cluster with its own credentials. Raises ClusterError."""

LONGEST = 4
"""A look takes this many times what a cluster has to answer in: once for the answer, the rest to
see what it offers. What was known stays when that takes longer."""

_OUT_OF_REACH = frozenset(
    {
        ClusterFault.NAME_NOT_FOUND,
        ClusterFault.UNREACHABLE,
        ClusterFault.TIMED_OUT,
        ClusterFault.THROTTLED,
        ClusterFault.UNAVAILABLE,
    }
)
"""Faults that may pass by themselves. The others stay until somebody does something."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. `metadata` is None when nothing new is known of it."""

    status: ClusterStatus
    message: str | None = None
    latency_ms: int | None = None
    metadata: ClusterMetadata | None = None
    error: ClusterError | None = None

    @property
    def is_our_own(self) -> bool:
        """Whether it was this server that was too busy, which says nothing of the cluster."""
        error = self.error
        return error is not None and error.fault is ClusterFault.THROTTLED and error.status is None

    @classmethod
    def failed(cls, error: ClusterError) -> "Finding":
        """What a failure says of the cluster."""
        out = error.fault in _OUT_OF_REACH
        status = ClusterStatus.DISCONNECTED if out else ClusterStatus.ERROR
        return cls(status=status, message=error.message, error=error)


async def look(connect: Connect, cluster: Cluster, *, discovers: bool, seconds: float) -> Finding:
    """One look at a cluster that has `seconds` to answer, and more where one `discovers`."""
    try:
        async with asyncio.timeout(seconds * LONGEST), connect(cluster) as client:
            began = time.perf_counter()
            version = await discovery.check(client, seconds=seconds)
            latency = round((time.perf_counter() - began) * 1000)
            known = cluster.metadata.version
            metadata = None
            if discovers or known != version.git:
                metadata = await _discovered(client, version.git, seconds=seconds * (LONGEST - 1))
    except ClusterError as error:
        return Finding.failed(error)
    except TimeoutError:
        return Finding.failed(
            ClusterError(ClusterFault.TIMED_OUT, "The cluster did not answer in time.")
        )
    return Finding(status=ClusterStatus.CONNECTED, latency_ms=latency, metadata=metadata)


async def _discovered(
    client: KubeClient, version: str, *, seconds: float
) -> ClusterMetadata | None:
    try:
        async with asyncio.timeout(seconds):
            return await discovery.discover(client, version)
    except (ClusterError, TimeoutError):
        return None
