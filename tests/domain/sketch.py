"""Canvases as they lie in storage, sound or not, in few words."""

from typing import Any

from pydantic import ValidationError

from app.domain.canvas import Canvas, Edge
from app.domain.graph import wire
from app.domain.node import NodeData, NodeType, WorkflowNode
from app.domain.nodes import NODE_KINDS, read_node

_REQUIRED: dict[str, dict[str, Any]] = {
    "deployment": {"image": "nginx"},
    "statefulset": {"image": "postgres:17"},
    "daemonset": {"image": "fluent-bit"},
    "job": {"image": "busybox"},
    "cronjob": {"image": "busybox", "schedule": "@daily"},
    "service": {"port": 80},
    "hpa": {"max_replicas": 5},
    "persistentvolumeclaim": {"storage": "1Gi"},
    "plugin": {"plugin_id": "rabbitmq"},
}


def minimal(kind: str, **data: Any) -> dict[str, Any]:
    """The least that a kind's data needs, and `data`."""
    return {"name": kind, **_REQUIRED.get(kind, {}), **data}


def data(kind: str, **fields: Any) -> NodeData:
    return NODE_KINDS[NodeType(kind)].data.model_validate(minimal(kind, **fields))


def box(kind: str, id_: str, **fields: Any) -> WorkflowNode:
    """A node; its object is called as its id unless `name` says otherwise."""
    return read_node({"id": id_, "type": kind, "data": minimal(kind, **{"name": id_} | fields)})


def line(source: str, target: str, handle: str | None = None, id_: str | None = None) -> Edge:
    """An edge; its id is `source-target` unless given."""
    return Edge(id=id_ or f"{source}-{target}", source=source, target=target, source_handle=handle)


def sketch(*parts: WorkflowNode | Edge) -> Canvas:
    return Canvas.of(
        [part for part in parts if isinstance(part, WorkflowNode)],
        [part for part in parts if isinstance(part, Edge)],
    )


def refusals(kind: str, **fields: Any) -> dict[str, str]:
    """What is wrong with the data: message by dotted path."""
    try:
        data(kind, **fields)
    except ValidationError as error:
        return {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
    return {}


def read(canvas: Canvas, id_: str, *fields: str) -> Any:
    """The node's data as it is read: one field's value, or a mapping of several."""
    dumped = wire(canvas).nodes[id_].data.model_dump(mode="json")
    return dumped[fields[0]] if len(fields) == 1 else {name: dumped[name] for name in fields}
