"""The report of an import: one note per place of the source that the canvas does not carry."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain.canvas import Canvas
from app.domain.compile import compile
from app.domain.importing.imported import ImportCode, ImportNote
from app.domain.importing.manifests.comparing import differences
from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.objects import Path, Source, mapping, shown
from app.domain.importing.manifests.scene import Reading, Scene

_NOBODY = "0" * 24
_SECRET = "The value is left out: give it when the workflow deploys."  # noqa: S105
_IGNORED = "A node does not say this: it is not carried over."
_CHANGED = "The objects of the canvas say something else here."

_HINTS: Mapping[str, str] = {
    "affinity": "A node has no affinity: choose machines by nodeSelector and tolerations.",
    "apiVersion": "The object is made in the API version that clusters serve today.",
    "annotations": "Pods of a node have no annotations.",
    "app": "The label `app` is the name of the workload.",
    "containers.name": "The container is called as its node.",
    "containers": "A node runs one container: draw another node, or build it into the image.",
    "defaultBackend": "An Ingress has paths only: add a path `/` for all other requests.",
    "emptyDir": "A node mounts ConfigMaps, Secrets and claims only.",
    "initContainers": "A node has no init containers: let the image do it, or draw a Job.",
    "instance": "The label names the workflow.",
    "lifecycle": "A node has no lifecycle hooks.",
    "managed-by": "The label names who keeps the objects.",
    "metadata.name": "The name is one that a node of this kind can have.",
    "podSelector": "Edges, or labels alone, say which pods are meant.",
    "replicas": "An autoscaler decides how many pods there are.",
    "selector": "Pods are found by labels of their own node, which outlast every rename.",
    "topologySpreadConstraints": "A node does not say how its pods are spread.",
    "volumeMounts": "A node mounts ConfigMaps, Secrets and claims only.",
    "volumes": "A node mounts ConfigMaps, Secrets and claims only.",
}
"""What to say of a place, by its last word."""


def report(canvas: Canvas, scene: Scene) -> Iterator[ImportNote]:
    """What differs between the sources that have become nodes and what the nodes make."""
    made = {
        (manifest.node_id, manifest.kind): manifest.object
        for manifest in compile(
            canvas,
            workflow_id=scene.workflow or _NOBODY,
            workflow_name=next(iter(sorted(scene.part_of)), "imported"),
            namespace=scene.namespace or "default",
        )
    }
    for reading in scene.readings.values():
        for source in (reading.source, *reading.folded):
            notes = _notes(source, reading, made.get((reading.node_id, source.kind)))
            yield from (
                ImportNote(
                    code, (*source.path, *map(shown, path)), message, node_id=reading.node_id
                )
                for code, path, message in notes
            )


_Note = tuple[ImportCode, Path, str]


def _notes(source: Source, reading: Reading, made: Mapping[str, Any] | None) -> Iterator[_Note]:
    main = source is reading.source
    firm = reading.form.firm if main else []
    if source.kind == "Secret" and not source.group:
        firm = [*firm, *_values(source)]
    yield from firm
    if made is None:
        yield ImportCode.IGNORED, (), "Nothing is made of it yet: see the problems of its node."
        return
    told = {path for _, path, _ in firm}
    told |= {path[:1] for code, path, _ in firm if code is ImportCode.SECRET_LEFT_OUT}
    form = reading.form if main else Form({})
    for path, code in differences(source, made):
        ways = [path[:end] for end in range(len(path), 0, -1)]
        if not told.isdisjoint(ways):
            continue
        other = next((way for way in ways if way in form.changed), None)
        if other is None:
            yield code, path, form.reason(path) or _message(path, code)
        else:
            told.add(other)
            yield ImportCode.CHANGED, other, form.changed[other]


def _values(source: Source) -> Iterator[_Note]:
    for part in ("data", "stringData"):
        for key in mapping(source.object.get(part)):
            yield ImportCode.SECRET_LEFT_OUT, (part, str(key)), _SECRET


def _message(path: Path, code: ImportCode) -> str:
    words = [step.rpartition("/")[2] for step in path if not step.isdecimal()]
    hint = _HINTS.get(".".join(words[-2:])) or _HINTS.get(words[-1])
    return hint or (_CHANGED if code is ImportCode.CHANGED else _IGNORED)


def in_order(notes: Sequence[ImportNote]) -> list[ImportNote]:
    """The notes as their objects stand in the source."""

    def place(note: ImportNote) -> tuple[int, ...]:
        return tuple(int(step) for step in note.path if step.isdecimal())[: _depth(note.path)]

    return sorted(notes, key=place)


def _depth(path: Path) -> int:
    """How many of a path's numbers lead to the object: one, and one more for every list."""
    depth = 1
    for step, following in zip(path[2::2], path[3::2], strict=False):
        if step != "items" or not following.isdecimal():
            break
        depth += 1
    return depth
