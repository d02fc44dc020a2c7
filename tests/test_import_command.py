"""`kubeorch import`: a workflow on the output, what was left behind on the error output."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import cli

OBJECTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {mode: fast}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
"""
COMPOSE = """
services:
  web:
    image: nginx:${TAG}
    env_file: web.env
    configs: [motd]
  admin: {image: admin, profiles: [tools]}
configs: {motd: {file: ./conf/motd.txt}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "corner shop"
    (project / "conf").mkdir(parents=True)
    (project / "compose.yaml").write_text(COMPOSE)
    (project / "web.env").write_text("MODE=fast\n")
    (project / ".env").write_text("TAG=1.27\n")
    (project / "conf" / "motd.txt").write_text("hello")
    (tmp_path / "outside.env").write_text("FOUND=outside\n")
    return project


def import_(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, Any, str]:
    """Exit code, the workflow, and the error output."""
    code = cli.main(["import", *map(str, words)])
    written = capsys.readouterr()
    return code, json.loads(written.out) if written.out else None, written.err


def data(workflow: Any, type_: str) -> Any:
    (found,) = [node["data"] for node in workflow["nodes"] if node["type"] == type_]
    return found


def test_manifests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text(OBJECTS)
    code, workflow, told = import_(capsys, file)
    assert (code, workflow["name"], workflow["namespace"]) == (0, "objects", "shop")
    assert data(workflow, "CONFIGMAP")["data"] == {"mode": "fast"}
    assert "unsupported: documents.1: " in told
    assert "ServiceAccount" in told


def test_a_compose_file_with_the_files_beside_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, workflow, told = import_(capsys, folder / "compose.yaml")
    assert code == 0
    web = data(workflow, "DEPLOYMENT")
    assert (web["image"], web["env"]) == ("nginx:1.27", {"MODE": "fast"})
    assert list(data(workflow, "CONFIGMAP")["data"].values()) == ["hello"]
    assert "services.admin" in told


def test_profiles_and_other_variables(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder / "other.env"
    other.write_text("TAG=2\n")
    _, workflow, _ = import_(
        capsys, folder / "compose.yaml", "--profile", "tools", "--env-file", other, "--name", "Shop"
    )
    images = {n["data"]["image"] for n in workflow["nodes"] if n["type"] == "DEPLOYMENT"}
    assert (workflow["name"], images) == ("Shop", {"nginx:2", "admin"})


def test_nothing_outside_of_the_folder_is_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "link.env").symlink_to(folder.parent / "outside.env")
    for name in ("../outside.env", str(folder.parent / "outside.env"), "link.env"):
        text = f"services: {{web: {{image: nginx, env_file: '{name}'}}}}"
        (folder / "compose.yaml").write_text(text)
        code, workflow, told = import_(capsys, folder / "compose.yaml")
        assert code == 0
        assert "env" not in data(workflow, "DEPLOYMENT")
        assert "missing: services.web.env_file" in told


def test_what_comes_out_compiles(folder: Path) -> None:
    kubeorch = [sys.executable, "-m", "app.cli"]
    imported = subprocess.run(
        [*kubeorch, "import", folder / "compose.yaml"], capture_output=True, check=True
    )
    compiled = subprocess.run(
        [*kubeorch, "compile", "-"], input=imported.stdout, capture_output=True, check=True
    )
    kinds = [each["kind"] for each in yaml.safe_load_all(compiled.stdout)]
    assert "Deployment" in kinds
    assert "ConfigMap" in kinds


def test_the_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = io.TextIOWrapper(io.BytesIO(OBJECTS.encode()), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", given)
    assert import_(capsys, "-")[0] == 0


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (b"a: [", [], "error: This is not valid YAML (line 2)"),
        (b"a: 1\na: 2", [], "error: A key is there twice (line 2)."),
        (b"\xff\xfe", [], "is no text in UTF-8"),
        (b"", [], "error: There is no Kubernetes object in it"),
        (OBJECTS.encode(), ["--from", "compose"], "error: "),
    ],
)
def test_it_says_why_not(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    options: list[str],
    says: str,
) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(content)
    code, workflow, told = import_(capsys, file, *options)
    assert (code, workflow) == (1, None)
    assert says in told


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, told = import_(capsys, tmp_path / "none.yaml")
    assert (code, told) == (1, f"error: {tmp_path}/none.yaml: No such file or directory\n")
