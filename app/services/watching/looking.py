"""Who may look at what is deployed: who sees its cluster, and all of the namespaces it is in."""

from collections.abc import Iterable
from datetime import datetime

from app.domain import policy
from app.domain.cluster import Cluster
from app.domain.policy import ClusterAction, Decision
from app.domain.user import Actor


def may_look(
    actor: Actor, cluster: Cluster, namespaces: Iterable[str], *, now: datetime
) -> Decision:
    """Whether somebody may look at what a cluster has in all of these namespaces."""
    for namespace in namespaces:
        decision = policy.on_cluster(
            actor, ClusterAction.VIEW, cluster, now=now, namespace=namespace
        )
        if not decision.allowed:
            return decision
    return policy.on_cluster(actor, ClusterAction.VIEW, cluster, now=now)
