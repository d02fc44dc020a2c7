"""The canvas as the checks see it: wired, and indexed by name; and the problems they report."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.domain import graph, labels
from app.domain.canvas import Canvas
from app.domain.naming import api_name
from app.domain.node import Link, NodeData, WorkflowNode
from app.domain.nodes import NODE_KINDS
from app.domain.workload import WorkloadData


class Severity(enum.StrEnum):
    """ERROR: it can't be deployed. WARNING: it will hardly work. INFO: good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        return (Severity.ERROR, Severity.WARNING, Severity.INFO).index(self)


class ProblemCode(enum.StrEnum):
    """What kind of problem it is. Edges have codes of their own: `EdgeFault`."""

    NAME_TAKEN = "NAME_TAKEN"
    NAME_SHARED = "NAME_SHARED"
    LABEL_RESERVED = "LABEL_RESERVED"
    NAMESPACE_DIFFERS = "NAMESPACE_DIFFERS"
    EDGE_CONTRADICTS = "EDGE_CONTRADICTS"
    REFERENCE_MISSING = "REFERENCE_MISSING"
    REFERENCE_DANGLING = "REFERENCE_DANGLING"
    REFERENCE_UNFIT = "REFERENCE_UNFIT"
    SELECTOR_MATCHES_NOTHING = "SELECTOR_MATCHES_NOTHING"
    PORT_NOT_EXPOSED = "PORT_NOT_EXPOSED"
    NODE_PORT_TAKEN = "NODE_PORT_TAKEN"
    NODE_PORT_UNLIKELY = "NODE_PORT_UNLIKELY"
    POLICY_RULES_IGNORED = "POLICY_RULES_IGNORED"
    POLICY_DENIES_ALL = "POLICY_DENIES_ALL"
    POLICY_ALLOWS_ALL = "POLICY_ALLOWS_ALL"
    PATH_CONFLICT = "PATH_CONFLICT"
    CERTIFICATE_UNFIT = "CERTIFICATE_UNFIT"
    SCALED_TWICE = "SCALED_TWICE"
    REPLICAS_IGNORED = "REPLICAS_IGNORED"
    REQUESTS_MISSING = "REQUESTS_MISSING"
    QUANTITY_UNLIKELY = "QUANTITY_UNLIKELY"
    MOUNT_CONFLICT = "MOUNT_CONFLICT"
    MOUNT_WITHOUT_EDGE = "MOUNT_WITHOUT_EDGE"
    KEY_MISSING = "KEY_MISSING"
    CLAIM_SHARED = "CLAIM_SHARED"
    PLUGIN_UNKNOWN = "PLUGIN_UNKNOWN"
    PLUGIN_FIELD = "PLUGIN_FIELD"
    SCHEDULE_NEVER_FIRES = "SCHEDULE_NEVER_FIRES"
    SCHEDULE_SUSPENDED = "SCHEDULE_SUSPENDED"
    SCHEDULE_UNLIKELY = "SCHEDULE_UNLIKELY"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `message` says what is wrong and what to do.

    `path` leads from the node down, in the API's names (`("data", "paths", "0", "servicePort")`);
    of an edge it is `("edges", <edge id>, <field>)`.
    """

    code: str
    message: str
    node_id: str | None
    path: tuple[str, ...]
    severity: Severity


_Data = TypeVar("_Data", bound=NodeData)


@dataclass(frozen=True, slots=True)
class Scene:
    """A canvas with everything that edges supply, indexed by kind, namespace and name."""

    canvas: Canvas
    nodes: Mapping[str, WorkflowNode]
    out: graph.Links
    into: graph.Links
    namespace: str
    _named: Mapping[tuple[str, str, str], WorkflowNode]
    _labelled: Mapping[tuple[str, str, str], set[str]]

    @classmethod
    def of(cls, canvas: Canvas, namespace: str) -> "Scene":
        out, into = graph.links(canvas)
        nodes = graph.wired(canvas, out, into)
        named: dict[tuple[str, str, str], WorkflowNode] = {}
        labelled: dict[tuple[str, str, str], set[str]] = {}
        for node in nodes.values():
            where = node.data.namespace or namespace
            named.setdefault((node.type.value, where, node.data.name), node)
            if isinstance(node.data, WorkloadData):
                for key, value in pod_labels(node.data).items():
                    labelled.setdefault((where, key, value), set()).add(node.id)
        return cls(canvas, nodes, out, into, namespace, named, labelled)

    def each(self, kind: type[_Data]) -> Iterator[tuple[WorkflowNode, _Data]]:
        """The nodes whose data is of a class, with their wired data."""
        for node in self.nodes.values():
            if isinstance(node.data, kind):
                yield node, node.data

    def where(self, data: NodeData) -> str:
        return data.namespace or self.namespace

    def named(self, kind: str, name: str, beside: NodeData) -> WorkflowNode | None:
        """The node of this kind and name in the namespace of `beside`."""
        return self._named.get((kind, self.where(beside), name))

    def workload(self, name: str, beside: NodeData) -> WorkflowNode | None:
        """The workload of that name in the namespace of `beside`, whatever its kind."""
        for kind in _WORKLOADS:
            node = self.named(kind, name, beside)
            if node is not None:
                return node
        return None

    def finds(self, selector: Mapping[str, str], beside: NodeData) -> bool:
        """Whether a workload in the namespace of `beside` has all these labels on its pods."""
        where = self.where(beside)
        found = [self._labelled.get((where, *label), set()) for label in selector.items()]
        return bool(set.intersection(*found)) if found else True

    def out_of(self, node: WorkflowNode) -> list[Link]:
        return list(self.out.get(node.id, ()))


_WORKLOADS = tuple(k.type.value for k in NODE_KINDS.values() if issubclass(k.data, WorkloadData))


def at(
    node: WorkflowNode,
    *path: str | int,
    code: ProblemCode,
    severity: Severity,
    says: str,
) -> Problem:
    """A problem of a field of the node's data, named by its Python names."""
    return Problem(
        code=code.value,
        message=says,
        node_id=node.id,
        path=("data", *_spelled(node.data, path)),
        severity=severity,
    )


def _spelled(value: object, path: Sequence[str | int]) -> Iterator[str]:
    """The steps in the API's spelling; the keys of maps stay as they are."""
    for step in path:
        if isinstance(value, Mapping):
            yield str(step)
            value = value.get(step)
        elif isinstance(step, int):
            yield str(step)
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            yield api_name(step)
            value = getattr(value, step, None)


def matches(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def pod_labels(data: WorkloadData) -> dict[str, str]:
    """The labels that a workload's pods carry, as far as the canvas knows them."""
    return {**labels.of_pods(data.labels), **data.selector}
