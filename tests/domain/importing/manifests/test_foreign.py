"""Manifests as people have them, and the canvas and the notes that they become.

A case is `cases/<case>.yaml` and what comes out beside it. After a change that is meant, run this
file with `UPDATE_GOLDEN=1` in the environment, and review the difference.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from app.domain.editing import Limits
from app.domain.importing.imported import Imported
from app.domain.importing.manifests import read_manifests
from app.domain.layout import Cell
from app.domain.reading import read_canvas
from app.domain.writing import write_canvas
from tests.domain.drawing import numbered

CASES = sorted((Path(__file__).with_name("cases")).glob("*.yaml"))


def read(text: str, limits: Limits | None = None) -> Imported:
    return read_manifests(text, limits=limits or Limits(), new_id=numbered())


def told(imported: Imported) -> dict[str, Any]:
    """All that comes out, as JSON."""
    return {
        "name": imported.name,
        "namespace": imported.namespace,
        **write_canvas(imported.canvas),
        "notes": [
            [note.code.name, ".".join(note.path), note.node_id, note.message]
            for note in imported.notes
        ],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_golden(case: Path) -> None:
    expected = case.with_suffix(".json")
    imported = read(case.read_text())
    written = json.dumps(told(imported), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(written)
    assert written == expected.read_text()
    assert read_canvas(json.loads(written)) == imported.canvas


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_no_box_lies_on_another(case: Path) -> None:
    cell = Cell()
    places = [node.position for node in read(case.read_text()).canvas.nodes.values()]
    overlaps = [
        (a, b)
        for i, a in enumerate(places)
        for b in places[:i]
        if abs(a.x - b.x) < cell.width and abs(a.y - b.y) < cell.height
    ]
    assert overlaps == []
