"""The compiler's specification: for every kind, what goes in and what comes out.

A case is `golden/<kind>/<case>.json`, a canvas as the API answers it, and the objects that it
becomes beside it. After a change that is meant, run this file with `UPDATE_GOLDEN=1` in the
environment, and review the difference.
"""

import json
import os
from pathlib import Path

import pytest
import yaml

from app.domain.canvas import Canvas
from app.domain.compile import Manifest, compile
from app.domain.nodes import NODE_KINDS
from app.domain.reading import read_canvas
from app.domain.rendering import to_yaml
from tests.domain import apiserver

GOLDEN = Path(__file__).with_name("golden")
CASES = sorted(GOLDEN.glob("*/*.json"))
EVERY_KIND_HAS = {"minimal", "full", "wired", "odd", "renamed"}


def canvas_of(case: Path) -> Canvas:
    return read_canvas(json.loads(case.read_text()))


def compiled(case: Path, names: str | None = None) -> list[Manifest]:
    """The objects of a case; with every node called after `names` and its number."""
    drawn = json.loads(case.read_text())
    for i, node in enumerate(drawn["nodes"] if names else ()):
        node["data"]["name"] = names.format(i)
    return compile(
        read_canvas(drawn),
        workflow_id="65f000000000000000000001",
        workflow_name=drawn["name"],
        namespace=drawn["namespace"],
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_golden(case: Path) -> None:
    expected = case.with_suffix(".yaml")
    written = to_yaml(compiled(case))
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(written)
    assert written == expected.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_an_api_server_accepts_it(case: Path) -> None:
    for manifest in yaml.safe_load_all(case.with_suffix(".yaml").read_text()):
        for version in (apiserver.OLDEST, apiserver.NEWEST):
            assert apiserver.refusals(manifest, version) == []


@pytest.mark.parametrize("kind", NODE_KINDS)
def test_every_kind_has_its_cases(kind: str) -> None:
    assert {case.stem for case in CASES if case.parent.name == kind} >= EVERY_KIND_HAS


@pytest.mark.parametrize("kind", NODE_KINDS)
def test_the_full_case_says_everything(kind: str) -> None:
    """Every field that a client can set is set in some case of its kind."""
    data = NODE_KINDS[kind].data
    settable = {
        name
        for name, field in data.model_fields.items()
        if not (
            isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("readOnly")
        )
    }
    said = {
        name
        for case in CASES
        for node in canvas_of(case).nodes.values()
        if isinstance(node.data, data)
        for name in node.data.model_fields_set
    }
    assert settable - said <= {"template_id"}


@pytest.mark.parametrize("kind", NODE_KINDS)
def test_a_rename_changes_names_and_nothing_else(kind: str) -> None:
    case = GOLDEN / kind / "wired.json"
    before = sorted(json.dumps(m.object) for m in compiled(case, "old-name-{}"))
    after = sorted(json.dumps(m.object) for m in compiled(case, "new-name-{}"))
    assert [text.replace("old-name-", "new-name-") for text in before] == after
    assert before != after
