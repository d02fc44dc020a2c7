"""Asking about a cluster now: what its people do when they don't want to wait for the monitor."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from app.domain import policy
from app.domain.cluster import Cluster, Permission
from app.domain.errors import ClusterError, ClusterFault
from app.domain.ids import Id
from app.domain.policy import ClusterAction
from app.domain.user import Actor
from app.kube import discovery
from app.services.checking import Connect
from app.services.clusterchanges import ClusterChanges
from app.services.monitoring import Monitor

_SECONDS = 20.0
"""For all questions about permissions together: a share that names namespaces makes hundreds."""


class ClusterChecks:
    """Looks at clusters for those who see them."""

    def __init__(
        self,
        *,
        changes: ClusterChanges,
        monitor: Monitor,
        connect: Connect,
        now: Callable[[], datetime],
    ) -> None:
        self._changes = changes
        self._monitor = monitor
        self._connect = connect
        self._now = now

    async def refresh(self, actor: Actor, cluster_id: Id) -> Cluster:
        """The cluster after a look at it and at what it offers.

        Raises NotFound, and ClusterError when it is out of reach.
        """
        await self._changes.open(actor, cluster_id, ClusterAction.VIEW)
        return await self._looked_at(actor, cluster_id)

    async def test(self, actor: Actor, cluster_id: Id) -> tuple[Cluster, list[Permission]]:
        """The cluster after a look at it, and what our credentials may do where the caller may.

        Raises NotFound, Forbidden, and ClusterError when it is out of reach.
        """
        cluster = await self._changes.open(actor, cluster_id, ClusterAction.DEPLOY)
        seen = await self._looked_at(actor, cluster_id)
        namespaces = policy.namespaces_of(actor, cluster, now=self._now())
        try:
            async with asyncio.timeout(_SECONDS), self._connect(cluster) as client:
                return seen, await discovery.permissions(client, namespaces)
        except TimeoutError:
            raise ClusterError(
                ClusterFault.TIMED_OUT,
                f"The cluster did not say within {_SECONDS:g} s what its credentials may do. Try "
                "again later.",
            ) from None

    async def _looked_at(self, actor: Actor, cluster_id: Id) -> Cluster:
        finding = await self._monitor.check(cluster_id)
        if finding is not None and finding.error is not None:
            raise finding.error
        cluster = await self._changes.open(actor, cluster_id, ClusterAction.VIEW)
        return policy.cluster_seen_by(actor, cluster, now=self._now())
