"""The reader's specification: compose files of realistic shape, and what becomes of them.

A case is a folder in `golden/`: a `compose.yaml`, the files that it names, and what is expected.
After a change that is meant, run this file with `UPDATE_GOLDEN=1` in the environment, and review
the difference.
"""

import os
from typing import Any

import pytest
import yaml

from app.domain.compile import compile
from app.domain.importing.imported import Imported
from app.domain.problems import Severity, problems
from tests.domain import apiserver
from tests.domain.importing.compose.reading import CASES, GOLDEN, case, read


def imported(name: str) -> Imported:
    text, given = case(name)
    return read(text, **given)


def shown(result: Imported) -> str:
    """The canvas and the notes, as they are compared."""
    names = {
        node.id: f"{node.type.value} {node.data.name}" for node in result.canvas.nodes.values()
    }
    content: dict[str, Any] = {
        "name": result.name,
        "nodes": [
            {
                "id": node.id,
                "type": node.type.value,
                "position": [node.position.x, node.position.y],
                "data": node.data.model_dump(mode="json", exclude_defaults=True),
            }
            for node in result.canvas.nodes.values()
        ],
        "edges": [
            f"{names[edge.source]} -> {names[edge.target]}" for edge in result.canvas.edges.values()
        ],
        "notes": [
            {
                "code": note.code.value,
                "path": ".".join(note.path),
                "message": note.message,
                **({"node": names[note.node_id]} if note.node_id else {}),
            }
            for note in result.notes
        ],
    }
    return yaml.safe_dump(content, sort_keys=False, width=100, allow_unicode=True)


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    expected = GOLDEN / name / "expected.yaml"
    text = shown(imported(name))
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(text)
    assert text == expected.read_text()


@pytest.mark.parametrize("name", CASES)
def test_it_can_be_deployed(name: str) -> None:
    canvas = imported(name).canvas
    assert [p for p in problems(canvas) if p.severity is Severity.ERROR] == []
    made = compile(
        canvas, workflow_id="65f000000000000000000001", workflow_name=name, namespace="default"
    )
    assert made
    for manifest in made:
        for version in (apiserver.OLDEST, apiserver.NEWEST):
            assert apiserver.refusals(manifest.object, version) == []


@pytest.mark.parametrize("name", CASES)
def test_every_note_is_in_the_file_and_about_a_node_that_is_there(name: str) -> None:
    result = imported(name)
    content = yaml.safe_load(case(name)[0])
    for note in result.notes:
        assert note.path[0] in content
        assert note.node_id is None or note.node_id in result.canvas.nodes
        assert note.message.endswith(".")
