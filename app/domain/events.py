"""What streams tell. An event is born in the outbox, in the transaction that it tells of."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.canvas import Edge
from app.domain.cluster import Cluster
from app.domain.ids import Id
from app.domain.node import WorkflowNode
from app.domain.workflow import Workflow, WorkflowRow


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Event:
    """One entry of a stream. `seq` grows by one per stream; `payload` is the encoded event type.

    In a stream of states `key` names what it is the state of: a newer event of the same key makes
    this one worthless.
    """

    stream: str
    seq: int
    type: str
    payload: dict[str, Any]
    actor_id: Id | None
    at: datetime
    key: str | None = None


def workflow_stream(workflow_id: Id) -> str:
    """The stream that tells of one workflow's canvas and metadata."""
    return f"workflow:{workflow_id}"


def cluster_stream(cluster_id: Id) -> str:
    """The stream that tells of one cluster."""
    return f"cluster:{cluster_id}"


def clusters_stream(user_id: Id) -> str:
    """The stream that tells somebody of all clusters that they see."""
    return f"clusters:{user_id}"


def session_stream(session_id: Id) -> str:
    """The stream that tells when somebody's session has ended: its only event."""
    return f"session:{session_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What subscribers get of an event: the same for all of them. `at` is when it was written."""

    stream: str
    seq: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowEdited(Told):
    """A change of a workflow. Nodes and edges are as they are read, with what edges supply.

    Applying it to the snapshot before it (put these, remove those, replace the row) gives the
    workflow as it was at `seq`.
    """

    actor_id: Id | None
    nodes_changed: list[WorkflowNode]
    nodes_removed: list[str]
    edges_changed: list[Edge]
    edges_removed: list[str]
    workflow: WorkflowRow

    @property
    def revision(self) -> int:
        return self.workflow.revision


@dataclass(frozen=True, slots=True)
class WorkflowSnapshot:
    """The whole workflow, as of its `seq`."""

    seq: int
    workflow: Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterStatusChanged(Told):
    """A cluster that is new or has changed, whole."""

    cluster: Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRemoved(Told):
    """A cluster that is gone, or that the subscriber does not see any more."""

    cluster_id: Id


@dataclass(frozen=True, slots=True)
class ClusterSnapshot:
    """The cluster, as of its `seq`."""

    seq: int
    cluster: Cluster


@dataclass(frozen=True, slots=True)
class ClustersSnapshot:
    """All clusters that somebody sees, by name, as of `seq`."""

    seq: int
    clusters: list[Cluster]


@dataclass(frozen=True, slots=True)
class Gap:
    """Events `from_seq` to `to_seq` are not delivered; a fresh snapshot follows."""

    from_seq: int
    to_seq: int

    @property
    def seq(self) -> int:
        return self.to_seq


class EndReason(enum.StrEnum):
    """Why there is nothing more to come."""

    DELETED = "deleted"
    """What was watched does not exist any more."""
    ACCESS_REVOKED = "access_revoked"
    """The caller may not see it any more."""
    SESSION_ENDED = "session_ended"
    """The caller signed out, or was signed out."""
    TOKEN_EXPIRED = "token_expired"  # noqa: S105  # the name of a reason, no secret
    """The access token has expired: refresh the session, and come back with `after`."""


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The last event of a stream that ended for a reason. `seq` is where to go on after."""

    seq: int
    reason: EndReason
