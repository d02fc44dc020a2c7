"""`kubeorch worker` needs a database that others have, and says so."""

import pytest

from app import cli


def test_a_worker_without_a_database_says_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)
    assert cli.main(["worker"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "kubeorch: a worker needs the database of the servers that it works for. Set MONGODB_URI "
        "to it; `kubeorch serve` alone, with its embedded database, does its work itself.\n"
    )


def test_a_worker_whose_database_is_away_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    uri = f"mongodb://127.0.0.1:{unused_tcp_port}/?connectTimeoutMS=100&directConnection=true"
    monkeypatch.setenv("MONGODB_URI", uri)
    assert cli.main(["worker"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "The MongoDB at MONGODB_URI cannot be reached" in said.err
