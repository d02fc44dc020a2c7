"""The five workload kinds: what each accepts up to its edge, and refuses just beyond."""

from typing import Any

import pytest

from tests.domain.sketch import refusals

WORKLOADS = ["cronjob", "daemonset", "deployment", "job", "statefulset"]
MOUNT = {"type": "configMap", "name": "settings"}
PROBE = {"http_get": {"path": "/healthz", "port": "http"}}

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
    ("job", {"name": "a" * 60, "completion_mode": "Indexed", "completions": 11}),
    ("cronjob", {"name": "a" * 50, "completion_mode": "Indexed", "completions": 2}),
    ("cronjob", {"name": "a" * 52, "schedule": "@every 5m", "time_zone": "Europe/Berlin"}),
    ("cronjob", {"successful_jobs_history_limit": 0, "starting_deadline_seconds": 0}),
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
    ("deployment", {"min_ready_seconds": 2**31 - 1}, "min_ready_seconds", "less than or equal"),
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
    (
        "job",
        {"name": "a" * 61, "completion_mode": "Indexed", "completions": 11},
        "name",
        "At most 60 characters",
    ),
    (
        "cronjob",
        {"name": "a" * 51, "completion_mode": "Indexed", "completions": 2},
        "name",
        "At most 50 characters",
    ),
    ("job", {"env_keys": [{"name": "A" * 254}]}, "env_keys.0.name", "at most 253"),
    ("job", {"port": 80}, "port", "Extra inputs"),
    ("cronjob", {"name": "a" * 53}, "name", "at most 52"),
    ("cronjob", {"schedule": "* * * *"}, "schedule", "five fields"),
    ("cronjob", {"schedule": "0 0 * * 7"}, "schedule", "Weekday '7': allowed is 0 to 6."),
    ("cronjob", {"time_zone": "CEST"}, "time_zone", "IANA"),
    ("cronjob", {"concurrency_policy": "ALLOW"}, "concurrency_policy", "'Allow'"),
    ("cronjob", {"suspend": "no"}, "suspend", "boolean"),
]


@pytest.mark.parametrize(("kind", "fields", "path", "says"), REFUSED)
def test_refused_at_the_field(kind: str, fields: dict[str, Any], path: str, says: str) -> None:
    found = refusals(kind, **fields)
    assert path in found, found
    assert says in found[path]
