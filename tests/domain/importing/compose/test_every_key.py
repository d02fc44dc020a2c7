"""No key gets lost in silence: without it the canvas is another, or there is a note about it."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from app.domain.importing.imported import ImportCode, Imported
from tests.domain.importing.compose.reading import case, nodes, notes, read, service, written

TEXT, GIVEN = case("every-key")
CONTENT: dict[str, Any] = yaml.safe_load(TEXT)
WHOLE = read(TEXT, **GIVEN)

SAYS_NOTHING = {
    "version": "the specification takes no notice of it",
    "x-ignored": "extensions are nobody's business",
    "x-test": "extensions are nobody's business",
    "include.0.project_directory": "the folder of the file, as ever",
    "services.web.deploy.mode": "replicated, as ever",
    "services.web.env_file.0.required": "true, as ever",
    "services.web.ipc": "the pod's own, as ever",
    "services.web.links": "the service has that name anyway",
    "services.web.network_mode": "the pod's own, as ever",
    "services.web.ports.0.host_ip": "no port is open to the outside, says the note at the ports",
    "services.web.ports.0.mode": "no port is open to the outside, says the note at the ports",
    "services.web.ports.0.protocol": "tcp, as ever",
    "services.web.profiles": "the profile is chosen",
    "services.web.volumes.0.type": "volume, as ever",
    "volumes.data.external": "false, as ever",
    "secrets.token.external": "false, as ever",
    "configs.settings.external": "false, as ever",
}
_COVERING = {ImportCode.IGNORED, ImportCode.UNSUPPORTED, ImportCode.SECRET_LEFT_OUT}


def keys(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key and of every item."""
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in entries:
        yield (*path, str(key))
        yield from keys(item, (*path, str(key)))


def without(content: Any, path: tuple[str, ...]) -> Any:
    made = copy.deepcopy(content)
    *way, last = path
    inner = made
    for step in way:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    del inner[int(last) if isinstance(inner, list) else last]
    return made


def drawn(imported: Imported) -> list[Any]:
    """Everything but ids and positions."""
    kinds = {node.type.value for node in imported.canvas.nodes.values()}
    images = sorted(getattr(node.data, "image", "") for node in imported.canvas.nodes.values())
    return [imported.name, images, *((kind, nodes(imported, kind)) for kind in sorted(kinds))]


def is_noted(path: tuple[str, ...]) -> bool:
    return any(
        note.path == path or (note.code in _COVERING and note.path == path[: len(note.path)])
        for note in WHOLE.notes
    )


def is_told(path: tuple[str, ...]) -> bool:
    """Whether it says nothing, or there is a note about it, or about everything in it."""
    if any(".".join(path[:i]) in SAYS_NOTHING for i in range(1, len(path) + 1)) or is_noted(path):
        return True
    inner = [key for key in keys(CONTENT) if key[: len(path)] == path and len(key) > len(path)]
    return bool(inner) and all(is_told(key) for key in inner if len(key) == len(path) + 1)


@pytest.mark.parametrize("path", list(keys(CONTENT)), ids=".".join)
def test_a_key_is_carried_over_or_has_a_note(path: tuple[str, ...]) -> None:
    if is_told(path):
        return
    rest = without(CONTENT, path)
    assert drawn(read(written(rest), **GIVEN)) != drawn(WHOLE)


def test_writing_it_anew_changes_nothing() -> None:
    """Else the comparison above would find a difference whatever is left out."""
    assert drawn(read(written(CONTENT), **GIVEN)) == drawn(WHOLE)


def test_what_says_nothing_is_in_the_file() -> None:
    assert set(SAYS_NOTHING) <= {".".join(path) for path in keys(CONTENT)}


@pytest.mark.parametrize(
    "path",
    [
        ("unknown",),
        ("services", "web", "unknown"),
        ("services", "web", "deploy", "unknown"),
        ("services", "web", "deploy", "resources", "limits", "unknown"),
        ("services", "web", "deploy", "update_config", "unknown"),
        ("services", "web", "deploy", "restart_policy", "unknown"),
        ("services", "web", "deploy", "placement", "unknown"),
        ("services", "web", "healthcheck", "unknown"),
        ("services", "web", "ports", "0", "unknown"),
        ("services", "web", "volumes", "0", "unknown"),
        ("services", "web", "volumes", "0", "volume", "unknown"),
        ("services", "web", "configs", "0", "unknown"),
        ("services", "web", "secrets", "0", "unknown"),
        ("services", "web", "env_file", "0", "unknown"),
        ("services", "web", "networks", "front", "unknown"),
        ("services", "second", "extends", "unknown"),
        ("volumes", "data", "unknown"),
        ("secrets", "token", "unknown"),
        ("configs", "settings", "unknown"),
        ("include", "0", "unknown"),
    ],
    ids=".".join,
)
def test_a_key_that_nobody_knows_has_a_note(path: tuple[str, ...]) -> None:
    content = copy.deepcopy(CONTENT)
    inner: Any = content
    for step in path[:-1]:
        inner = inner[int(step)] if isinstance(inner, list) else inner[step]
    inner[path[-1]] = "anything"
    result = read(written(content), **GIVEN)
    assert [n.code for n in result.notes if n.path == path] == [ImportCode.IGNORED]
    assert drawn(result) == drawn(WHOLE)


def test_extensions_are_passed_over_everywhere() -> None:
    plain = read(service(deploy={"resources": {"limits": {}}}))
    text = service(
        **{"x-a": 1, "deploy": {"x-b": 2, "resources": {"x-c": 3, "limits": {"x-d": 4}}}}
    )
    assert notes(read(text)) == notes(plain) == []
    assert drawn(read(text)) == drawn(plain)
