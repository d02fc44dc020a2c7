"""ConfigMap, Secret, claim, autoscaler and plugin: what each accepts, and refuses just beyond."""

from typing import Any

import pytest

from tests.domain.sketch import refusals

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("configmap", {"name": "a.b", "data": {"a": ""}, "binary_data": {"b": "AAEC"}}),
    ("secret", {"secret_type": "kubernetes.io/tls", "keys": [{"name": "tls.crt"}]}),
    ("persistentvolumeclaim", {"access_modes": ["ReadWriteMany", "ReadOnlyMany"]}),
    ("persistentvolumeclaim", {"access_modes": ["ReadWriteOncePod"], "volume_mode": "Block"}),
    ("persistentvolumeclaim", {"storage_class_name": ""}),
    ("hpa", {"min_replicas": 5, "max_replicas": 5, "target_cpu_utilization": 100}),
    ("hpa", {"scale_down_stabilization": 0, "scale_up_stabilization": 3600}),
    ("hpa", {"scale_up_policies": [{"type": "Pods", "value": 1, "period_seconds": 1800}]}),
    ("hpa", {"scale_down_select": "Disabled"}),
    ("plugin", {"template_id": "certificate", "fields": {"dnsNames": ["a"], "n": 1}}),
]


@pytest.mark.parametrize(("kind", "fields"), ACCEPTED)
def test_accepted(kind: str, fields: dict[str, Any]) -> None:
    assert refusals(kind, **fields) == {}


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
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
    ("plugin", {"plugin_id": "../x"}, "plugin_id", "plugin's id"),
    ("plugin", {"fields": {"a": float("nan")}}, "fields.a", "finite"),
]


@pytest.mark.parametrize(("kind", "fields", "path", "says"), REFUSED)
def test_refused_at_the_field(kind: str, fields: dict[str, Any], path: str, says: str) -> None:
    found = refusals(kind, **fields)
    assert path in found, found
    assert says in found[path]
