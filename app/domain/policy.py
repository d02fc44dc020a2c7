"""Who may do what. The one place that decides, for enforcing and for `viewerCan` alike.

Seeing comes first: an object that the caller may not see is "not found", whatever was asked.
A workflow is seen by its owner. A cluster is seen by its owner and by whom it is shared with, as
long as the share lasts; one that names namespaces reaches no further than these.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from app.domain.cluster import Cluster, ClusterMetadata, ClusterRole, ClusterShare
from app.domain.errors import Forbidden
from app.domain.ids import Id
from app.domain.user import Actor, Role
from app.domain.workflow import WorkflowRow, WorkflowStatus


class WorkflowAction(enum.StrEnum):
    """What can be done to a workflow that one sees."""

    EDIT = "edit"
    DEPLOY = "deploy"
    UNDEPLOY = "undeploy"
    """Remove what was deployed, or stop a run."""
    MANAGE = "manage"
    """Publish, archive and delete it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and if not, why, in a sentence for people."""

    allowed: bool
    reason: str | None = None

    def enforce(self) -> None:
        """Raises Forbidden with the reason unless allowed."""
        if not self.allowed:
            raise Forbidden(self.reason or "You may not do this.")


ALLOWED = Decision(allowed=True)


def _denied(reason: str) -> Decision:
    return Decision(allowed=False, reason=reason)


def sees_workflow(actor: Actor, workflow: WorkflowRow) -> bool:
    return workflow.owner_id == actor.id


def on_workflow(actor: Actor, action: WorkflowAction, workflow: WorkflowRow) -> Decision:
    """What `actor`, who sees `workflow`, may do to it."""
    if not sees_workflow(actor, workflow):
        return _denied("Only the owner may change this workflow.")
    if workflow.deleted_at is not None:
        return _denied("The workflow is deleted. Restore it first.")
    return _ON_WORKFLOW[action](workflow)


def _edit(workflow: WorkflowRow) -> Decision:
    if workflow.status is WorkflowStatus.ARCHIVED:
        return _denied("The workflow is archived. Publish it to change it.")
    return ALLOWED


def _deploy(workflow: WorkflowRow) -> Decision:
    if workflow.status is not WorkflowStatus.PUBLISHED:
        return _denied("Only a published workflow deploys. Publish it first.")
    if workflow.cluster_id is None:
        return _denied("The workflow has no cluster. Choose one first.")
    return ALLOWED


def _undeploy(workflow: WorkflowRow) -> Decision:
    if workflow.status is WorkflowStatus.DRAFT:
        return _denied("A draft was never deployed. Publish it first.")
    return ALLOWED


def _manage(_workflow: WorkflowRow) -> Decision:
    return ALLOWED


_ON_WORKFLOW = {
    WorkflowAction.EDIT: _edit,
    WorkflowAction.DEPLOY: _deploy,
    WorkflowAction.UNDEPLOY: _undeploy,
    WorkflowAction.MANAGE: _manage,
}


class ClusterAction(enum.StrEnum):
    """What can be done with a cluster. Each contains the ones before it."""

    VIEW = "view"
    DEPLOY = "deploy"
    SHARE = "share"
    """Share what one has oneself."""
    ADMINISTER = "administer"
    """Change it and its credentials, which takes all of its namespaces."""
    OWN = "own"
    """Remove it, or make it one's default."""


_LEAST_ROLE = {
    ClusterAction.VIEW: ClusterRole.VIEWER,
    ClusterAction.DEPLOY: ClusterRole.DEPLOYER,
    ClusterAction.SHARE: ClusterRole.ADMIN,
    ClusterAction.ADMINISTER: ClusterRole.ADMIN,
}
_RANK = {role: rank for rank, role in enumerate(ClusterRole)}


def sees_cluster(actor: Actor, cluster: Cluster, *, now: datetime) -> bool:
    return cluster.owner_id == actor.id or _share_of(actor, cluster, now=now) is not None


def on_cluster(
    actor: Actor,
    action: ClusterAction,
    cluster: Cluster,
    *,
    now: datetime,
    namespace: str | None = None,
) -> Decision:
    """What `actor`, who sees `cluster`, may do with it; with `namespace`, what in that one.

    Without a namespace a share that names some is asked what it allows in these.
    """
    if cluster.owner_id == actor.id:
        return ALLOWED
    share = _share_of(actor, cluster, now=now)
    if share is None:
        return _denied("This cluster is not shared with you.")
    least = _LEAST_ROLE.get(action)
    if least is None:
        return _denied("Only the owner of the cluster may do this.")
    if _RANK[share.role] < _RANK[least]:
        return _denied(
            f"You are {share.role.upper()} of this cluster; this takes {least.upper()}. "
            "Ask its owner."
        )
    beyond = action is ClusterAction.ADMINISTER or (
        namespace is not None and namespace not in share.namespaces
    )
    if share.namespaces and beyond:
        names = ", ".join(share.namespaces)
        return _denied(f"This cluster is shared with you in these namespaces only: {names}.")
    return ALLOWED


def deploys_in(
    actor: Actor, cluster: Cluster, namespaces: Iterable[str | None], *, now: datetime
) -> Decision:
    """Whether `actor`, who sees `cluster`, may make, change and remove objects in all of these
    namespaces; None stands for objects of the whole cluster."""
    return _in_all(actor, ClusterAction.DEPLOY, cluster, namespaces, now=now)


def looks_in(
    actor: Actor, cluster: Cluster, namespaces: Iterable[str | None], *, now: datetime
) -> Decision:
    """The same of looking at them."""
    return _in_all(actor, ClusterAction.VIEW, cluster, namespaces, now=now)


def _in_all(
    actor: Actor,
    action: ClusterAction,
    cluster: Cluster,
    namespaces: Iterable[str | None],
    *,
    now: datetime,
) -> Decision:
    wanted = set(namespaces)
    decision = on_cluster(actor, action, cluster, now=now)
    held_to = namespaces_of(actor, cluster, now=now)
    if not decision.allowed or not held_to:
        return decision
    beyond = [f"in {name}" for name in sorted(filter(None, wanted)) if name not in held_to]
    if None in wanted:
        beyond.append("that belong to the whole cluster")
    if not beyond:
        return ALLOWED
    return _denied(
        f"This cluster is shared with you in these namespaces only: {', '.join(held_to)}. The "
        f"workflow has objects {beyond[0]}."
    )


def namespaces_of(actor: Actor, cluster: Cluster, *, now: datetime) -> list[str]:
    """The namespaces that `actor`, who sees `cluster`, is held to; none means all of them."""
    share = _share_of(actor, cluster, now=now)
    return list(share.namespaces) if share is not None else []


def cluster_seen_by(actor: Actor, cluster: Cluster, *, now: datetime) -> Cluster:
    """The cluster as `actor`, who sees it, sees it: no namespace that is not theirs, no share that
    is over, and of the shares of others those that they may change.
    """
    share = _share_of(actor, cluster, now=now)
    shares = [each for each in cluster.shared_with if each.lasts(now)]
    if not on_cluster(actor, ClusterAction.SHARE, cluster, now=now).allowed:
        shares = [each for each in shares if each.user_id == actor.id]
    elif share is not None:
        shares = [each for each in shares if _contains(share, each)]
    metadata = cluster.metadata
    if share is not None and share.namespaces:
        metadata = _within(metadata, share.namespaces)
    return cluster.model_copy(update={"shared_with": shares, "metadata": metadata})


def _within(metadata: ClusterMetadata, namespaces: list[str]) -> ClusterMetadata:
    reached = [name for name in metadata.namespaces if name in namespaces]
    return metadata.model_copy(update={"namespaces": reached})


def _share_of(actor: Actor, cluster: Cluster, *, now: datetime) -> ClusterShare | None:
    if cluster.owner_id == actor.id:
        return None
    for share in cluster.shared_with:
        if share.user_id == actor.id and share.lasts(now):
            return share
    return None


def _contains(share: ClusterShare, other: ClusterShare) -> bool:
    """Whether all namespaces of `other` are among those of `share`."""
    if not share.namespaces:
        return True
    return bool(other.namespaces) and set(other.namespaces) <= set(share.namespaces)


def administer_users(actor: Actor) -> Decision:
    if actor.user.role is Role.ADMIN:
        return ALLOWED
    return _denied("Only an administrator may see and invite users.")


def sees_account(actor: Actor | None, person: Id) -> bool:
    """Whether the caller may see someone's role and how they sign in: their own, or as admin."""
    return actor is not None and (actor.id == person or actor.user.role is Role.ADMIN)


def sees_email(actor: Actor | None, person: Id, *, shares_cluster: bool) -> bool:
    """Whether the caller may see someone's e-mail.

    People who share a cluster may: that is how they were invited to it, and know each other.
    """
    return sees_account(actor, person) or (actor is not None and shares_cluster)
