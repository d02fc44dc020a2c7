"""`kubeorch compile`: objects on the output, problems on the error output, and how it says no."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import cli
from tests.domain.test_golden import CASES, GOLDEN

FRONT = {"id": "front", "type": "SERVICE", "data": {"name": "front", "port": 80}}
WEB = {"id": "web", "type": "DEPLOYMENT", "data": {"name": "web", "image": "nginx", "port": 80}}
LED = {"nodes": [FRONT, WEB], "edges": [{"source": "front", "target": "web"}]}


@pytest.fixture
def compile_(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Compiles a document with these options: exit code, output, error output."""

    def run(document: object, *options: str) -> tuple[int, str, str]:
        file = tmp_path / "corner shop.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        code = cli.main(["compile", str(file), *options])
        written = capsys.readouterr()
        return code, written.out, written.err

    return run


@pytest.mark.parametrize("case", CASES[::7], ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_a_golden_case(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["compile", str(case), "--workflow-id", "65f000000000000000000001"])
    assert capsys.readouterr().out == case.with_suffix(".yaml").read_text()


def test_json(compile_: Any) -> None:
    code, out, err = compile_(LED, "-o", "json")
    assert (code, err) == (0, "")
    assert [item["kind"] for item in json.loads(out)["items"]] == ["Service", "Deployment"]


def test_names_come_from_the_options_or_the_document_or_the_file(compile_: Any) -> None:
    def found(document: object, *options: str) -> tuple[str, str, str]:
        metadata = yaml.safe_load(compile_(document, *options)[1].split("---")[1])["metadata"]
        labels = metadata["labels"]
        return (
            labels["app.kubernetes.io/part-of"],
            metadata["namespace"],
            labels["kubeorch.io/workflow-id"],
        )

    assert found(LED)[:2] == ("corner-shop", "default")
    assert found(LED)[2] == found(LED)[2] != found(LED, "--name", "x")[2]
    whole = {"data": {"workflow": {"id": "65f0", "name": "Shop", "namespace": "prod", **LED}}}
    assert found(whole) == ("shop", "prod", "65f0")
    options = ("--name", "Y", "--namespace", "z", "--workflow-id", "w")
    assert found(whole, *options) == ("y", "z", "w")


def test_the_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def given(text: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))

    given(b"\xef\xbb\xbf" + json.dumps(LED).encode())
    assert cli.main(["compile", "-"]) == 0
    assert capsys.readouterr().out.startswith("---\napiVersion: v1\nkind: Service\n")
    given(b"\xff{}")
    assert cli.main(["compile", "-"]) == 1
    assert capsys.readouterr().err.startswith("error: The standard input is no workflow as JSON: ")


def test_the_objects_are_utf_8_whatever_the_terminal_says() -> None:
    case = GOLDEN / "configmap" / "odd.json"
    run = subprocess.run(
        [sys.executable, "-m", "app.cli", "compile", str(case)],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stderr.decode()) == (0, "")
    names = {node["metadata"]["name"] for node in yaml.safe_load_all(run.stdout.decode())}
    assert names == {node["data"]["name"] for node in json.loads(case.read_text())["nodes"]}
    assert not run.stdout.isascii()


def test_an_unknown_format_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["compile", "-", "-o", "xml"])
    assert exit_.value.code == cli.USAGE_ERROR
    said = capsys.readouterr().err
    assert "yaml" in said
    assert "ManifestFormat" not in said


def test_problems_are_told_and_the_rest_is_printed(compile_: Any) -> None:
    code, out, err = compile_({"nodes": [FRONT]})
    assert code == 0
    assert err == (
        "warning: front, data.targetApp: front leads nowhere: connect it to a workload.\n"
    )
    scale = {"type": "HPA", "data": {"name": "scale", "maxReplicas": 2}}
    code, out, err = compile_({"nodes": [FRONT, scale]})
    assert code == 1
    assert out.count("---\n") == 1
    assert err.startswith("error: scale, data.scaleTargetName: scale scales nothing")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "is no workflow as JSON"),
        ("[" * 100_000, "is no workflow as JSON"),
        ([], "there is no `nodes` in it"),
        ({"data": {"workflow": None}}, "there is no `nodes` in it"),
        ({"nodes": [{**FRONT, "data": {"name": "A"}}]}, "nodes.0.data.name: Use lower-case"),
        ({"nodes": [], "namespace": "A b"}, "namespace: Use lower-case"),
        ({"nodes": [], "edges": [{"source": "a", "target": "b"}]}, "no node 'a'"),
    ],
)  # fmt: skip
def test_a_document_that_is_none(compile_: Any, document: object, says: str) -> None:
    code, out, err = compile_(document)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize("file", ["nowhere.json", str(GOLDEN)])
def test_a_file_that_cannot_be_read(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compile", file]) == 1
    assert capsys.readouterr().err.startswith(f"error: {file}: ")
