"""Nothing gets lost in silence: whatever a source says is on the canvas or in a note."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.domain.importing.manifests.test_foreign import CASES, read, told
from tests.domain.importing.manifests.test_hostile import places, replaced

WORD = "zzz"
WRITTEN = {"status", "managedFields"}
"""What servers write."""


def spots(documents: list[Any]) -> list[tuple[Any, ...]]:
    """Every mapping of the objects of a source."""
    return [
        path
        for path in places(documents)
        if isinstance(at(documents, path), dict)
        and not WRITTEN & set(path)
        and not is_of_a_list(documents, path)
        and not is_of_a_job(documents, path)
    ]


def is_of_a_list(documents: list[Any], path: tuple[Any, ...]) -> bool:
    """What a list of objects says of itself is no part of any of them."""
    owner = path[:-1] if path[-1] == "metadata" else path
    return str(at(documents, owner).get("kind")).endswith("List")


def is_of_a_job(documents: list[Any], path: tuple[Any, ...]) -> bool:
    """The selector of a Job, which the server makes."""
    owner = path[: path.index("spec")] if "spec" in path else ()
    inside = path[len(owner) : len(owner) + 2] == ("spec", "selector")
    return inside and at(documents, owner)["kind"] == "Job"


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def is_told(out: dict[str, Any], path: tuple[Any, ...]) -> bool:
    """Whether a note names the place, or what it is in."""
    place = ["documents", *map(str, path)]
    return any(place[: note[1].count(".") + 1] == note[1].split(".") for note in out["notes"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_word_more_anywhere_is_carried_or_told(case: Path) -> None:
    documents = list(yaml.safe_load_all(case.read_text()))
    documents = [document for document in documents if document is not None]
    before = told(read(_text(documents)))
    lost = []
    for path in spots(documents):
        more = replaced(documents, path, {**at(documents, path), WORD: WORD})
        out = told(read(_text(more)))
        carried = WORD in json.dumps([out["nodes"], out["name"]])
        # A part that is not carried at all has one note, with or without the word.
        if not carried and not any(is_told(o, (*path, WORD)) for o in (out, before)):
            lost.append(path)
    # The list that objects are in is no part of any of them.
    assert lost == []


def _text(documents: list[Any]) -> str:
    return "".join(f"---\n{json.dumps(document, default=str)}\n" for document in documents)
