"""A run: one deploy, rollback or undeploy of a workflow, from being asked for to its end."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field

from app.domain.ids import Id
from app.domain.planning.plan import Plan, PlanAction
from app.domain.planning.progress import NodeProgress, NodeState
from app.domain.runstatus import RunStatus
from app.domain.workflow import Entity

__all__ = [
    "NodeState",
    "RunFilter",
    "RunKind",
    "RunNode",
    "RunObject",
    "RunStatus",
    "RunTrigger",
    "WorkflowRun",
]


class RunKind(enum.StrEnum):
    """What a run does."""

    DEPLOY = "deploy"
    """Makes the cluster what the canvas says."""
    ROLLBACK = "rollback"
    """Makes the cluster what an older version said."""
    UNDEPLOY = "undeploy"
    """Removes from the cluster what earlier runs made."""


class RunTrigger(enum.StrEnum):
    """What asked for a run."""

    MANUAL = "manual"
    """A person did."""


class RunObject(BaseModel):
    """One object of a node, and what the run does to it."""

    api_version: str
    kind: str
    namespace: str | None = None
    name: str
    action: PlanAction


class RunNode(BaseModel):
    """A node in a run. `reason` is one word for machines, `message` a sentence."""

    node_id: str
    state: NodeState = NodeState.PENDING
    reason: str | None = None
    message: str | None = None
    updated_at: datetime
    objects: list[RunObject] = Field(default_factory=list)

    def progress(self) -> NodeProgress:
        """The part of it that moves, with the rules of moving."""
        return NodeProgress(self.node_id, self.state, self.reason or "", self.message or "")

    def after(self, progress: NodeProgress, *, now: datetime) -> "RunNode":
        """The same node, moved to `progress`."""
        return self.model_copy(
            update={
                "state": progress.state,
                "reason": progress.reason or None,
                "message": progress.message or None,
                "updated_at": now,
            }
        )


class WorkflowRun(Entity):
    """One run. `version` is the version that it deploys; of an undeploy, the one that it removes.

    `message` is what the caller says of it, `error` why it failed, in a sentence. `seq` is the
    number of the newest event of its stream.
    """

    workflow_id: Id
    cluster_id: Id
    namespace: str
    version: int
    kind: RunKind = RunKind.DEPLOY
    triggered_by: RunTrigger = RunTrigger.MANUAL
    status: RunStatus
    message: str | None = None
    started_by: Id
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    error: str | None = None
    nodes: list[RunNode] = Field(default_factory=list)
    seq: int = 0

    @property
    def duration(self) -> int | None:
        """Milliseconds from its beginning to its end; None until it has ended."""
        if self.started_at is None or self.completed_at is None:
            return None
        return round((self.completed_at - self.started_at).total_seconds() * 1000)

    @property
    def has_ended(self) -> bool:
        return self.status.is_final


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which of the runs that a person sees; all of the conditions given hold."""

    workflow_id: Id | None = None
    cluster_id: Id | None = None
    status: Sequence[RunStatus] | None = None
    kind: Sequence[RunKind] | None = None


def nodes_of(plan: Plan, *, also: Sequence[str] = (), now: datetime) -> list[RunNode]:
    """The nodes of a run, with their objects in the order of the plan; `also` are ids of nodes that
    have none. What belongs to no node is left out."""
    objects: dict[str, list[RunObject]] = {node_id: [] for node_id in also}
    for planned in plan.objects:
        if planned.node_id is not None:
            key = planned.key
            objects.setdefault(planned.node_id, []).append(
                RunObject(
                    api_version=key.api_version,
                    kind=key.kind,
                    namespace=key.namespace,
                    name=key.name,
                    action=planned.action,
                )
            )
    return [
        RunNode(node_id=node_id, updated_at=now, objects=made) for node_id, made in objects.items()
    ]
