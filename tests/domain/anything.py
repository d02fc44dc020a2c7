"""Any canvas that can be saved: nodes of every kind with any of their fields, wired and not.

Fields are drawn from what their types allow, the odd and the extreme on purpose. A combination that
its kind refuses loses the fields at fault.
"""

import enum
import types
import typing
from typing import Any, Union

from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from app.domain import fields, maps, pod, storage
from app.domain.canvas import Canvas, Edge
from app.domain.node import NodeData, NodeType, WorkflowNode
from app.domain.nodes import NODE_KINDS, read_node
from app.domain.nodes.plugin import PluginId

NAMES = ["a", "b", "web", "db-0", "x" * 52]
TEXTS = [
    "",
    "a",
    "1e3",
    "yes",
    "null",
    "a: b #c",
    "two\nlines\n",
    " \n\n x\t",
    "\r\n",
    "ü☃\U0001f6d2\u2028",
]
TEXTS += ["---\nkind: Secret", "\x7f\x85\ufeff", "'\"\\{{}}", "x" * 300]
MANY = [1, 2, 100, 65535]

_EXAMPLES: dict[Any, list[Any]] = {
    fields.DnsLabel: [*NAMES, "0", "x" * 63],
    fields.ShortDnsLabel: [*NAMES, "0"],
    fields.DnsSubdomain: [*NAMES, "0.a", "x" * 253, ".".join(["x" * 63] * 3)],
    fields.ServiceName: [*NAMES, "x" * 63],
    fields.Line: ["", "a", "<b>\"'&", "%%{init: {}}%%", "日本語"],
    fields.EntryId: ["", "a", "b", "r1", "</text>", '"]; x', "日本"],
    fields.Argument: TEXTS,
    fields.IngressHost: ["a", "*.example.com", "0.example.com"],
    fields.HostName: ["a", "db.example.com"],
    fields.PortOrName: [1, 65535, "http", "a-1"],
    fields.CountOrPercent: [0, 1, "0%", "50%", "100%"],
    fields.PortName: ["http", "a", "x-1-y", "port-1-tcp"],
    fields.Quantity: ["0", "1", "500m", "1.5Gi", ".5", "1e3", "1E", "0.1n", "+1k", "1024Mi"],
    fields.StorageSize: ["1", "1.5Gi", "1e12", "0.5Ki", "1Ei"],
    fields.ImageReference: ["a", "nginx:1.29", "r.io:5000/a/b:v1@sha256:" + "0" * 64],
    fields.Schedule: ["@daily", "@every 1h30m", "*/5 0-3 1,2 JAN ?", "0 0 30 2 *"],
    fields.TimeZone: ["Etc/UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"],
    fields.Cidr: ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"],
    fields.IpAddress: ["192.0.2.1", "2001:db8::1"],
    fields.MountPath: ["/", "/a", "/a/", "/etc/config", "/x" * 500],
    fields.RelativePath: ["a", "a/b", "..a"],
    fields.HttpPath: ["/", "/a", "/ü", "/\x85\uffff", "/<&>\"'"],
    fields.EnvName: ["A", "_a.b-c", "Y", "N", "x" * 253],
    fields.DataKey: ["a", ".a", "n", "yes", "1", "-"],
    fields.ElementId: ["a", "n0", "n1", "n2", "n3"],
    maps.LabelKey: ["a", "example.com/a", "app", "x" * 63],
    maps.LabelValue: ["", "a", "1.0", "true", "x" * 63],
    maps.Labels: [
        {},
        {"app": "web", "job-name": "x"},
        {"a": "1", "kubeorch.io/node-id": "x", "y": "n"},
    ],
    maps.Annotations: [{}, *({"a/b": text} for text in TEXTS)],
    maps.Environment: [{}, {f"V{i}": text for i, text in enumerate(TEXTS)}, {"A": "$(B)"}],
    maps.ConfigData: [{}, {f"k{i}": text for i, text in enumerate(TEXTS)}, {"n": "y"}],
    maps.KeyPaths: [{}, {"a": "b"}, {"a": "b/c", "d": "b/c"}],
    maps.HttpHeaders: [{}, {"X-A": "", "B": "ü"}],
    maps.Json: [
        {},
        {"scaleTargetRef": "web", "maxReplicaCount": "7"},
        {"spec": {"replicas": 3, "a": [None, True, 1.5, {"b": "1e3"}]}, "spec.x[0].y": 1},
        {"spec": 1, "replicas": [], "instances": "x", "unknown": {"a": {}}},
        {"spec.replicas.x": 1, "spec[0]": 1, "metadata.name": "x", "": 0},
        {"secretName": "s", "issuerName": "i", "dnsNames": "a, b", "image": "i"},
    ],
    PluginId: ["rabbitmq", "keda", "certmanager", "postgresql", "crossplane", "nothing"],
    pod.Capability: ["ALL", "NET_ADMIN", "CAP_SYS_ADMIN"],
    storage.StorageClassName: ["", "fast"],
}
_KINDS_OF_PLUGINS = [None, "certificate", "clusterissuer", "kafka-topic", "x"]


def values(annotation: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911
    """Values of a type, as a client would send them."""
    for known, examples in _EXAMPLES.items():
        if annotation == known:
            return st.sampled_from(examples)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return st.sampled_from(list(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return models(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return st.one_of(values(a) for a in arguments if a is not types.NoneType)
    if origin is typing.Annotated:
        return _annotated(arguments[0], arguments[1:])
    if origin is list:
        return st.lists(values(arguments[0]), max_size=3)
    if annotation is bool:
        return st.booleans()
    raise AssertionError(annotation)


def _annotated(inner: Any, rules: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    flat = [m for rule in rules for m in (rule.metadata if isinstance(rule, FieldInfo) else [rule])]
    if inner is int:
        low = next((m.ge for m in flat if hasattr(m, "ge")), -(2**31))
        high = next((m.le for m in flat if hasattr(m, "le")), 2**31 - 1)
        return st.sampled_from([low, min(low + 1, high), min(low + 7, high), high])
    return values(inner)


def models(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Values of a model that it accepts."""

    @st.composite
    def draw_model(draw: st.DrawFn) -> Any:
        given: dict[str, Any] = {}
        for name, field in model.model_fields.items():
            derived = isinstance(field.json_schema_extra, dict)
            if derived or not (field.is_required() or draw(st.integers(0, 3)) == 0):
                continue
            given[name] = draw(values(field.rebuild_annotation()))
        if "plugin_id" in given:
            given["template_id"] = draw(st.sampled_from(_KINDS_OF_PLUGINS))
        return _accepted(model, given)

    return draw_model().filter(lambda value: value is not None)


def _accepted(model: type[BaseModel], given: dict[str, Any]) -> BaseModel | None:
    """The model of what it accepts: without the fields that it refuses."""
    for _ in range(len(given) + 1):
        try:
            return model.model_validate(given)
        except ValidationError as error:
            wrong = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
            if not wrong & given.keys():
                return None
            given = {name: value for name, value in given.items() if name not in wrong}
    return None


_DATA = {kind: models(NODE_KINDS[kind].data) for kind in NodeType}


@st.composite
def canvases(draw: st.DrawFn) -> Canvas:
    """Up to seven nodes and eleven edges, of which some are not sound."""
    kinds = draw(st.lists(st.sampled_from(list(NodeType)), max_size=7))
    nodes = [_node(draw, f"n{i}", kind) for i, kind in enumerate(kinds)]
    ends = st.sampled_from([*(node.id for node in nodes), "gone"])
    sound = [
        (a.id, b.id)
        for a in nodes
        for b in nodes
        if any(c.type == b.type for c in NODE_KINDS[a.type].connects_to)
    ]
    pairs = st.one_of(*([st.sampled_from(sound)] * 3 if sound else []), st.tuples(ends, ends))
    handles = st.sampled_from([None, "output", "path-1", "a", "b", "r1", "ingress-1", "egress-1"])
    edges = draw(st.lists(st.tuples(pairs, handles), max_size=11))
    return Canvas.of(
        nodes,
        [
            Edge(id=f"e{i}", source=source, target=target, source_handle=handle)
            for i, ((source, target), handle) in enumerate(edges)
        ],
    )


def _node(draw: st.DrawFn, id_: str, kind: NodeType) -> WorkflowNode:
    data: NodeData = draw(_DATA[kind])
    position = {"x": draw(st.sampled_from([0, 5, 400, -1e9])), "y": draw(st.sampled_from([0, 60]))}
    return read_node({"id": id_, "type": kind, "position": position, "data": data})
