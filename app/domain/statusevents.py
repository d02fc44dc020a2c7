"""What the stream of a workflow's live status tells: states, each under the id of its node."""

from dataclasses import dataclass

from app.domain.events import Told
from app.domain.ids import Id
from app.domain.node import NodeStatus


def status_stream(workflow_id: Id) -> str:
    """The stream that tells how the nodes of a deployed workflow are."""
    return f"status:{workflow_id}"


@dataclass(frozen=True, slots=True)
class WorkflowStatusSnapshot:
    """The status of every node that is deployed, as of `seq`."""

    seq: int
    nodes: list[NodeStatus]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatusChanged(Told):
    """A node is otherwise than it was. One that is not deployed any more is MISSING.

    `cluster_id` and `namespaces` say where the workflow is, for who may see it; the namespace
    None stands for the whole cluster.
    """

    status: NodeStatus
    cluster_id: Id
    namespaces: tuple[str | None, ...]
