"""`kubeorch import FILE`: manifests or a compose file as a workflow, without a server.

What comes out is what `kubeorch compile` reads, and what the API takes for nodes and edges.
"""

import argparse
import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.domain.errors import DomainError, Invalid
from app.domain.importing.compose import read_compose
from app.domain.importing.imported import Imported
from app.domain.importing.manifests import read_manifests
from app.domain.importing.source import Dialect, documents
from app.domain.reading import LIMITS
from app.domain.writing import write_canvas
from app.settings import Settings

MOST_BYTES = 2**20
"""The largest file that is read beside a compose file; larger ones are data, not settings."""
MOST_FILES = 200


def parser() -> argparse.ArgumentParser:
    """The file, what it is, and what a compose file needs to know."""
    made = argparse.ArgumentParser(
        prog="kubeorch import",
        description="Print a workflow, as JSON, of Kubernetes manifests (YAML or JSON) or of a "
        "compose file. What is not carried over goes to the error output. Values of secrets are "
        "left out. `kubeorch import FILE | kubeorch compile -` shows what would be deployed.",
    )
    made.add_argument("file", help="the file; - reads the standard input")
    made.add_argument(
        "--from",
        dest="form",
        choices=["auto", "manifests", "compose"],
        default="auto",
        help="what the file holds; auto (default) looks",
    )
    made.add_argument("--name", help="the workflow's name; otherwise the source's own")
    made.add_argument("--namespace", help="the workflow's namespace; otherwise the source's own")
    made.add_argument(
        "--profile", action="append", default=[], help="a compose profile to take; repeat for more"
    )
    made.add_argument("--env-file", help="variables of a compose file; otherwise .env beside it")
    return made


def run(arguments: argparse.Namespace, _settings: Settings) -> int:
    """Print the workflow; 1 when the file cannot be read."""
    try:
        imported = _imported(arguments)
    except OSError as error:
        return _failed(f"{error.filename or arguments.file}: {error.strerror}")
    except UnicodeDecodeError:
        return _failed(f"{arguments.file} is no text in UTF-8.")
    except Invalid as error:
        for problem in error.problems:
            _failed(": ".join([*_place(problem.path), problem.message]))
        return 1
    except DomainError as error:
        return _failed(error.message)
    workflow = {
        "name": arguments.name or imported.name or _stem(arguments.file),
        "namespace": arguments.namespace or imported.namespace or "default",
        **write_canvas(imported.canvas),
    }
    print(json.dumps(workflow, indent=2, ensure_ascii=False))
    for note in imported.notes:
        print(f"{note.code.value}: {'.'.join(note.path)}: {note.message}", file=sys.stderr)
    return 0


def _imported(arguments: argparse.Namespace) -> Imported:
    text = _read(arguments.file)
    ids = (f"-{number}" for number in itertools.count(1))
    if arguments.form == "manifests" or (arguments.form == "auto" and not _is_compose(text)):
        return read_manifests(text, limits=LIMITS, new_id=lambda prefix: prefix + next(ids))
    folder = Path(arguments.file).resolve().parent if arguments.file != "-" else Path.cwd()
    files = dict(_files_beside(folder, text))
    if arguments.env_file:
        files[".env"] = _read(arguments.env_file)
    return read_compose(
        text,
        files=files,
        variables=dict(os.environ),
        profiles=arguments.profile,
        limits=LIMITS,
        new_id=lambda prefix: prefix + next(ids),
    )


def _is_compose(text: str) -> bool:
    """Whether it says what compose files say and no object of Kubernetes does."""
    first = next((each for each in documents(text, Dialect.COMPOSE) if each is not None), None)
    return (
        isinstance(first, Mapping)
        and "apiVersion" not in first
        and ("services" in first or "include" in first)
    )


def _files_beside(folder: Path, text: str) -> Iterator[tuple[str, str]]:
    """The files that a compose file names, and those that they name, from its own folder down."""
    waiting, seen = [".env", *_words(text)], set[str]()
    while waiting and len(seen) < MOST_FILES:
        word = waiting.pop(0)
        for path in _inside(folder, word):
            name = path.relative_to(folder).as_posix()
            if name in seen:
                continue
            seen.add(name)
            content = path.read_bytes()
            if len(content) <= MOST_BYTES:
                decoded = content.decode("utf-8-sig", errors="replace")
                yield name, decoded
                if path.suffix in {".yaml", ".yml"}:
                    beside = path.parent.relative_to(folder)
                    waiting += [(beside / each).as_posix() for each in _words(decoded)]


def _words(text: str) -> Iterator[str]:
    """Everything in a YAML text that may be a path; nothing when it is no YAML."""
    try:
        waiting: list[Any] = documents(text, Dialect.COMPOSE)
    except Invalid:
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and len(value) <= 1024:
            yield value
            if ":" in value:
                yield value.partition(":")[0]


def _inside(folder: Path, word: str) -> Iterator[Path]:
    """The file, or the files right in the folder, that a word names; none outside of `folder`."""
    try:
        path = (folder / word).resolve()
        if path == folder or not path.is_relative_to(folder):
            return
        found = sorted(path.iterdir()) if path.is_dir() else [path]
        for each in found:
            if each.is_file() and each.resolve().is_relative_to(folder):
                yield each
    except (OSError, ValueError):
        return


def _read(file: str) -> str:
    given = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    return given.decode("utf-8-sig")


def _stem(file: str) -> str:
    return "imported" if file == "-" else Path(file).stem


def _place(path: tuple[str, ...]) -> list[str]:
    """Where a problem is; the whole content needs no name."""
    return [".".join(path)] if path and path != ("content",) else []


def _failed(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1
