"""Kubernetes objects as a source has them: found in documents and lists, each with its place."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain import labels
from app.domain.importing.imported import ImportCode, ImportNote
from app.domain.importing.manifests.upgrading import upgraded

Path = tuple[str, ...]
Object = Mapping[str, Any]

_ID = re.compile(r"[A-Za-z0-9_-]{1,63}")


@dataclass(frozen=True, slots=True)
class Source:
    """An object, in the newest form of its kind; `written_as` is the API version that it names."""

    path: Path
    object: Object
    written_as: str
    kind: str
    group: str
    name: str
    namespace: str | None
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def workflow(self) -> str | None:
        """The id of the workflow that made the object, when one did."""
        if self.labels.get(labels.MANAGED_BY) != labels.MANAGER or self.node is None:
            return None
        return self.labels.get(labels.WORKFLOW_ID)

    @property
    def node(self) -> str | None:
        """The id of the node that the object says it belongs to."""
        id_ = self.labels.get(labels.NODE_ID, "")
        return id_ if _ID.fullmatch(id_) else None


def at(value: Any, *path: str) -> Any:
    """What lies below `value`; None where there is nothing, or something that has no parts."""
    for step in path:
        if isinstance(value, list):
            inside = step.isdecimal() and int(step) < len(value)
            value = value[int(step)] if inside else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The objects of a list with their indexes; other things are passed over."""
    if isinstance(value, list):
        yield from ((i, item) for i, item in enumerate(value) if isinstance(item, Mapping))


def texts(value: Any) -> dict[str, str]:
    """The entries of a map whose values are texts."""
    return {key: text for key, text in mapping(value).items() if isinstance(text, str)}


def shown(text: object) -> str:
    """A word of the source in a note: short, and nothing that a line cannot show."""
    return "".join(char if char.isprintable() else "?" for char in str(text)[:253])


def sources(documents: Sequence[Any]) -> tuple[list[Source], list[ImportNote]]:
    """The objects of all documents in order, and a note for everything that is none."""
    found: list[Source] = []
    notes: list[ImportNote] = []
    for i, document in enumerate(documents):
        for path, value in _unpacked(("documents", str(i)), document):
            source = _source(path, value)
            if source is not None:
                found.append(source)
            elif value not in (None, {}, []):
                message = "This is no Kubernetes object: it needs apiVersion, kind and a name."
                notes.append(ImportNote(ImportCode.UNSUPPORTED, path, message))
    return found, notes


def _unpacked(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    """The value itself, or what is in it when it is a list of objects."""
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _unpacked((*path, str(i)), item)
        return
    kind = at(value, "kind")
    inside = at(value, "items")
    if not (isinstance(kind, str) and kind.endswith("List") and isinstance(inside, list)):
        yield path, value
        return
    for i, item in enumerate(inside):
        typed = item
        if kind != "List" and isinstance(item, Mapping):
            typed = {"apiVersion": value.get("apiVersion"), "kind": kind[:-4], **item}
        yield from _unpacked((*path, "items", str(i)), typed)


def _source(path: Path, value: Any) -> Source | None:
    version, kind = at(value, "apiVersion"), at(value, "kind")
    metadata = mapping(at(value, "metadata"))
    name = metadata.get("name") or str(metadata.get("generateName") or "").rstrip("-.")
    if not all(isinstance(text, str) and text for text in (version, kind, name)):
        return None
    newest = upgraded(value)
    group, _, _ = newest["apiVersion"].rpartition("/")
    namespace = metadata.get("namespace")
    return Source(
        path=path,
        object=newest,
        written_as=version,
        kind=kind,
        group=group,
        name=name,
        namespace=namespace if isinstance(namespace, str) and namespace else None,
        labels=texts(metadata.get("labels")),
    )
