"""An example of a kind: its node as a palette makes it, and what it connects to first."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from app.domain.canvas import Canvas, Edge
from app.domain.compile import Manifest, compile
from app.domain.node import NodeKind, NodeType, WorkflowNode
from app.domain.nodes import NODE_KINDS
from app.domain.problems import Problem, problems
from app.handbook.literals import literal, spelled

_WORKFLOW = "65f000000000000000000001"
_NAMESPACE = "default"


class Example:
    """A canvas with one node of a kind, and a node of what it connects to, and so on."""

    def __init__(self, kind: NodeKind) -> None:
        self.nodes = [_node(step) for step in _chain(kind)]
        self.edges = [
            Edge(id=f"{a.id}-{b.id}", source=a.id, target=b.id)
            for a, b in zip(self.nodes, self.nodes[1:], strict=False)
        ]
        self._canvas = Canvas.of(self.nodes, self.edges)

    @property
    def operations(self) -> str:
        """What draws it, as the `operations` of `editWorkflow`."""
        lines = [
            literal({"addNode": {"id": node.id, "data": {node.type.value: spelled(node.data)}}})
            for node in self.nodes
        ]
        lines += [
            literal({"addEdge": {"source": edge.source, "target": edge.target}})
            for edge in self.edges
        ]
        return "\n".join(lines)

    def manifests(self) -> tuple[list[Manifest], list[Manifest]]:
        """The objects of the kind's own node, and those of the others."""
        made = compile(
            self._canvas, workflow_id=_WORKFLOW, workflow_name="Example", namespace=_NAMESPACE
        )
        own = self.nodes[0].id
        return (
            [manifest for manifest in made if manifest.node_id == own],
            [manifest for manifest in made if manifest.node_id != own],
        )

    def problems(self) -> list[Problem]:
        """What the server says about it."""
        return problems(self._canvas, namespace=_NAMESPACE)


def _chain(kind: NodeKind) -> Iterator[NodeKind]:
    """The kind, the first that it connects to, the first that this one connects to …"""
    seen: set[NodeType] = set()
    while kind.type not in seen:
        yield kind
        seen.add(kind.type)
        for connection in kind.connects_to[:1]:
            kind = NODE_KINDS[NodeType(connection.type)]


def _node(kind: NodeKind) -> WorkflowNode:
    data = kind.data.model_validate(_data(kind))
    return kind.node.model_validate({"id": kind.type.value, "type": kind.type, "data": data})


def _data(kind: NodeKind) -> Mapping[str, Any]:
    """A field's first example, else what a palette puts there unless it is left out as well.

    Raises LookupError that names what the kind lacks.
    """
    wanted: dict[str, Any] = {"name": f"my-{kind.type.value}"}
    for name, field in kind.data.model_fields.items():
        plain = None if field.is_required() else field.get_default(call_default_factory=True)
        if field.examples:
            wanted[name] = field.examples[0]
        elif kind.defaults.get(name) not in (plain, None, [], {}):
            wanted[name] = kind.defaults[name]
    try:
        kind.data.model_validate(wanted)
    except ValidationError as error:
        says = f"The example of {kind.label} lacks something: give its fields `examples`."
        raise LookupError(f"{says} {error}") from error
    return wanted
