"""Events as they are kept in the outbox, and back."""

from typing import Any

from app.documents import trusting
from app.documents.database import encode
from app.domain.canvas import CanvasChange, Edge
from app.domain.events import Event, WorkflowEdited
from app.domain.workflow import WorkflowRow


def edited_payload(row: WorkflowRow, seen: CanvasChange) -> dict[str, Any]:
    """What is kept of an edit: the row as it is now, and what changed of the canvas as read."""
    return {
        "nodes_changed": [trusting.write(node, derived=True) for node in seen.nodes.values()],
        "nodes_removed": list(seen.nodes_removed),
        "edges_changed": [trusting.write(edge) for edge in seen.edges.values()],
        "edges_removed": list(seen.edges_removed),
        "workflow": encode(row),
    }


def edited_of(event: Event) -> WorkflowEdited:
    """The edit that was kept, with its place in the stream and who did it."""
    payload = event.payload
    return WorkflowEdited(
        stream=event.stream,
        seq=event.seq,
        at=event.at,
        actor_id=event.actor_id,
        nodes_changed=[trusting.read_node(node) for node in payload["nodes_changed"]],
        nodes_removed=payload["nodes_removed"],
        edges_changed=[trusting.read(Edge, edge) for edge in payload["edges_changed"]],
        edges_removed=payload["edges_removed"],
        workflow=WorkflowRow.model_validate(payload["workflow"]),
    )
