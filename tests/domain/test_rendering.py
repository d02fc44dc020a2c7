"""Manifests as text: read back as they were, by any reader of YAML."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.domain.manifest import Manifest
from app.domain.rendering import ManifestFormat, render, to_json, to_yaml


def config(**data: str) -> Manifest:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}
    return Manifest("a", body, 0)


def written(text: str) -> str:
    """How a text is written as a value."""
    return to_yaml([config(key=text)]).split("  key: ", 1)[1].removesuffix("\n")


@pytest.mark.parametrize(
    "text",
    ["8080", "1e3", "0x1F", "0o17", "017", "1_000", ".5", "5.", "+1", "-1", "1:30", "0b1", "1E3"],
)
def test_a_text_that_could_be_a_number_is_quoted(text: str) -> None:
    assert written(text) == f"'{text}'"


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "No",
        "on",
        "OFF",
        "y",
        "N",
        "true",
        "null",
        "~",
        "",
        "2001-01-01",
        ".inf",
        ".NaN",
        "=",
    ],
)
def test_a_text_that_could_be_a_truth_a_date_or_nothing_is_quoted(text: str) -> None:
    assert written(text) == f"'{text}'"


@pytest.mark.parametrize("text", ["web", "1.27-alpine", "500m", "10Gi", "a/b:c", "$(HOME)", "v1"])
def test_a_plain_text_stays_plain(text: str) -> None:
    assert written(text) == text


def test_keys_are_quoted_like_values() -> None:
    assert to_yaml([config(y="1", n="2")]).endswith("data:\n  'y': '1'\n  'n': '2'\n")


def test_several_lines_are_a_block() -> None:
    assert written("a: 1\n  b: 2\n") == "|\n    a: 1\n      b: 2"
    assert written("a\nb") == "|-\n    a\n    b"


@pytest.mark.parametrize(
    "text", [" a\nb", "a \nb", "\na", "a\tb\nc", "a\r\nb", "a\nb ", "a\n\n", "a\n\u2028"]
)
def test_lines_that_a_block_would_not_keep_are_escaped(text: str) -> None:
    assert written(text)[0] == '"'
    assert yaml.safe_load(to_yaml([config(key=text)]))["data"]["key"] == text


def test_a_long_line_is_not_folded() -> None:
    assert "\n" not in written("word " * 500 + "end")


def test_documents_are_kept_apart() -> None:
    assert to_yaml([config(), config()]).count("---\n") == 2
    assert to_yaml([]) == ""
    assert (
        len(list(yaml.safe_load_all(to_yaml([config(a="---\nkind: Secret\n...\n"), config()]))))
        == 2
    )


def test_the_same_part_twice_is_written_twice() -> None:
    shared = {"app": "web"}
    twice = Manifest("a", {"kind": "Service", "a": shared, "b": shared}, 0)
    assert to_yaml([twice]) == "---\nkind: Service\na:\n  app: web\nb:\n  app: web\n"


def test_json_is_one_list() -> None:
    assert json.loads(to_json([config(a="ü")])) == {
        "apiVersion": "v1",
        "kind": "List",
        "items": [config(a="ü").object],
    }
    assert render([], ManifestFormat.JSON).startswith('{\n  "apiVersion": "v1",')


@given(st.dictionaries(st.text(), st.text(), max_size=4))
def test_any_text_survives(data: dict[str, str]) -> None:
    manifest = config(**data)
    assert yaml.safe_load(to_yaml([manifest])) == manifest.object
    assert json.loads(to_json([manifest]))["items"] == [manifest.object]
