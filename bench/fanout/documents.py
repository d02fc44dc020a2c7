"""The operations that all three servers are asked, word for word."""

from typing import Any

NODES = 20
"""On the canvas; each edit moves one of them."""

WATCH = """
subscription Watch($id: ID!) {
  workflowChanged(workflowId: $id) {
    __typename
    ... on StreamEvent { seq }
    ... on WorkflowSnapshot { workflow { name revision } }
    ... on WorkflowEdited {
      at
      revision
      nodesChanged { ... on WorkflowNode { id type position { x y } } }
      nodesRemoved
      workflow { name revision }
    }
  }
}
"""

EDIT = """
mutation Edit($input: EditWorkflowInput!) {
  editWorkflow(input: $input) {
    ... on EditWorkflowPayload { workflow { revision } }
    ... on UserError { message }
  }
}
"""


def watch(variant: int) -> str:
    """The subscription; other variants ask the same under another name, and share nothing."""
    return WATCH if variant == 0 else WATCH.replace("Watch", f"Watch{variant}")


def move(workflow_id: str, revision: int, number: int) -> dict[str, Any]:
    """The variables of an edit that moves one node."""
    where = {"x": 1_000.0 + number, "y": 1_000.0}
    operation = {"moveNode": {"id": f"n{number % NODES}", "position": where}}
    return {
        "input": {
            "workflowId": workflow_id,
            "expectedRevision": revision,
            "operations": [operation],
        }
    }
