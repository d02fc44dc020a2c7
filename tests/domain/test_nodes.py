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
WORKLOADS = ["cronjob", "daemonset", "deployment", "job", "statefulset"]


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


# ------------------------------------------------------------------------------- accept, refuse

MOUNT = {"type": "configMap", "name": "settings"}
PROBE = {"http_get": {"path": "/healthz", "port": "http"}}
RULE = {"peers": [{"type": "podSelector", "pod_selector": {}}], "ports": [{"port": 53}]}

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    *(
        (kind, fields)
        for kind in WORKLOADS
        for fields in (
            {"command": ["sh", "-c"], "args": ["echo $HOME"]},
            {"env": {"A": "1"}, "env_keys": [{"name": "B"}]},
            {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m"}}},
            {"resources": {"limits": {"memory": "1Gi"}, "requests": {"cpu": "8"}}},
            {"volume_mounts": [MOUNT | {"mount_path": "/a", "sub_path": "b", "read_only": False}]},
            {"volume_mounts": [MOUNT | {"usage": "environment", "env_prefix": "APP_"}]},
            {"volume_mounts": [MOUNT | {"items": {"a": "b/c"}, "default_mode": 0o440}]},
            {"volume_mounts": [{"type": "secret", "node_id": "node-1"}]},
            {"volume_mounts": [{"type": "persistentVolumeClaim", "name": "d", "read_only": True}]},
            {"container_ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "name": "dns"}]},
            {"image_pull_policy": "Always", "image_pull_secrets": ["registry"]},
            {"service_account_name": "builder", "automount_service_account_token": False},
            {"liveness_probe": PROBE, "startup_probe": {"exec": {"command": ["true"]}}},
            {"readiness_probe": {"tcp_socket": {}, "success_threshold": 3, "period_seconds": 1}},
            {"readiness_probe": {"grpc": {"port": 9000, "service": "x"}}},
            {"node_selector": {"disk": "ssd"}, "priority_class_name": "high"},
            {"tolerations": [{"operator": "Exists"}]},
            {"tolerations": [{"key": "a", "value": "b", "effect": "NoExecute"}]},
            {"tolerations": [{"key": "a", "effect": "NoExecute", "toleration_seconds": 0}]},
            {"termination_grace_period_seconds": 0},
            {"security_context": {"run_as_user": 0, "drop_capabilities": ["ALL"]}},
        )
    ),
    ("deployment", {"name": "a" * 63, "replicas": 0, "port": 65535}),
    ("deployment", {"strategy": "Recreate"}),
    ("deployment", {"max_surge": "100%", "max_unavailable": 0}),
    ("deployment", {"max_surge": 0, "max_unavailable": 1}),
    ("statefulset", {"name": "a" * 52, "service_name": "a" * 63}),
    ("statefulset", {"volume_claim_templates": [{"name": "data", "storage": "1Gi"}]}),
    ("statefulset", {"partition": 0, "pod_management_policy": "Parallel"}),
    ("statefulset", {"update_strategy": "OnDelete"}),
    ("daemonset", {"max_unavailable": "10%", "host_network": True, "host_pid": True}),
    ("daemonset", {"update_strategy": "OnDelete"}),
    ("job", {"name": "a" * 63, "completions": 1, "parallelism": 0, "backoff_limit": 0}),
    ("job", {"ttl_seconds_after_finished": 0, "active_deadline_seconds": 1}),
    ("job", {"completion_mode": "Indexed", "completions": 3, "restart_policy": "OnFailure"}),
    ("cronjob", {"name": "a" * 52, "schedule": "@every 5m", "time_zone": "Europe/Berlin"}),
    ("cronjob", {"successful_jobs_history_limit": 0, "starting_deadline_seconds": 0}),
    ("service", {"name": "a" * 63, "target_port": "http"}),
    ("service", {"port": None, "ports": [{"port": 80}, {"port": 80, "protocol": "UDP"}]}),
    ("service", {"port": 80, "ports": [{"port": 80, "name": "http", "target_port": 8080}]}),
    ("service", {"port": None, "headless": True}),
    ("service", {"port": None, "service_type": "ExternalName", "external_name": "db.example.com"}),
    ("service", {"service_type": "NodePort", "ports": [{"port": 80, "node_port": 30000}]}),
    (
        "service",
        {
            "service_type": "LoadBalancer",
            "load_balancer_ip": "192.0.2.1",
            "load_balancer_source_ranges": ["10.0.0.0/8"],
            "external_traffic_policy": "Local",
        },
    ),
    ("service", {"session_affinity": "ClientIP", "session_affinity_timeout_seconds": 86_400}),
    ("ingress", {"host": "*.example.com", "tls_enabled": True, "tls_secret_name": "cert"}),
    ("ingress", {"paths": [{"path": "/a"}, {"path": "/b", "path_type": "Exact"}]}),
    ("ingress", {"paths": [{"path": "/a//(.*)", "path_type": "ImplementationSpecific"}]}),
    ("ingress", {"paths": [{"service_name": "web", "service_port": "http"}]}),
    ("configmap", {"name": "a.b", "data": {"a": ""}, "binary_data": {"b": "AAEC"}}),
    ("secret", {"secret_type": "kubernetes.io/tls", "keys": [{"name": "tls.crt"}]}),
    ("persistentvolumeclaim", {"access_modes": ["ReadWriteMany", "ReadOnlyMany"]}),
    ("persistentvolumeclaim", {"access_modes": ["ReadWriteOncePod"], "volume_mode": "Block"}),
    ("persistentvolumeclaim", {"storage_class_name": ""}),
    ("hpa", {"min_replicas": 5, "max_replicas": 5, "target_cpu_utilization": 100}),
    ("hpa", {"scale_down_stabilization": 0, "scale_up_stabilization": 3600}),
    ("hpa", {"scale_up_policies": [{"type": "Pods", "value": 1, "period_seconds": 1800}]}),
    ("hpa", {"scale_down_select": "Disabled"}),
    ("networkpolicy", {"policy_types": ["Ingress", "Egress"], "ingress_rules": [RULE, RULE]}),
    ("networkpolicy", {"egress_rules": [{"ports": [{"port": 1, "end_port": 1}]}]}),
    (
        "networkpolicy",
        {
            "ingress_rules": [
                {
                    "peers": [
                        {"type": "namespaceSelector", "namespace_selector": {"a": "b"}},
                        {
                            "type": "ipBlock",
                            "ip_block": {"cidr": "10.0.0.0/8", "except_": ["10.1.0.0/16"]},
                        },
                    ]
                }
            ]
        },
    ),
    ("plugin", {"template_id": "certificate", "fields": {"dnsNames": ["a"], "n": 1}}),
]


@pytest.mark.parametrize(("kind", "fields"), ACCEPTED)
def test_accepted(kind: str, fields: dict[str, Any]) -> None:
    assert refusals(kind, **fields) == {}


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    *(
        (kind, fields, path, says)
        for kind in WORKLOADS
        for fields, path, says in (
            ({"image": "Nginx"}, "image", "image reference"),
            ({"command": "sh"}, "command", "valid list"),
            ({"command": ["x"] * 257}, "command", "at most 256"),
            ({"env": {"A": 1}}, "env.A", "valid string"),
            (
                {"env": {"A": "1"}, "env_keys": [{"name": "B"}, {"name": "A"}]},
                "env_keys.1.name",
                "A already has a value in env",
            ),
            ({"env_keys": [{"name": "A"}, {"name": "A"}]}, "env_keys.1.name", "used twice"),
            (
                {"env_keys": [{"id": "x", "name": "A"}, {"id": "x", "name": "B"}]},
                "env_keys.1.id",
                "used twice",
            ),
            (
                {"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1001m"}}},
                "resources.requests.cpu",
                "1001m is above the limit of 1",
            ),
            (
                {"resources": {"limits": {"memory": "1G"}, "requests": {"memory": "1Gi"}}},
                "resources.requests.memory",
                "1Gi is above the limit of 1G",
            ),
            ({"resources": {"gpu": "1"}}, "resources.gpu", "Extra inputs"),
            ({"volume_mounts": [{"type": "secret"}]}, "volume_mounts.0.name", "Name the object"),
            ({"volume_mounts": [{"name": "a"}]}, "volume_mounts.0.type", "required"),
            (
                {"volume_mounts": [MOUNT | {"usage": "environment", "mount_path": "/a"}]},
                "volume_mounts.0.mount_path",
                "Files only",
            ),
            ({"volume_mounts": [MOUNT | {"env_prefix": "A"}]}, "volume_mounts.0.env_prefix", "Env"),
            (
                {
                    "volume_mounts": [
                        {"type": "persistentVolumeClaim", "name": "a", "usage": "environment"}
                    ]
                },
                "volume_mounts.0.usage",
                "only be mounted as files",
            ),
            (
                {
                    "volume_mounts": [
                        {"type": "persistentVolumeClaim", "name": "a", "items": {"a": "b"}}
                    ]
                },
                "volume_mounts.0.items",
                "no keys",
            ),
            (
                {"volume_mounts": [MOUNT | {"default_mode": 512}]},
                "volume_mounts.0.default_mode",
                "",
            ),
            (
                {"container_ports": [{"port": 1}, {"port": 1}]},
                "container_ports.1.port",
                "once only",
            ),
            (
                {"container_ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]},
                "container_ports.1.name",
                "used twice",
            ),
            ({"image_pull_secrets": ["a", "a"]}, "image_pull_secrets.1", "twice"),
            ({"liveness_probe": {}}, "liveness_probe", "Give one of httpGet"),
            (
                {"liveness_probe": PROBE | {"tcp_socket": {}}},
                "liveness_probe.tcp_socket",
                "one check only",
            ),
            (
                {"liveness_probe": PROBE | {"success_threshold": 2}},
                "liveness_probe.success_threshold",
                "write 1",
            ),
            ({"startup_probe": PROBE | {"period_seconds": 0}}, "startup_probe.period_seconds", ""),
            ({"startup_probe": {"exec": {"command": []}}}, "startup_probe.exec.command", "1 item"),
            ({"tolerations": [{}]}, "tolerations.0.key", "EXISTS"),
            (
                {"tolerations": [{"operator": "Exists", "key": "a", "value": "b"}]},
                "tolerations.0.value",
                "no value",
            ),
            (
                {"tolerations": [{"key": "a", "effect": "NoSchedule", "toleration_seconds": 1}]},
                "tolerations.0.toleration_seconds",
                "NO_EXECUTE",
            ),
            (
                {"security_context": {"drop_capabilities": ["all"]}},
                "security_context.drop_capabilities.0",
                "capability",
            ),
        )
    ),
    ("deployment", {"name": "a" * 64}, "name", "at most 63"),
    ("deployment", {"name": "a.b"}, "name", "at most 63"),
    ("deployment", {"replicas": -1}, "replicas", "greater than or equal to 0"),
    ("deployment", {"replicas": 2**31}, "replicas", "less than or equal to 2147483647"),
    ("deployment", {"port": 0}, "port", "greater than or equal to 1"),
    ("deployment", {"port": 65536}, "port", "less than or equal to 65535"),
    (
        "deployment",
        {"port": 80, "container_ports": [{"port": 80}]},
        "container_ports.0.port",
        "80/TCP once only",
    ),
    ("deployment", {"strategy": "Recreate", "max_surge": 1}, "max_surge", "no steps"),
    ("deployment", {"max_surge": "0%", "max_unavailable": 0}, "max_unavailable", "maxSurge of 0"),
    ("deployment", {"host_pid": True}, "host_pid", "Extra inputs"),
    ("statefulset", {"name": "a" * 53}, "name", "at most 52"),
    ("statefulset", {"service_name": "a.b"}, "service_name", "at most 63"),
    (
        "statefulset",
        {"volume_claim_templates": [{"name": "a", "storage": "0"}]},
        "volume_claim_templates.0.storage",
        "greater than 0",
    ),
    (
        "statefulset",
        {"volume_claim_templates": [{"name": "a", "storage": "1"}, {"name": "a", "storage": "1"}]},
        "volume_claim_templates.1.name",
        "used twice",
    ),
    ("statefulset", {"update_strategy": "OnDelete", "partition": 1}, "partition", "leave it out"),
    ("statefulset", {"update_strategy": "Recreate"}, "update_strategy", "RollingUpdate"),
    ("daemonset", {"max_unavailable": 0}, "max_unavailable", "At least 1"),
    (
        "daemonset",
        {"update_strategy": "OnDelete", "max_unavailable": 1},
        "max_unavailable",
        "no steps",
    ),
    ("daemonset", {"replicas": 1}, "replicas", "Extra inputs"),
    ("job", {"name": "a" * 64}, "name", "at most 63"),
    ("job", {"restart_policy": "Always"}, "restart_policy", "'Never' or 'OnFailure'"),
    ("job", {"completions": 0}, "completions", "greater than or equal to 1"),
    ("job", {"backoff_limit": -1}, "backoff_limit", "greater than or equal to 0"),
    ("job", {"active_deadline_seconds": 0}, "active_deadline_seconds", ""),
    ("job", {"completion_mode": "Indexed"}, "completions", "number of completions"),
    ("job", {"port": 80}, "port", "Extra inputs"),
    ("cronjob", {"name": "a" * 53}, "name", "at most 52"),
    ("cronjob", {"schedule": "* * * *"}, "schedule", "five fields"),
    ("cronjob", {"schedule": "0 0 * * 7"}, "schedule", "Weekday '7': allowed is 0 to 6."),
    ("cronjob", {"time_zone": "CEST"}, "time_zone", "IANA"),
    ("cronjob", {"concurrency_policy": "ALLOW"}, "concurrency_policy", "'Allow'"),
    ("cronjob", {"suspend": "no"}, "suspend", "boolean"),
    ("service", {"name": "1a"}, "name", "starting with a letter"),
    ("service", {"name": "a" * 64}, "name", "at most 63"),
    ("service", {"port": None}, "port", "Write the port"),
    ("service", {"port": 65536}, "port", ""),
    ("service", {"target_port": 0}, "target_port", "1 to 65535"),
    ("service", {"ports": [{"port": 1}, {"port": 1}]}, "ports.1.port", "1/TCP"),
    (
        "service",
        {"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]},
        "ports.1.name",
        "used twice",
    ),
    ("service", {"ports": [{"port": 1, "node_port": 30000}]}, "ports.0.node_port", "NODE_PORT"),
    ("service", {"external_name": "a.b"}, "external_name", "Only EXTERNAL_NAME"),
    ("service", {"service_type": "ExternalName"}, "external_name", "Write the host name"),
    (
        "service",
        {"service_type": "ExternalName", "external_name": "a", "selector": {"a": "b"}},
        "selector",
        "no pods",
    ),
    ("service", {"service_type": "NodePort", "headless": True}, "headless", "CLUSTER_IP"),
    ("service", {"load_balancer_ip": "192.0.2.1"}, "load_balancer_ip", "LOAD_BALANCER"),
    ("service", {"external_traffic_policy": "Local"}, "external_traffic_policy", "NODE_PORT"),
    (
        "service",
        {"session_affinity_timeout_seconds": 1},
        "session_affinity_timeout_seconds",
        "CLIENT_IP",
    ),
    (
        "service",
        {"session_affinity": "ClientIP", "session_affinity_timeout_seconds": 86_401},
        "session_affinity_timeout_seconds",
        "86400",
    ),
    ("ingress", {"paths": []}, "paths", "at least 1"),
    ("ingress", {"host": "192.0.2.1"}, "host", "not an IP"),
    ("ingress", {"paths": [{"path": "api"}]}, "paths.0.path", "starts with '/'"),
    ("ingress", {"paths": [{"path": "/a//b"}]}, "paths.0.path", "without '//'"),
    ("ingress", {"paths": [{"path": "/a/../b"}]}, "paths.0.path", "without '//'"),
    ("ingress", {"paths": [{"path": "/a%2Fb", "path_type": "Exact"}]}, "paths.0.path", "%2f"),
    ("ingress", {"paths": [{"id": "a"}, {"id": "a"}]}, "paths.1.id", "used twice"),
    ("ingress", {"paths": [{"service_port": 0}]}, "paths.0.service_port", "1 to 65535"),
    ("ingress", {"tls_hosts": ["a", "a"]}, "tls_hosts.1", "twice"),
    ("configmap", {"data": {"a/b": "x"}}, "data.a/b", "not starting with '..'"),
    ("configmap", {"binary_data": {"a": "%%"}}, "binary_data.a", "base64"),
    ("configmap", {"data": {"a": ""}, "binary_data": {"a": ""}}, "binary_data.a", "data too"),
    ("configmap", {"mount_path": "etc"}, "mount_path", "absolute path"),
    (
        "configmap",
        {"data": {"a": "x" * 600 * 1024}, "binary_data": {"b": "AAAA" * 200 * 1024}},
        "binary_data",
        "1 MiB",
    ),
    ("secret", {"keys": [{"name": ""}]}, "keys.0.name", "at most 253"),
    ("secret", {"keys": [{"name": "a"}, {"name": "a"}]}, "keys.1.name", "used twice"),
    ("secret", {"keys": [{"name": "a", "value": "hunter2"}]}, "keys.0.value", "Extra inputs"),
    ("secret", {"data": {"a": "b"}}, "data", "Extra inputs"),
    ("persistentvolumeclaim", {"storage": "10 Gi"}, "storage", "Write a quantity"),
    ("persistentvolumeclaim", {"storage": "0"}, "storage", "greater than 0"),
    ("persistentvolumeclaim", {"access_modes": []}, "access_modes", "at least 1"),
    (
        "persistentvolumeclaim",
        {"access_modes": ["ReadWriteOncePod", "ReadWriteOnce"]},
        "access_modes",
        "stands alone",
    ),
    (
        "persistentvolumeclaim",
        {"access_modes": ["ReadWriteOnce", "ReadWriteOnce"]},
        "access_modes.1",
        "twice",
    ),
    ("persistentvolumeclaim", {"storage_class_name": "Fast"}, "storage_class_name", "lower-case"),
    ("hpa", {"min_replicas": 6}, "min_replicas", "At most maxReplicas, which is 5."),
    ("hpa", {"min_replicas": 0}, "min_replicas", "greater than or equal to 1"),
    ("hpa", {"target_cpu_utilization": 0}, "target_cpu_utilization", ""),
    ("hpa", {"target_memory_utilization": 101}, "target_memory_utilization", ""),
    ("hpa", {"scale_up_stabilization": 3601}, "scale_up_stabilization", ""),
    ("hpa", {"scale_down_stabilization": -1}, "scale_down_stabilization", ""),
    ("hpa", {"scale_target_kind": "DaemonSet"}, "scale_target_kind", "'Deployment'"),
    (
        "hpa",
        {"scale_up_policies": [{"type": "Pods", "value": 1, "period_seconds": 1801}]},
        "scale_up_policies.0.period_seconds",
        "1800",
    ),
    ("networkpolicy", {"policy_types": []}, "policy_types", "at least 1"),
    ("networkpolicy", {"policy_types": ["Ingress", "Ingress"]}, "policy_types.1", "twice"),
    ("networkpolicy", {"ingress_rules": [{"id": "output"}]}, "ingress_rules.0.id", "another id"),
    (
        "networkpolicy",
        {"ingress_rules": [{"id": "a"}], "egress_rules": [{"id": "a"}]},
        "egress_rules.0.id",
        "ingress rule",
    ),
    (
        "networkpolicy",
        {"ingress_rules": [{"peers": [{"type": "podSelector"}]}]},
        "ingress_rules.0.peers.0.pod_selector",
        "{} for all pods",
    ),
    (
        "networkpolicy",
        {"ingress_rules": [{"peers": [{"type": "namespaceSelector", "pod_selector": {}}]}]},
        "ingress_rules.0.peers.0.namespace_selector",
        "{} for all namespaces",
    ),
    (
        "networkpolicy",
        {"ingress_rules": [{"peers": [{"type": "ipBlock"}]}]},
        "ingress_rules.0.peers.0.ip_block",
        "range of addresses",
    ),
    (
        "networkpolicy",
        {
            "ingress_rules": [
                {
                    "peers": [
                        {
                            "type": "ipBlock",
                            "ip_block": {"cidr": "10.0.0.0/8"},
                            "pod_selector": {},
                        }
                    ]
                }
            ]
        },
        "ingress_rules.0.peers.0.pod_selector",
        "don't go together",
    ),
    *(
        (
            "networkpolicy",
            {
                "egress_rules": [
                    {
                        "peers": [
                            {
                                "type": "ipBlock",
                                "ip_block": {
                                    "cidr": "10.0.0.0/8",
                                    "except_": ["10.9.0.0/16", hole],
                                },
                            }
                        ]
                    }
                ]
            },
            "egress_rules.0.peers.0.ip_block.except_.1",
            says,
        )
        for hole, says in (
            ("11.0.0.0/16", "inside 10.0.0.0/8"),
            ("10.0.0.0/8", "smaller range"),
            ("::/64", "inside 10.0.0.0/8"),
        )
    ),
    (
        "networkpolicy",
        {"egress_rules": [{"ports": [{"port": 2, "end_port": 1}]}]},
        "egress_rules.0.ports.0.end_port",
        "ends above",
    ),
    (
        "networkpolicy",
        {"egress_rules": [{"ports": [{"port": "dns", "end_port": 100}]}]},
        "egress_rules.0.ports.0.end_port",
        "begins with a number",
    ),
    ("plugin", {"plugin_id": "../x"}, "plugin_id", "plugin's id"),
    ("plugin", {"fields": {"a": float("nan")}}, "fields.a", "finite"),
]


@pytest.mark.parametrize(("kind", "fields", "path", "says"), REFUSED)
def test_refused_at_the_field(kind: str, fields: dict[str, Any], path: str, says: str) -> None:
    found = refusals(kind, **fields)
    assert path in found, found
    assert says in found[path]


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
