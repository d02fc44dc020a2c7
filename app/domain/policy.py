"""Who may do what. The one place that decides, for enforcing and for `viewerCan` alike.

Seeing comes first: an object that the caller may not see is "not found", whatever was asked.
A workflow is seen by its owner. A cluster is seen by its owner and by whom it is shared with.
"""

import enum
from dataclasses import dataclass
from datetime import datetime

from app.domain.cluster import Cluster, ClusterRole
from app.domain.errors import Forbidden
from app.domain.ids import Id
from app.domain.user import Actor, Role
from app.domain.workflow import WorkflowRow, WorkflowStatus


class WorkflowAction(enum.StrEnum):
    """What can be done to a workflow that one sees."""

    EDIT = "edit"
    DEPLOY = "deploy"
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


def _manage(_workflow: WorkflowRow) -> Decision:
    return ALLOWED


_ON_WORKFLOW = {
    WorkflowAction.EDIT: _edit,
    WorkflowAction.DEPLOY: _deploy,
    WorkflowAction.MANAGE: _manage,
}


def cluster_role(actor: Actor, cluster: Cluster, *, now: datetime) -> ClusterRole | None:
    """The caller's role on the cluster; None when they may not see it. An owner is ADMIN."""
    if cluster.owner_id == actor.id:
        return ClusterRole.ADMIN
    for share in cluster.shared_with:
        if share.user_id == actor.id and (share.expires_at is None or share.expires_at > now):
            return share.role
    return None


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
