"""What streams tell. An event is born in the outbox, in the transaction that it tells of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.canvas import Edge
from app.domain.ids import Id
from app.domain.node import WorkflowNode
from app.domain.workflow import Workflow, WorkflowRow


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a stream. `seq` grows by one per stream; `payload` is the encoded event type."""

    stream: str
    seq: int
    type: str
    payload: dict[str, Any]
    actor_id: Id | None
    at: datetime


def workflow_stream(workflow_id: Id) -> str:
    """The stream that tells of one workflow's canvas and metadata."""
    return f"workflow:{workflow_id}"


@dataclass(frozen=True, slots=True)
class WorkflowEdited:
    """A change of a workflow. Nodes and edges are as they are read, with what edges supply.

    Applying it to the snapshot before it (put these, remove those, replace the row) gives the
    workflow as it was at `seq`.
    """

    seq: int
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


@dataclass(frozen=True, slots=True)
class Gap:
    """Events `from_seq` to `to_seq` are not delivered; a fresh snapshot follows."""

    from_seq: int
    to_seq: int

    @property
    def seq(self) -> int:
        return self.to_seq
