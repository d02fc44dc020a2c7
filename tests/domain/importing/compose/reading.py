"""Reading compose files in few words, and the cases of `golden/`."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from app.domain.editing import Limits
from app.domain.importing.compose import read_compose
from app.domain.importing.imported import Imported

GOLDEN = Path(__file__).with_name("golden")
CASES = sorted(path.parent.name for path in GOLDEN.glob("*/compose.yaml"))


def new_ids() -> Callable[[str], str]:
    """Ids by their order: `node-1`, `node-2`, `edge-3` …"""
    count = itertools.count(1)
    return lambda prefix: f"{prefix}-{next(count)}"


def read(text: str, **given: Any) -> Imported:
    return read_compose(text, **{"limits": Limits(), "new_id": new_ids(), **given})


def written(content: Mapping[str, Any]) -> str:
    """A compose file of plain data."""
    return yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)


def service(**keys: Any) -> str:
    """A compose file with one service, called web."""
    return written({"services": {"web": {"image": "example/web:1", **keys}}})


def read_service(**keys: Any) -> Imported:
    return read(service(**keys))


def nodes(imported: Imported, kind: str) -> dict[str, dict[str, Any]]:
    """What is drawn of a kind: the fields that are set, by name."""
    return {
        node.data.name: node.data.model_dump(
            mode="json", exclude_defaults=True, exclude={"name", "image"}
        )
        for node in imported.canvas.nodes.values()
        if node.type.value == kind
    }


def workload(imported: Imported) -> dict[str, Any]:
    """The fields of the only Deployment."""
    [data] = nodes(imported, "deployment").values()
    return data


def notes(imported: Imported, below: str = "") -> list[str]:
    """Code, path and message of every note whose path begins so."""
    return [
        f"{note.code.value} {path}: {note.message}"
        for note in imported.notes
        if (path := ".".join(note.path)).startswith(below)
    ]


def case(name: str) -> tuple[str, dict[str, Any]]:
    """The text of a golden case, and what it is read with.

    The files beside it come along, `dotenv` as `.env`, which no repository takes; variables and
    profiles are in its `x-test`.
    """
    folder = GOLDEN / name
    text = (folder / "compose.yaml").read_text()
    files = {
        path.relative_to(folder).as_posix().replace("dotenv", ".env"): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"compose.yaml", "expected.yaml"}
    }
    given = yaml.safe_load(text).get("x-test", {})
    return text, {"files": files, **given}
