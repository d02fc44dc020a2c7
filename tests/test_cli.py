"""The command line: what it prints, and how it says no."""

import secrets
from pathlib import Path

import pytest

from app import __version__, cli
from app.handbook import page
from app.settings import Settings, environment_variable
from schema import sdl


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--help"])
    assert exit_.value.code == 0
    written = capsys.readouterr().out
    assert [name for name in cli.COMMANDS if f"\n  {name} " not in written] == []


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([command, "--help"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: kubeorch {command}")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"kubeorch {__version__}\n"


@pytest.mark.parametrize("words", [[], ["dance"], ["serve", "--dance"], ["create-admin"]])
def test_a_wrong_call_is_a_usage_error(words: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(words)
    assert exit_.value.code == cli.USAGE_ERROR


def test_config_prints_every_setting_with_its_reason(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEORCH_PORT", "8123")
    monkeypatch.setenv("MONGODB_URI", "mongodb://me:hunter2@db/")
    key = secrets.token_urlsafe(32)
    monkeypatch.setenv("KUBEORCH_SIGNING_KEYS", f'["k1:{key}"]')
    monkeypatch.setenv("KUBEORCH_ENCRYPTION_KEYS", f'["k2:{key}"]')
    monkeypatch.setenv("KUBEORCH_ALLOWED_ORIGINS", '["https://a.example"]')
    assert cli.main(["config"]) == 0
    written = capsys.readouterr().out
    for name, field in Settings.model_fields.items():
        assert f"{environment_variable(name)}=" in written
        assert field.description, f"{name} says nothing of itself"
    assert "\nKUBEORCH_PORT=8123\n" in written
    assert "\nMONGODB_URI=***\n" in written
    assert '\nKUBEORCH_SIGNING_KEYS=["***"]\n' in written
    assert '\nKUBEORCH_ENCRYPTION_KEYS=["***"]\n' in written
    assert '\nKUBEORCH_ALLOWED_ORIGINS=["https://a.example"]\n' in written
    assert "\n# KUBEORCH_HOST=127.0.0.1\n" in written
    assert "hunter2" not in written
    assert key not in written


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("KUBEORCH_PORT", "99999", "KUBEORCH_PORT: Input should be less than or equal to 65535"),
        ("KUBEORCH_SIGNING_KEYS", "hunter2", "a list is written as JSON"),
        (
            "KUBEORCH_ENVIRONMENT",
            "production",
            "kubeorch: KUBEORCH_SIGNING_KEYS is required in production",
        ),
    ],
)
def test_a_setting_that_will_not_do_is_named_without_its_value(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(variable, value)
    assert cli.main(["config"]) == cli.USAGE_ERROR
    error = capsys.readouterr().err
    assert error.startswith("kubeorch: ")
    assert said in error
    assert "hunter2" not in error


def test_an_option_is_a_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--port", "99999"]) == cli.USAGE_ERROR
    assert "KUBEORCH_PORT: Input should be less than" in capsys.readouterr().err


def test_kinds_prints_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["kinds"]) == 0
    assert capsys.readouterr().out == page()


def test_schema_prints_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert capsys.readouterr().out == sdl()


def test_doctor_says_what_is_missing_and_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBEORCH_DATA_DIR", str(tmp_path))
    assert cli.main(["doctor"]) == 0
    assert "ok        embedded mongod  db version v" in capsys.readouterr().out
    options = "directConnection=true&loadBalanced=true"
    monkeypatch.setenv("MONGODB_URI", f"mongodb://me:hunter2@127.0.0.1/?{options}")
    assert cli.main(["doctor"]) == 1
    written = capsys.readouterr().out
    assert "MISSING   MongoDB          at MONGODB_URI\n" in written
    assert "The MongoDB at MONGODB_URI cannot be used: " in written
    assert "hunter2" not in written
