"""What a plugin is, and the files that say so."""

import enum
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a build of PyYAML without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]


class Scope(enum.StrEnum):
    """Whether an object belongs to a namespace or to the whole cluster."""

    NAMESPACED = "Namespaced"
    CLUSTER = "Cluster"


class FieldType(enum.StrEnum):
    """What a field holds. A list may be given as text with commas, a number as text."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LIST = "list"
    MAP = "map"
    JSON = "json"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PluginField(_Entry):
    """A field of a form. `path` is its place in the object; `format` wraps its text with `{}`."""

    id: str
    label: str
    type: FieldType = FieldType.TEXT
    path: str
    required: bool = False
    default: Any = None
    options: list[str] = Field(default_factory=list)
    format: str | None = None
    description: str | None = None


class PluginType(_Entry):
    """A custom resource. `base` is what every object of the type has."""

    id: str
    name: str
    group: str
    version: str
    kind: str
    plural: str
    scope: Scope = Scope.NAMESPACED
    description: str
    fields: list[PluginField] = Field(default_factory=list)
    base: dict[str, Any] = Field(default_factory=dict)
    scales: tuple[str, str] | None = None
    """The fields with kind and name of the workload whose number of pods it decides."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"


class Plugin(_Entry):
    """An operator, with the resources that it looks after."""

    id: str
    name: str
    category: str
    description: str
    types: list[PluginType]


@cache
def plugins() -> Mapping[str, Plugin]:
    """Every plugin by its id, by category and then as its file has them."""
    found: dict[str, Plugin] = {}
    folder = resources.files(__package__)
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".yaml"):
            continue
        listed = yaml.load(file.read_text("utf-8"), Loader=_Loader)  # noqa: S506: it is a safe one
        for entry in listed:
            plugin = Plugin(category=file.name.removesuffix(".yaml"), **entry)
            found[plugin.id] = plugin
    return found


def find(plugin_id: str, type_id: str | None) -> PluginType | None:
    """A type by its plugin and its own id, which a plugin with one type does not need."""
    plugin = plugins().get(plugin_id)
    if plugin is None:
        return None
    if type_id is None and len(plugin.types) == 1:
        return plugin.types[0]
    return next((kind for kind in plugin.types if kind.id == type_id), None)
