"""Kubernetes manifests read as a canvas: the inverse of `app.domain.compile`.

Every kind has a reader, the inverse of the node kind's `manifests`. What a canvas becomes is read
back as that canvas; what anybody else has written becomes the nearest canvas, with a note for every
place that it does not carry.
"""

from collections.abc import Callable, Iterable, Iterator

from pydantic import TypeAdapter, ValidationError

from app.domain import labels
from app.domain.canvas import Canvas
from app.domain.editing import EdgeDraft, Limits, NodeDraft, draw
from app.domain.errors import Invalid, LimitExceeded
from app.domain.fields import Namespace
from app.domain.importing.imported import ImportCode, Imported, ImportNote
from app.domain.importing.manifests.form import Form, Unfit
from app.domain.importing.manifests.kinds import readers
from app.domain.importing.manifests.metadata import fitting_name
from app.domain.importing.manifests.objects import Source, shown, sources
from app.domain.importing.manifests.reporting import in_order, report
from app.domain.importing.manifests.scene import (
    Arrow,
    Reading,
    Scene,
    is_workload,
)
from app.domain.importing.source import Dialect, documents
from app.domain.layout import layered
from app.domain.node import Position
from app.domain.nodes import NODE_KINDS
from app.domain.nodes.statefulset import own_service

__all__ = ["MOST_NOTES", "read_manifests"]

MOST_NOTES = 1_000
"""Notes that are told; one more then says how many there are besides."""
_NAMESPACE = TypeAdapter[str](Namespace)
_ENV_PREFIX = "env-"
_OBJECTS_EACH = 4
"""Objects for a node, with those that it makes besides and those that no node stands for."""


def read_manifests(text: str, *, limits: Limits, new_id: Callable[[str], str]) -> Imported:
    """The canvas of YAML of many documents, of JSON, or of lists of objects.

    Raises Invalid (no YAML, or no object in it) and LimitExceeded.
    """
    found, notes = sources(documents(text, Dialect.KUBERNETES, path=("content",)))
    if not found:
        message = "There is no Kubernetes object in it: it needs apiVersion, kind and a name."
        raise Invalid.field(("content",), message)
    if len(found) > _OBJECTS_EACH * limits.nodes:
        raise LimitExceeded(
            f"A workflow holds at most {limits.nodes} nodes, and this has {len(found)} objects.",
            limit=limits.nodes,
            path=("content",),
        )
    scene = Scene(found)
    notes += _read_all(scene, limits, new_id)
    arrows: list[Arrow] = []
    for reading in list(scene.readings.values()):
        _, reader = readers()[reading.source.group, reading.source.kind]
        try:
            arrows += reader.link(reading, scene)
        except Unfit as error:
            scene.remove(reading)
            notes.append(_refused(reading.source, reading.form, error))
    canvas = _drawn(scene, arrows, limits, new_id)
    notes += report(canvas, scene)
    return Imported(
        canvas=canvas,
        notes=_bounded(in_order(notes)),
        name=_name(scene),
        namespace=_valid_namespace(scene.namespace),
    )


def _read_all(scene: Scene, limits: Limits, new_id: Callable[[str], str]) -> Iterator[ImportNote]:
    """Makes a node of every object that is one; the notes of the others."""
    workloads: dict[tuple[str | None, str | None], Source] = {
        (source.workflow, source.node): source
        for source in reversed(scene.sources)
        if source.workflow is not None and is_workload(source)
    }
    folded: list[tuple[Source, Source]] = []
    seen: dict[tuple[str, str, str | None, str], Source] = {}
    for source in scene.sources:
        twin = seen.setdefault(
            (source.group, source.kind, scene.where(source), source.name), source
        )
        owner = workloads.get((source.workflow, source.node))
        if twin is not source:
            message = f"The same object is there already: {'.'.join(twin.path)}."
            yield ImportNote(ImportCode.IGNORED, source.path, message)
        elif owner is not None and _is_made_by(source, owner):
            folded.append((source, owner))
        else:
            yield from _read_one(source, scene, limits, new_id)
    by_source = {id(reading.source): reading for reading in scene.readings.values()}
    for source, owner in folded:
        if (reading := by_source.get(id(owner))) is not None:
            reading.folded.append(source)
        else:
            message = f"It belongs to the {owner.kind} {shown(owner.name)}, which is not read."
            yield ImportNote(ImportCode.UNSUPPORTED, source.path, message)


def _is_made_by(source: Source, owner: Source) -> bool:
    """Whether a workload makes the object by itself."""
    if source.group or source is owner:
        return False
    if source.kind == "Secret":
        return source.name.startswith(_ENV_PREFIX)
    return (
        source.kind == "Service"
        and owner.kind == "StatefulSet"
        and source.name == own_service(owner.name)
    )


def _read_one(
    source: Source, scene: Scene, limits: Limits, new_id: Callable[[str], str]
) -> Iterator[ImportNote]:
    known = readers().get((source.group, source.kind))
    if known is None:
        word = f"{shown(source.kind)} of {shown(source.written_as)}"
        message = f"No kind of node stands for a {word}."
        yield ImportNote(ImportCode.UNSUPPORTED, source.path, message)
        return
    if len(scene.readings) >= limits.nodes:
        raise LimitExceeded(
            f"A workflow holds at most {limits.nodes} nodes, and this has more objects.",
            limit=limits.nodes,
            path=("content",),
        )
    type_, reader = known
    form = Form(source.object)
    model = NODE_KINDS[type_].data
    try:
        reader.read(form, source, scene)
        form.values["name"] = fitting_name(model, source.name)
        data = form.read(model)
    except Unfit as error:
        yield _refused(source, form, error)
        return
    node_id = source.node if source.workflow is not None else None
    if node_id in scene.readings:
        node_id = None
    while node_id is None or node_id in scene.readings:
        node_id = new_id("node")
    scene.add(Reading(source, node_id, type_, data, form))


def _refused(source: Source, form: Form, error: Unfit) -> ImportNote:
    place = ".".join(map(shown, form.origin(error.loc)))
    message = f"It cannot be read. {place + ': ' if place else ''}{error.message}"
    return ImportNote(ImportCode.UNSUPPORTED, source.path, message)


def _drawn(
    scene: Scene, arrows: Iterable[Arrow], limits: Limits, new_id: Callable[[str], str]
) -> Canvas:
    # An edge to its governing Service comes first: a StatefulSet takes the first that is headless.
    wanted = sorted(dict.fromkeys(arrows), key=lambda arrow: not _governs(arrow, scene))
    places = layered(list(scene.readings), [(arrow.source, arrow.target) for arrow in wanted])
    # What edges make is in the order of their ids.
    ids = sorted(new_id("edge") for _ in wanted)
    return draw(
        [
            NodeDraft(reading.data, id_, Position(x=places[id_][0], y=places[id_][1]))
            for id_, reading in scene.readings.items()
        ],
        [
            EdgeDraft(arrow.source, arrow.target, id_, arrow.handle)
            for arrow, id_ in zip(wanted, ids, strict=True)
        ],
        limits=limits,
        new_id=new_id,
    )


def _governs(arrow: Arrow, scene: Scene) -> bool:
    source, target = scene.readings[arrow.source], scene.readings[arrow.target]
    named = getattr(target.data, "service_name", None) or own_service(target.data.name)
    return source.data.name == named


def _name(scene: Scene) -> str | None:
    """What the source calls the application: the recommended labels say it."""
    for key in (labels.PART_OF, labels.INSTANCE):
        names = [s.labels[key] for s in scene.sources if key in s.labels and not s.workflow]
        if not names and key == labels.PART_OF:
            names = sorted(scene.part_of)
        if names:
            return max(dict.fromkeys(names), key=names.count) or None
    return None


def _valid_namespace(namespace: str | None) -> str | None:
    try:
        return None if namespace is None else _NAMESPACE.validate_python(namespace)
    except ValidationError:
        return None


def _bounded(notes: list[ImportNote]) -> list[ImportNote]:
    if len(notes) <= MOST_NOTES:
        return notes
    more = f"There are {len(notes) - MOST_NOTES} more places that are not carried over."
    return [*notes[:MOST_NOTES], ImportNote(ImportCode.IGNORED, ("documents",), more)]
