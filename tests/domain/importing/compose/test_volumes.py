"""Volumes, configs, secrets and files of the host."""

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


def mounts(keys: dict[str, Any], **given: Any) -> list[dict[str, Any]]:
    """The mounts of the service web, whose nodes are named by what they are called."""
    content = {"services": {"web": {"image": "example/web", **keys}}, "volumes": {"data": None}}
    result = read(written(content), **given)
    names = {node.id: node.data.name for node in result.canvas.nodes.values()}
    return [
        {key: names.get(str(value), value) for key, value in mount.items()}
        for mount in workload(result).get("volume_mounts", [])
    ]


CLAIM = {"type": "persistentVolumeClaim", "node_id": "data", "mount_path": "/d"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("data:/d", CLAIM),
        ("data:/d/", CLAIM),
        ("data:/d:rw", CLAIM),
        ("data:/d:ro", {**CLAIM, "read_only": True}),
        ("data:/d:nocopy,ro,z", {**CLAIM, "read_only": True}),
        ({"type": "volume", "source": "data", "target": "/d"}, CLAIM),
        ({"source": "data", "target": "/d", "read_only": True}, {**CLAIM, "read_only": True}),
        (
            {"type": "volume", "source": "data", "target": "/d", "volume": {"subpath": "a/b"}},
            {**CLAIM, "sub_path": "a/b"},
        ),
    ],
    ids=str,
)
def test_a_named_volume_is_a_claim(entry: Any, expected: dict[str, Any]) -> None:
    assert mounts({"volumes": [entry]}) == [expected]


@pytest.mark.parametrize(
    "entry",
    [
        "",
        ":",
        "data:",
        ":/d",
        "data:/d:ro:x",
        "data:relative",
        "data:/",
        "data:/../..",
        r"C:\data:D:\data",
        {"type": "volume"},
        {"type": "bind", "target": "/d"},
        {"type": "npipe", "source": "a", "target": "/d"},
        {"type": 5, "target": "/d"},
        ["data:/d"],
        7,
    ],
    ids=str,
)
def test_what_cannot_be_mounted_has_a_note_at_its_place(entry: Any) -> None:
    result = read_service(volumes=[entry])
    assert workload(result) == {}
    assert [".".join(note.path) for note in result.notes] == ["services.web.volumes.0"]


def test_a_volume_that_nobody_declares_is_drawn_and_noted() -> None:
    result = read_service(volumes=["gone:/d"])
    assert list(nodes(result, "persistentvolumeclaim")) == ["gone"]
    assert notes(result)[0] == (
        "missing services.web.volumes.0: No volume is called gone: name it below 'volumes'. It is "
        "drawn."
    )


def test_the_later_of_two_mounts_at_one_place_stays() -> None:
    result = read_service(volumes=["one:/d", "two:/d"])
    assert [m["mount_path"] for m in workload(result)["volume_mounts"]] == ["/d"]
    assert list(nodes(result, "persistentvolumeclaim")) == ["two"]
    assert notes(result, "services.web.volumes.0") == [
        "ignored services.web.volumes.0: Another one is mounted at /d too: it is left out."
    ]


def test_a_disk_of_one_pod_is_not_fought_over() -> None:
    result = read_service(volumes=["data:/d"])
    assert workload(result)["strategy"] == "Recreate"
    assert nodes(result, "persistentvolumeclaim") == {"data": {"storage": "10Gi"}}


@pytest.mark.parametrize(
    "services",
    [
        {"web": {"image": "a", "volumes": ["data:/d"], "scale": 2}},
        {
            "web": {"image": "a", "volumes": ["data:/d"]},
            "other": {"image": "a", "volumes": ["data:/d"]},
        },
        {"web": {"image": "a", "volumes": ["data:/d"], "deploy": {"mode": "global"}}},
    ],
)
def test_a_volume_of_several_pods_can_be_written_by_all(services: dict[str, Any]) -> None:
    result = read(written({"services": services, "volumes": {"data": {}}}))
    [claim] = nodes(result, "persistentvolumeclaim").values()
    assert claim["access_modes"] == ["ReadWriteMany"]
    assert all("strategy" not in data for data in nodes(result, "deployment").values())


def test_an_external_volume_is_mounted_by_name() -> None:
    content = {
        "services": {"web": {"image": "a", "volumes": ["data:/d"]}},
        "volumes": {"data": {"external": {"name": "Real_Data"}}},
    }
    result = read(written(content))
    assert nodes(result, "persistentvolumeclaim") == {}
    assert workload(result)["volume_mounts"] == [
        {"type": "persistentVolumeClaim", "name": "real-data", "mount_path": "/d"}
    ]
    assert notes(result) == [
        "changed volumes.data: It is not drawn: the claim real-data has to be in the namespace "
        "already."
    ]


FILE = {"type": "configMap", "sub_path": "a.conf", "mount_path": "/etc/a.conf"}


@pytest.mark.parametrize("source", ["./a.conf", "./x/../a.conf", "a.conf"])
def test_a_file_that_is_given_is_a_configmap(source: str) -> None:
    entry = {"type": "bind", "source": source, "target": "/etc/a.conf", "read_only": True}
    assert mounts({"volumes": [entry]}, files={"./a.conf": "text"}) == [
        {**FILE, "node_id": "web-a-conf"}
    ]


def test_two_services_share_the_configmap_of_a_file() -> None:
    content = {name: {"image": "a", "volumes": ["./a.conf:/etc/a.conf:ro"]} for name in ("a", "b")}
    result = read(written({"services": content}), files={"a.conf": "text"})
    assert nodes(result, "configmap") == {"a-a-conf": {"data": {"a.conf": "text"}}}
    assert len(result.canvas.edges) == 2


def test_a_folder_whose_files_are_given_is_one_configmap() -> None:
    files = {"conf/a.conf": "a", "conf/sub/b.conf": "b", "other": "c"}
    given = mounts({"volumes": ["./conf:/etc/conf:ro"]}, files=files)
    assert given == [
        {
            "type": "configMap",
            "node_id": "web-conf",
            "mount_path": "/etc/conf",
            "items": {"a.conf": "a.conf", "sub-b.conf": "sub/b.conf"},
        }
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tls.key", "x"),
        (".env", "x"),
        ("db_password.txt", "x"),
        ("id_rsa", "x"),
        ("settings.ini", "[db]\npassword = hunter22\n"),
        ("app.yaml", "db:\n  - password: 'hunter22'\n"),
        ("app.json", '{\n  "api_key": "hunter22"\n}'),
        ("url.txt", "see postgres://me:hunter22@db/x"),
        ("cert.txt", "-----BEGIN RSA PRIVATE KEY-----\nhunter22"),
    ],
)
def test_a_file_that_is_secret_is_a_secret_without_a_value(name: str, content: str) -> None:
    result = read_service_with(f"./{name}:/etc/it:ro", {name: content})
    [secret] = nodes(result, "secret").values()
    assert [key["name"] for key in secret["keys"]] == [name]
    assert nodes(result, "configmap") == {}
    assert "hunter22" not in str(result)


@pytest.mark.parametrize(
    "content",
    [
        "password_file: /run/x",
        "token: ${TOKEN}",
        "secret: <your secret>",
        "tokens: 10",
        "password =",
    ],
)
def test_a_file_that_only_speaks_of_secrets_is_none(content: str) -> None:
    result = read_service_with("./a.conf:/etc/it:ro", {"a.conf": content})
    assert nodes(result, "secret") == {}


def read_service_with(volume: str, files: dict[str, str]) -> Any:
    content = {"services": {"web": {"image": "example/web", "volumes": [volume]}}}
    return read(written(content), files=files)


@pytest.mark.parametrize(
    ("kind", "entry", "expected"),
    [
        ("configs", "it", {"mount_path": "/it"}),
        ("configs", {"source": "it"}, {"mount_path": "/it"}),
        ("configs", {"source": "it", "target": "/a/b"}, {"mount_path": "/a/b"}),
        ("configs", {"source": "it", "mode": 0o440}, {"mount_path": "/it", "default_mode": 0o440}),
        ("secrets", "it", {"mount_path": "/run/secrets/it"}),
        ("secrets", {"source": "it", "target": "b"}, {"mount_path": "/run/secrets/b"}),
        ("secrets", {"source": "it", "target": "/b"}, {"mount_path": "/b"}),
        (
            "secrets",
            {"source": "it", "mode": "0400"},
            {"mount_path": "/run/secrets/it", "default_mode": 0o400},
        ),
        (
            "secrets",
            {"source": "it", "mode": "0o400"},
            {"mount_path": "/run/secrets/it", "default_mode": 0o400},
        ),
    ],
    ids=str,
)
def test_a_config_or_a_secret_is_mounted(kind: str, entry: Any, expected: dict[str, Any]) -> None:
    content = {
        "services": {"web": {"image": "a", kind: [entry]}},
        kind: {"it": {"file": "./it.txt"}},
    }
    result = read(written(content), files={"it.txt": "text"})
    [mount] = workload(result)["volume_mounts"]
    kinds = {"configs": "configMap", "secrets": "secret"}
    node = next(iter(result.canvas.nodes.values()))
    assert mount == {
        "type": kinds[kind],
        "node_id": node.id,
        "sub_path": "it",
        **expected,
    }
    assert node.data.name == "it"


@pytest.mark.parametrize(
    ("config", "data"),
    [
        ({"content": "a: $A"}, {"it": "a: given"}),
        ({"environment": "A"}, {"it": "given"}),
        ({"file": "./it.txt"}, {"it": "text $A"}),
        ({"file": "./gone.txt"}, {"it": ""}),
    ],
)
def test_the_content_of_a_config(config: dict[str, Any], data: dict[str, str]) -> None:
    content = {"services": {"web": {"image": "a", "configs": ["it"]}}, "configs": {"it": config}}
    result = read(written(content), files={"it.txt": "text $A"}, variables={"A": "given"})
    assert nodes(result, "configmap") == {"it": {"data": data}}


@pytest.mark.parametrize(
    "config",
    [{"content": "a: $MY_TOKEN"}, {"environment": "MY_TOKEN"}, {"content": "password=abcdef"}],
)
def test_a_config_with_a_secret_is_a_secret(config: dict[str, Any]) -> None:
    content = {"services": {"web": {"image": "a", "configs": ["it"]}}, "configs": {"it": config}}
    result = read(written(content), variables={"MY_TOKEN": "abcdef"})
    assert nodes(result, "configmap") == {}
    assert nodes(result, "secret") == {"it": {"keys": [{"id": "it", "name": "it"}]}}
    assert "abcdef" not in str(result)


def test_the_value_of_a_secret_is_never_kept() -> None:
    for secret in ({"file": "./s"}, {"environment": "S"}, {"content": "hunter22"}):
        content = {"services": {"web": {"image": "a", "secrets": ["s"]}}, "secrets": {"s": secret}}
        result = read(written(content), files={"s": "hunter22"}, variables={"S": "hunter22"})
        assert nodes(result, "secret") == {"s": {"keys": [{"id": "s", "name": "s"}]}}
        assert "hunter22" not in str(result)


def test_what_is_not_declared_is_missing() -> None:
    result = read_service(configs=["a"], secrets=[{"source": "b"}])
    assert notes(result) == [
        "missing services.web.configs.0: Nothing below 'configs' is called a: it is left out.",
        "missing services.web.secrets.0: Nothing below 'secrets' is called b: it is left out.",
    ]


def test_only_one_thing_is_mounted_at_a_path() -> None:
    content = {
        "services": {"web": {"image": "a", "configs": ["it"], "volumes": ["data:/it", "data:/b"]}},
        "configs": {"it": {"content": "a"}},
        "volumes": {"data": {}},
    }
    result = read(written(content))
    assert [(m["type"], m["mount_path"]) for m in workload(result)["volume_mounts"]] == [
        ("configMap", "/it"),
        ("persistentVolumeClaim", "/b"),
    ]
    assert notes(result, "services") == [
        "ignored services.web.volumes.0: Something else is at /it: it is left out."
    ]


def test_what_cannot_be_mounted_is_not_connected_either() -> None:
    content = {
        "services": {"web": {"image": "a", "configs": [{"source": "it", "target": "/a:b"}]}},
        "configs": {"it": {"content": "a"}},
    }
    result = read(written(content))
    assert workload(result) == {}
    assert not result.canvas.edges
    assert [".".join(note.path) for note in result.notes] == ["services.web.configs.0"]


def test_several_entries_that_do_not_fit_are_left_out_each_for_itself() -> None:
    entries = [{"source": "it", "target": f"/{i}{':' if i % 4 == 3 else ''}"} for i in range(16)]
    content = {
        "services": {"web": {"image": "a", "configs": entries}},
        "configs": {"it": {"content": "a"}},
    }
    result = read(written(content))
    assert [m["mount_path"] for m in workload(result)["volume_mounts"]] == [
        f"/{i}" for i in range(16) if i % 4 != 3
    ]
    assert [note.path[-1] for note in result.notes] == ["3", "7", "11", "15"]
