"""Custom resources of the catalogue read back into the form of their plugin.

The inverse of `app.domain.plugins.filling`: what a field of the form can say is said there, the
rest under `spec`.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from app.domain import plugins
from app.domain.importing.manifests.form import Form, Unfit
from app.domain.importing.manifests.metadata import read_metadata
from app.domain.importing.manifests.objects import Source
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Scene
from app.domain.plugins.filling import Step, parse_path

_ABOUT = {"apiVersion", "kind", "metadata", "status"}
_KINDS = {
    (kind.group, kind.kind): (plugin, kind)
    for plugin in plugins.plugins().values()
    for kind in plugin.types
}


def read(form: Form, source: Source, scene: Scene) -> None:
    plugin, kind = _KINDS[source.group, source.kind]
    read_metadata(form, source, scene)
    if kind.scope is plugins.Scope.CLUSTER:
        form.values.pop("namespace", None)
    form.values |= {
        "plugin_id": plugin.id,
        "plugin_category": plugin.category,
        "template_id": kind.id,
    }
    form.vital = ("fields",)
    form.put("fields", fields_of(kind, source.object), "spec")
    for key in _labels_of_the_form(kind, form.values["fields"]):
        # The form says it: a copy beside it would stay when the form changes.
        form.values.get("labels", {}).pop(key, None)
    _, faults = plugins.body_of(kind, form.values["fields"])
    for fault in faults:
        if fault.fatal:
            raise Unfit(("fields",), f"{fault.field}: {fault.says}")


def _labels_of_the_form(kind: plugins.PluginType, values: Mapping[str, Any]) -> Iterator[str]:
    for field in kind.fields:
        steps = parse_path(field.path) or []
        if field.id in values and steps[:2] == ["metadata", "labels"]:
            yield str(steps[-1])


def fields_of(kind: plugins.PluginType, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the form from which `body_of` makes the object's body again."""
    spec = copy.deepcopy(given.get("spec"))
    made: dict[str, Any] = {}
    for field in kind.fields:
        steps = parse_path(field.path) or []
        value = _found(given, steps)
        if value is None:
            continue
        said = _said(field, value)
        if said is not None or field.required:
            made[field.id] = value if said is None else said
            _remove({"spec": spec}, steps)
    if isinstance(spec, Mapping):
        made["spec"] = spec
    _leave_out(kind, given, made)
    return {key: value for key, value in made.items() if key != "spec" or value or len(made) == 1}


def _found(value: Any, steps: list[Step]) -> Any:
    for step in steps:
        if isinstance(step, int):
            inside = isinstance(value, list) and step < len(value)
            value = value[step] if inside else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _said(field: plugins.PluginField, value: Any) -> Any:
    """What the form says to make this value; None when it cannot."""
    said = value
    if field.format is not None and isinstance(value, str):
        before, _, after = field.format.partition("{}")
        if not (value.startswith(before) and value.endswith(after)):
            return None
        said = value[len(before) : len(value) - len(after)]
    alone = field.model_copy(update={"default": None, "required": False})
    kind = plugins.PluginType(
        id="x", name="x", group="x", version="x", kind="x", plural="x", description="",
        fields=[alone],
    )  # fmt: skip
    body, faults = plugins.body_of(kind, {field.id: said})
    made = _found(body, parse_path(field.path) or [])
    return said if not faults and type(made) is type(value) and made == value else None


def _remove(value: Any, steps: list[Step]) -> None:
    """Takes a value away, and what is empty without it; parts of lists keep their places."""
    if any(isinstance(step, int) for step in steps):
        return
    while steps:
        inside = _found(value, steps[:-1])
        if not isinstance(inside, dict):
            return
        inside.pop(steps[-1], None)
        if inside:
            return
        steps = steps[:-1]


def _leave_out(kind: plugins.PluginType, given: Mapping[str, Any], made: dict[str, Any]) -> None:
    """Says null where the plugin's own defaults would add what the source does not have."""
    body, _ = plugins.body_of(kind, made)
    spec = made.get("spec")
    if not isinstance(spec, dict):
        return
    for path in list(_more(body.get("spec"), given.get("spec"))):
        here = spec
        for step in path[:-1]:
            here = here.setdefault(step, {})
            if not isinstance(here, dict):
                break
        else:
            here[path[-1]] = None


def _more(body: Any, given: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not isinstance(body, Mapping) or not isinstance(given, Mapping):
        return
    for key, value in body.items():
        if given.get(key) is None:
            yield (*path, key)
        else:
            yield from _more(value, given[key], (*path, key))


READER = Reader(frozenset(_KINDS), read)
