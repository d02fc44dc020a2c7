"""The log: JSON for machines, the request's id on every line, and never a secret."""

import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from app import logs
from app.settings import Environment, LogLevel, Settings
from tests.accounts import KEY


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    handlers, level = logging.root.handlers, logging.root.level
    yield
    logging.captureWarnings(capture=False)
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def production() -> Settings:
    return Settings(
        environment=Environment.PRODUCTION,
        signing_keys=[SecretStr(KEY)],
        encryption_keys=[SecretStr(KEY)],
        mongodb_uri=SecretStr("mongodb://db"),
    )


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object(
    production: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(production)
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        structlog.get_logger("kubeorch").info("workflow saved", workflow="5f", revision=3)
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "workflow saved",
        "level": "info",
        "logger": "kubeorch",
        "request_id": "abc",
        "revision": 3,
        "workflow": "5f",
    }


def test_other_libraries_and_warnings_go_the_same_way(
    production: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(production)
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        logging.getLogger("uvicorn.error").error("%s went wrong", "it")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    error, warning = lines(capsys)
    assert (error["event"], error["request_id"]) == ("it went wrong", "abc")
    assert (warning["logger"], "DeprecationWarning: old" in warning["event"]) == (
        "py.warnings",
        True,
    )


def test_uvicorn_does_not_log_the_address_of_a_websocket(
    production: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(production)
    logging.getLogger("uvicorn.error").info('"WebSocket /graphql?token=x" [accepted]')
    assert lines(capsys) == []


def test_a_traceback_is_one_line_without_secrets(
    production: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(production)
    try:
        int("mongodb://me:hunter2@db/ refused Bearer abc.def")
    except ValueError:
        structlog.get_logger("kubeorch").exception("unexpected error")
    (line,) = lines(capsys)
    assert line["exception"].startswith("Traceback (most recent call last):")
    assert line["exception"].endswith("'mongodb://***@db/ refused Bearer ***'")


@pytest.mark.parametrize(
    "secret",
    [
        {"password": "hunter2"},
        {"newPassword": "hunter2"},
        {"authorization": "hunter2"},
        {"headers": {"Set-Cookie": "hunter2"}},
        {"credentials": {"kubeconfig": {"content": "hunter2"}}},
        {"input": [{"refreshToken": "hunter2"}]},
        {"api_key": b"hunter2"},
        {"anything": SecretStr("hunter2")},
        {"a": {"b": {"c": {"d": {"e": {"f": {"value": "hunter2"}}}}}}},
        {"address": "https://user:hunter2@example.com/repo.git"},
        {"header": "Basic hunter2"},
        {"text": "eyJhbGciOiJIUzI1NiJ9.hunter2.hunter2"},
        {"error": ValueError("redis://:hunter2@cache")},
    ],
)
@pytest.mark.parametrize("environment", ["production", "development"])
def test_secrets_are_masked(
    production: Settings,
    capsys: pytest.CaptureFixture[str],
    secret: dict[str, Any],
    environment: str,
) -> None:
    logs.configure(production.model_copy(update={"environment": environment}))
    structlog.get_logger("kubeorch").info("something", **secret)
    written = capsys.readouterr().err
    assert "something" in written
    assert "hunter2" not in written


def test_what_is_not_secret_stays(production: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(production)
    structlog.get_logger("kubeorch").info("x", path="/graphql", status=200, nothing=None, list=[1])
    (line,) = lines(capsys)
    assert (line["path"], line["status"], line["nothing"], line["list"]) == (
        "/graphql",
        200,
        None,
        [1],
    )


def test_the_level_is_a_setting(production: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(production.model_copy(update={"log_level": LogLevel.WARNING}))
    structlog.get_logger("kubeorch").info("quiet")
    structlog.get_logger("kubeorch").warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]
