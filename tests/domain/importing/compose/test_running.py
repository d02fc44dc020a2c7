"""How a container runs: commands, health, amounts, rights, replicas, and the kind of workload."""

from typing import Any

import pytest

from tests.domain.importing.compose.reading import (
    nodes,
    notes,
    read,
    read_service,
    workload,
    written,
)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"command": "a 'b c' d"}, {"args": ["a", "b c", "d"]}),
        ({"command": ["a", "b c", 1, True]}, {"args": ["a", "b c", "1", "true"]}),
        ({"entrypoint": "/start --now"}, {"command": ["/start", "--now"]}),
        ({"entrypoint": ["/start"], "command": "x"}, {"command": ["/start"], "args": ["x"]}),
        ({"command": None, "entrypoint": None}, {}),
        ({"command": "echo $$HOME $$(id)"}, {"args": ["echo", "$HOME", "$$(id)"]}),
        ({"user": "1000"}, {"security_context": {"run_as_user": 1000}}),
        ({"user": 1000}, {"security_context": {"run_as_user": 1000}}),
        ({"user": "0:5"}, {"security_context": {"run_as_user": 0, "run_as_group": 5}}),
        ({"read_only": True}, {"security_context": {"read_only_root_filesystem": True}}),
        ({"privileged": "true"}, {"security_context": {"privileged": True}}),
        ({"privileged": False, "read_only": False}, {}),
        ({"cap_add": ["CAP_SYS_TIME"]}, {"security_context": {"add_capabilities": ["SYS_TIME"]}}),
        ({"cap_drop": ["all"]}, {"security_context": {"drop_capabilities": ["ALL"]}}),
        (
            {"security_opt": ["no-new-privileges=true"]},
            {"security_context": {"allow_privilege_escalation": False}},
        ),
        ({"stop_grace_period": "1m30s"}, {"termination_grace_period_seconds": 90}),
        ({"pull_policy": "missing"}, {"image_pull_policy": "IfNotPresent"}),
        ({"network_mode": "host"}, {"host_network": True}),
        (
            {"platform": "linux/amd64"},
            {"node_selector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}},
        ),
        ({"scale": 3}, {"replicas": 3}),
        ({"deploy": {"replicas": "0"}}, {"replicas": 0}),
        ({"restart": "always"}, {}),
        ({"restart": "unless-stopped", "deploy": {"restart_policy": {"condition": "any"}}}, {}),
        (
            {"mem_limit": "512m", "cpus": 0.5},
            {"resources": {"limits": {"cpu": "500m", "memory": "512Mi"}}},
        ),
        ({"mem_limit": 1048576}, {"resources": {"limits": {"memory": "1048576"}}}),
        ({"mem_reservation": "64m"}, {"resources": {"requests": {"memory": "64Mi"}}}),
        ({"cpu_quota": 50000, "cpu_period": 100000}, {"resources": {"limits": {"cpu": "500m"}}}),
        (
            {"deploy": {"resources": {"limits": {"cpus": "2"}}}},
            {"resources": {"limits": {"cpu": "2"}}},
        ),
        ({"mem_limit": 0, "cpus": "0"}, {}),
        (
            {"deploy": {"update_config": {"parallelism": 2}}},
            {"max_surge": 0, "max_unavailable": 2},
        ),
        (
            {"deploy": {"update_config": {"order": "start-first"}}},
            {"max_surge": 1, "max_unavailable": 0},
        ),
        (
            {"deploy": {"update_config": {"parallelism": 0}}},
            {"max_surge": 0, "max_unavailable": "100%"},
        ),
    ],
    ids=str,
)
def test_a_key_becomes_fields_without_a_note(
    keys: dict[str, Any], expected: dict[str, Any]
) -> None:
    result = read_service(**keys)
    assert workload(result) == expected
    assert notes(result) == []


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"command": "a 'b"}, "command"),
        ({"command": {"a": "b"}}, "command"),
        ({"command": []}, "command"),
        ({"entrypoint": ""}, "entrypoint"),
        ({"user": "nginx"}, "user"),
        ({"cap_add": ["NET ADMIN"]}, "cap_add.0"),
        ({"cap_add": "NET_ADMIN"}, "cap_add"),
        ({"privileged": "maybe"}, "privileged"),
        ({"privileged": [1]}, "privileged"),
        ({"scale": -1}, "scale"),
        ({"scale": 1.5}, "scale"),
        ({"scale": {}}, "scale"),
        ({"stop_grace_period": "soon"}, "stop_grace_period"),
        ({"mem_limit": "lots"}, "mem_limit"),
        ({"cpus": "many"}, "cpus"),
        ({"cpus": "nan"}, "cpus"),
        ({"deploy": 5}, "deploy"),
        ({"deploy": {"mode": "other"}}, "deploy.mode"),
        ({"deploy": {"resources": []}}, "deploy.resources"),
        ({"restart": "sometimes"}, "restart"),
        ({"pull_policy": "daily"}, "pull_policy"),
        ({"network_mode": "service:db"}, "network_mode"),
        ({"pid": "host"}, "pid"),
        ({"environment": 5}, "environment"),
        ({"environment": {"A": ["b"]}}, "environment.A"),
        ({"environment": {"A B": "c"}}, "environment.A B"),
        ({"env_file": "gone.env"}, "env_file"),
        ({"env_file": [{"path": "gone.env"}]}, "env_file.0.path"),
        ({"labels": {"not a key!": "b"}}, "labels.not a key!"),
        ({"healthcheck": {"test": ["RUN", "x"]}}, "healthcheck.test"),
        ({"healthcheck": {"test": "x", "interval": "often"}}, "healthcheck.interval"),
        ({"healthcheck": {"interval": "5s"}}, "healthcheck"),
        ({"healthcheck": "x"}, "healthcheck"),
        ({"networks": {"gone": {}}}, "networks.gone"),
        ({"networks": 3}, "networks"),
        ({"depends_on": 3}, "depends_on"),
        ({"platform": "linux/NO WAY"}, "platform"),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_has_a_note_at_its_place(keys: dict[str, Any], path: str) -> None:
    assert f"services.web.{path}" in {".".join(note.path) for note in read_service(**keys).notes}


def test_an_env_file_that_need_not_be_there_says_nothing() -> None:
    result = read_service(env_file={"path": "gone.env", "required": False})
    assert notes(result) == ["ignored services.web.env_file: Write a list here: it is left out."]
    assert notes(read_service(env_file=[{"path": "gone.env", "required": False}])) == []


SHELL = ["/bin/sh", "-c"]
PROBE = {"period_seconds": 30, "timeout_seconds": 30, "failure_threshold": 3}


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ({"test": "curl -f x"}, {"command": [*SHELL, "curl -f x"]}),
        ({"test": ["CMD-SHELL", "a || exit 1"]}, {"command": [*SHELL, "a || exit 1"]}),
        ({"test": ["CMD", "curl", "-f", "x"]}, {"command": ["curl", "-f", "x"]}),
        ({"test": ["NONE"]}, None),
        ({"test": []}, None),
        ({"test": ["CMD", "x"], "disable": True}, None),
    ],
    ids=str,
)  # fmt: skip
def test_a_check_is_a_readiness_probe(check: dict[str, Any], expected: Any) -> None:
    result = read_service(healthcheck=check)
    probe = None if expected is None else {"exec": expected, **PROBE}
    assert workload(result) == ({} if probe is None else {"readiness_probe": probe})
    assert notes(result) == []


def test_the_times_of_a_check() -> None:
    check = {"test": "x", "interval": "1m30s", "timeout": "500ms", "retries": "5"}
    result = read_service(healthcheck=check)
    probe = workload(result)["readiness_probe"]
    assert {key: probe[key] for key in PROBE} == {
        "period_seconds": 90,
        "timeout_seconds": 1,
        "failure_threshold": 5,
    }
    assert notes(result) == [
        "changed services.web.healthcheck.timeout: Kubernetes counts whole seconds: it is 1s."
    ]


KINDS: list[tuple[dict[str, Any], str]] = [
    ({}, "deployment"),
    ({"deploy": {"mode": "global"}}, "daemonset"),
    ({"deploy": {"mode": "replicated-job"}}, "job"),
    ({"deploy": {"mode": "global-job"}}, "job"),
    ({"restart": "no"}, "job"),
    ({"restart": False}, "job"),
    ({"deploy": {"restart_policy": {"condition": "none"}}}, "job"),
    ({"restart": "no", "ports": ["80"]}, "deployment"),
    ({"restart": "no", "healthcheck": {"test": "x"}}, "deployment"),
    ({"restart": "on-failure"}, "deployment"),
    ({"image": "postgres:17"}, "deployment"),
    ({"image": "postgres:17", "volumes": ["pg:/var/lib/postgresql/data"]}, "statefulset"),
    ({"image": "bitnami/postgresql", "volumes": ["pg:/bitnami/postgresql"]}, "statefulset"),
    (
        {"image": "registry.example.com/mssql/server", "volumes": ["a1:/var/opt/mssql"]},
        "statefulset",
    ),
    ({"image": "redis:7@sha256:" + "a" * 64, "volumes": ["/data"]}, "statefulset"),
    ({"image": "mongo", "volumes": ["./data:/data/db"]}, "statefulset"),
    ({"image": "mongo", "volumes": ["./init.js:/data/db"]}, "deployment"),
    ({"image": "mongo", "volumes": ["./conf:/etc/mongo"]}, "deployment"),
    ({"image": "mongo", "volumes": ["mo:/data/db:ro"]}, "deployment"),
    ({"image": "memcached", "volumes": ["mc:/data"]}, "deployment"),
    ({"image": "nginx", "volumes": ["html:/usr/share/nginx/html"]}, "deployment"),
    ({"image": "postgres", "volumes": ["pg:/data"], "deploy": {"mode": "global"}}, "daemonset"),
]


@pytest.mark.parametrize(("keys", "kind"), KINDS, ids=str)
def test_the_kind_of_workload(keys: dict[str, Any], kind: str) -> None:
    assert list(nodes(read_service(**keys), kind)) == ["web"]


def test_what_is_waited_for_until_it_completes_is_a_job() -> None:
    content = {
        "seed": {"image": "a", "healthcheck": {"test": "x"}, "restart": "on-failure:4"},
        "web": {
            "image": "b",
            "depends_on": {"seed": {"condition": "service_completed_successfully"}},
        },
    }
    result = read(written({"services": content}))
    assert nodes(result, "job") == {"seed": {"restart_policy": "OnFailure", "backoff_limit": 4}}
    assert notes(result, "services.seed") == [
        "ignored services.seed.healthcheck: A Job is no server: nothing asks whether it is ready."
    ]


def test_a_volume_of_a_database_that_others_use_is_a_claim() -> None:
    content = {
        "db": {"image": "postgres", "volumes": ["pg:/var/lib/postgresql/data"]},
        "backup": {"image": "b", "volumes": ["pg:/from:ro"]},
    }
    result = read(written({"services": content, "volumes": {"pg": None}}))
    assert nodes(result, "statefulset") == {}
    assert list(nodes(result, "persistentvolumeclaim")) == ["pg"]


def test_a_disk_is_called_as_its_volume_and_no_two_alike() -> None:
    volumes = ["My_Data:/var/lib/postgresql/data", "my-data:/var/lib/more", "/var/lib/third"]
    content = {"db": {"image": "postgres", "volumes": volumes}}
    result = read(written({"services": content, "volumes": {"My_Data": {}, "my-data": {}}}))
    [data] = nodes(result, "statefulset").values()
    assert [(c["name"], c["mount_path"]) for c in data["volume_claim_templates"]] == [
        ("my-data", "/var/lib/postgresql/data"),
        ("my-data-2", "/var/lib/more"),
        ("data", "/var/lib/third"),
    ]


def test_what_is_reserved_is_not_above_what_is_allowed() -> None:
    result = read_service(mem_limit="64m", mem_reservation="1g")
    assert workload(result)["resources"] == {
        "limits": {"memory": "64Mi"},
        "requests": {"memory": "64Mi"},
    }
    assert notes(result) == [
        "changed services.web.mem_reservation: More is reserved than is allowed: 64Mi is requested."
    ]


def test_a_read_only_disk_with_folders_in_memory_stays_writable() -> None:
    result = read_service(read_only=True, tmpfs=["/run:size=64m", "/work"])
    assert workload(result) == {}
    assert [".".join(note.path) for note in result.notes] == [
        "services.web.read_only",
        "services.web.tmpfs.0",
        "services.web.tmpfs.1",
    ]


@pytest.mark.parametrize(
    ("keys", "image"),
    [
        ({"image": "nginx:${TAG}"}, "nginx"),
        ({"image": "Nginx:1.29"}, "nginx:1.29"),
        ({"image": "not an image!"}, "web"),
        ({"build": "."}, "web"),
        ({"build": {"context": "."}, "image": "mine:1"}, "mine:1"),
    ],
    ids=str,
)
def test_an_image_is_one(keys: dict[str, Any], image: str) -> None:
    result = read(written({"services": {"web": keys}}))
    [node] = result.canvas.nodes.values()
    assert getattr(node.data, "image", None) == image
    assert notes(result) != []
