"""The thirteen kinds: what all have in common, and what each accepts and refuses."""

import json
import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from app.domain.node import DERIVED, IRREGULAR_NAMES, NodeData, NodeKind, NodeType
from app.domain.nodes import NODE_KINDS, kind_of, read_node
from tests.domain.sketch import data, minimal, refusals

KINDS = [
    "configmap",
    "cronjob",
    "daemonset",
    "deployment",
    "hpa",
    "ingress",
    "job",
    "networkpolicy",
    "persistentvolumeclaim",
    "plugin",
    "secret",
    "service",
    "statefulset",
]
RULE = {"peers": [{"type": "podSelector", "pod_selector": {}}], "ports": [{"port": 53}]}


def models(cls: type[BaseModel], seen: set[type[BaseModel]] | None = None) -> set[type[BaseModel]]:
    """A model and all models in its fields."""
    seen = set() if seen is None else seen
    if cls not in seen:
        seen.add(cls)
        for field in cls.model_fields.values():
            for inner in _classes(field.annotation):
                models(inner, seen)
    return seen


def _classes(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _classes(inner)


def bare(annotation: Any) -> Any:
    """The type that the public schema sees: without the rules."""
    if typing.get_origin(annotation) is typing.Annotated:
        return bare(typing.get_args(annotation)[0])
    inner = typing.get_args(annotation)
    if not inner:
        return annotation
    origin = typing.get_origin(annotation)
    if origin in {typing.Union, types.UnionType}:
        return frozenset(bare(x) for x in inner)
    return (origin, *(bare(x) for x in inner))


def test_every_kind_is_there() -> None:
    assert [kind.value for kind in NODE_KINDS] == KINDS


def test_a_field_that_several_kinds_share_has_one_type() -> None:
    """The canvas reads the data of every kind in one fragment."""
    seen: dict[str, dict[Any, list[str]]] = {}
    for kind in NODE_KINDS.values():
        for name, field in kind.data.model_fields.items():
            seen.setdefault(name, {}).setdefault(bare(field.annotation), []).append(kind.label)
    assert {name: found for name, found in seen.items() if len(found) > 1} == {}


def test_lists_are_never_null() -> None:
    for kind in NODE_KINDS.values():
        for model in models(kind.data):
            for name, field in model.model_fields.items():
                shown = bare(field.annotation)
                nullable = isinstance(shown, frozenset) and any(
                    isinstance(x, tuple) and x[0] is list for x in shown
                )
                assert not nullable, (model, name)


def test_every_field_is_described_and_bounded() -> None:
    for kind in NODE_KINDS.values():
        for model in models(kind.node):
            assert model.__doc__, model
            for name, field in model.model_fields.items():
                assert field.description, (model, name)
                assert field.description.endswith((".", "%")), (model, name)


@pytest.mark.parametrize("kind", NODE_KINDS.values(), ids=lambda kind: kind.label)
def test_the_json_schema_bounds_every_text_list_and_number(kind: NodeKind) -> None:
    schema = kind.data.model_json_schema()
    assert json.loads(json.dumps(schema)) == schema

    def walk(part: Any, path: str) -> None:
        if isinstance(part, list):
            for item in part:
                walk(item, path)
        if not isinstance(part, dict) or part.get("readOnly"):
            return
        if part.get("type") == "string":
            assert "maxLength" in part or "enum" in part or "pattern" in part, path
        if part.get("type") == "array":
            assert "maxItems" in part, path
        if part.get("type") == "integer":
            assert "maximum" in part, path
        for key, inner in part.items():
            walk(inner, f"{path}.{key}")

    walk(schema, kind.label)


@pytest.mark.parametrize("kind", NODE_KINDS.values(), ids=lambda kind: kind.label)
def test_the_defaults_complete_a_node(kind: NodeKind) -> None:
    built = kind.data.model_validate(minimal(kind.type.value, **kind.defaults))
    for name, value in kind.defaults.items():
        dumped = built.model_dump(mode="json", exclude_unset=True)[name]
        assert dumped == json.loads(json.dumps(value)), name


def test_creation_defaults() -> None:
    assert {kind.value: dict(NODE_KINDS[kind].defaults) for kind in NODE_KINDS} == {
        "configmap": {"data": {}, "mount_path": "/etc/config"},
        "cronjob": {
            "schedule": "0 * * * *",
            "concurrency_policy": "Allow",
            "suspend": False,
            "successful_jobs_history_limit": 3,
            "failed_jobs_history_limit": 1,
        },
        "daemonset": {"port": 8080, "update_strategy": "RollingUpdate"},
        "deployment": {"replicas": 1, "port": 8080},
        "hpa": {
            "scale_target_kind": "Deployment",
            "min_replicas": 1,
            "max_replicas": 10,
            "target_cpu_utilization": 80,
        },
        "ingress": {
            "paths": [{"id": "path-1", "path": "/", "path_type": "Prefix"}],
            "ingress_class_name": "nginx",
        },
        "job": {
            "completions": 1,
            "parallelism": 1,
            "backoff_limit": 6,
            "restart_policy": "Never",
        },
        "networkpolicy": {"pod_selector": {}, "policy_types": ["Ingress"]},
        "persistentvolumeclaim": {
            "storage": "10Gi",
            "access_modes": ["ReadWriteOnce"],
            "volume_mode": "Filesystem",
        },
        "plugin": {"fields": {}},
        "secret": {"secret_type": "Opaque", "keys": [], "mount_path": "/etc/secrets"},
        "service": {"service_type": "ClusterIP", "port": 80},
        "statefulset": {"replicas": 1, "port": 5432},
    }


def test_allowed_connections() -> None:
    workloads = ("deployment", "statefulset", "job", "cronjob", "daemonset")
    pairs = {
        kind.value: tuple(connection.type for connection in NODE_KINDS[kind].connects_to)
        for kind in NODE_KINDS
        if NODE_KINDS[kind].connects_to
    }
    assert pairs == {
        "configmap": workloads,
        "secret": workloads,
        "hpa": ("deployment", "statefulset"),
        "ingress": ("service",),
        "networkpolicy": ("deployment", "statefulset", "daemonset"),
        "persistentvolumeclaim": ("deployment", "statefulset"),
        "service": ("deployment", "statefulset", "daemonset"),
    }


def test_every_connection_leads_to_a_kind_and_says_what_it_means() -> None:
    for kind in NODE_KINDS.values():
        for connection in kind.connects_to:
            assert NodeType(connection.type) in NODE_KINDS
            assert connection.meaning.endswith(".")


def test_irregular_names_are_names_of_fields() -> None:
    used = {
        name for kind in NODE_KINDS.values() for m in models(kind.node) for name in m.model_fields
    }
    assert set(IRREGULAR_NAMES) <= used


def test_derived_fields() -> None:
    found = {
        (model.__name__, name)
        for kind in NODE_KINDS.values()
        for model in models(kind.data)
        for name, field in model.model_fields.items()
        if field.json_schema_extra == DERIVED
    }
    assert {name for model, name in found} == {
        "linked_config_maps",
        "linked_deployment",
        "linked_pvcs",
        "linked_secrets",
        "linked_service",
        "linked_target",
        "linked_workload",
        "linked_workloads",
    }
    assert ("JobNodeData", "linked_pvcs") not in found


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    def test_the_least(self, kind: str) -> None:
        assert refusals(kind) == {}

    def test_a_name_is_needed(self, kind: str) -> None:
        fields = minimal(kind)
        del fields["name"]
        with pytest.raises(ValidationError) as refused:
            NODE_KINDS[NodeType(kind)].data.model_validate(fields)
        assert [e["loc"] for e in refused.value.errors()] == [("name",)]

    @pytest.mark.parametrize("name", ["", "Web", "a_b", "-a", "a" * 254, "a\n"])
    def test_a_wrong_name(self, kind: str, name: str) -> None:
        assert list(refusals(kind, name=name)) == ["name"]

    def test_unknown_keys_are_refused(self, kind: str) -> None:
        assert refusals(kind, replica=1) == {"replica": "Extra inputs are not permitted"}

    def test_null_is_left_out(self, kind: str) -> None:
        cls = NODE_KINDS[NodeType(kind)].data
        nulls = dict.fromkeys(n for n, f in cls.model_fields.items() if not f.is_required())
        assert data(kind, **(nulls | minimal(kind))) == data(kind)

    def test_storage_gives_back_what_it_took(self, kind: str) -> None:
        node = read_node({"id": "n", "type": kind, "data": minimal(kind)})
        again = read_node(json.loads(json.dumps(node.model_dump(mode="json"))))
        assert again == node
        assert type(again) is NODE_KINDS[NodeType(kind)].node

    def test_common_fields(self, kind: str) -> None:
        common = {
            "namespace": "team-a",
            "labels": {"a": "b"},
            "annotations": {"a": "b c"},
            "template_id": "core/x",
        }
        assert data(kind, **common).model_dump(include=set(common)) == common
        assert list(refusals(kind, namespace="a.b", labels={"a": "b c"})) == [
            "namespace",
            "labels.a",
        ]

    def test_kind_of(self, kind: str) -> None:
        assert kind_of(data(kind)) is NODE_KINDS[NodeType(kind)]


@pytest.mark.parametrize("value", [{}, None, 3, "deployment", {"type": "pod"}, {"type": ["a"]}])
def test_what_is_no_node_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="A node is an object whose type is one of"):
        read_node(value)


def test_all_faults_come_at_once() -> None:
    assert list(refusals("service", name="A", port=0, target_port=0)) == [
        "name",
        "port",
        "target_port",
    ]
    assert list(
        refusals(
            "deployment",
            env={"A": ""},
            env_keys=[{"name": "A"}],
            container_ports=[{"port": 1}, {"port": 1}],
        )
    ) == ["env_keys.0.name", "container_ports.1.port"]


def test_entries_get_ids() -> None:
    def ids(entries: Any) -> list[str]:
        return [entry["id"] for entry in entries]

    keys = data("deployment", env_keys=[{"name": "A"}, {"id": "x", "name": "B"}]).model_dump()
    assert ids(keys["env_keys"]) == ["A", "x"]
    paths = data("ingress", paths=[{"path": "/a"}, {"path": "/a"}, {"id": "p", "path": "/"}])
    assert ids(paths.model_dump()["paths"]) == ["/a", "path-2", "p"]
    assert ids(data("ingress").model_dump()["paths"]) == ["path-1"]
    policy = data(
        "networkpolicy", ingress_rules=[{"id": "ingress-2"}, {}, RULE], egress_rules=[{}]
    ).model_dump()
    assert ids(policy["ingress_rules"]) == ["ingress-2", "ingress-3", "ingress-4"]
    assert ids(policy["egress_rules"]) == ["egress-1"]
    assert ids(policy["ingress_rules"][2]["peers"]) == ["peer-1"]
    assert ids(policy["ingress_rules"][2]["ports"]) == ["port-1"]


def test_an_empty_host_is_every_host() -> None:
    assert data("ingress", host="").model_dump()["host"] is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.sampled_from(KINDS), st.data())
def test_no_value_breaks_a_kind(kind: str, draw: st.DataObject) -> None:
    """Whatever is put into whatever field: it is taken, or refused with a message."""
    cls: type[NodeData] = NODE_KINDS[NodeType(kind)].data
    fields = draw.draw(st.dictionaries(st.sampled_from(list(cls.model_fields)), json_values))
    try:
        built = cls.model_validate(minimal(kind, **fields))
    except ValidationError as error:
        assert all(e["msg"] for e in error.errors())
    else:
        assert cls.model_validate(built.model_dump()) == built
