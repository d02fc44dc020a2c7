"""The node kinds: one file each, found by their file names."""

from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from app.domain.node import NodeData, NodeKind, NodeType, WorkflowNode
from app.domain.text import refusal

NODE_KINDS: dict[NodeType, NodeKind] = {
    kind: import_module(f"{__name__}.{kind.value}").KIND for kind in NodeType
}
"""Every kind by its type, in the order of the file names."""

_WORDS = frozenset(kind.value for kind in NodeType)

_BY_DATA: dict[type[NodeData], NodeKind] = {kind.data: kind for kind in NODE_KINDS.values()}


def kind_of(data: NodeData) -> NodeKind:
    """The kind that a node's data belongs to; the class decides, derived classes included."""
    return next(_BY_DATA[cls] for cls in type(data).__mro__ if cls in _BY_DATA)


def read_node(value: Any) -> WorkflowNode:
    """A node of its own kind's class, from a mapping with `type`. Raises ValueError."""
    if isinstance(value, WorkflowNode):
        return value
    word = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(word, str) or word not in _WORDS:
        raise refusal(f"A node is an object whose type is one of {', '.join(NodeType)}.")
    return NODE_KINDS[NodeType(word)].node.model_validate(value)


Node = Annotated[SerializeAsAny[WorkflowNode], BeforeValidator(read_node)]
"""A node of any kind, as a pydantic field type."""
