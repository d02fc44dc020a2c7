"""`metadata.managedFields`, read and written, and the errors that name its managers.

Follows apimachinery's `managedfields`.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from app.sandbox.objects import Object
from app.sandbox.ownership.fieldset import FieldSet, Path, to_text
from app.sandbox.ownership.typed import Mistake

APPLY, UPDATE = "Apply", "Update"


class Manager(NamedTuple):
    """Whose entry it is. `version` is empty for an apply: it has one entry for all versions."""

    name: str
    operation: str
    version: str
    subresource: str

    def __str__(self) -> str:
        """As conflicts name it: `"kubectl-edit" using apps/v1`."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.version}" if self.operation == UPDATE else text


class Conflict(NamedTuple):
    manager: Manager
    path: Path

    @property
    def field(self) -> str:
        """`.spec.template.spec.containers[name="web"].image`"""
        return to_text(self.path)


class Conflicts(Exception):
    """Others own fields with other values. str() is the message of the 409."""

    def __init__(self, conflicts: list[Conflict]) -> None:
        self.conflicts = sorted(conflicts, key=lambda conflict: conflict.manager)
        super().__init__(self.message())

    def message(self) -> str:
        if len(self.conflicts) == 1:
            only = self.conflicts[0]
            return f"Apply failed with 1 conflict: conflict with {only.manager}: {only.field}"
        lines = []
        for manager in dict.fromkeys(conflict.manager for conflict in self.conflicts):
            lines.append(f"conflicts with {manager}:")
            lines += [f"- {other.field}" for other in self.conflicts if other.manager == manager]
        return f"Apply failed with {len(self.conflicts)} conflicts: " + "\n".join(lines)

    @property
    def causes(self) -> list[dict[str, str]]:
        """For the Status: details.causes."""
        return [
            {
                "reason": "FieldManagerConflict",
                "message": f"conflict with {conflict.manager}",
                "field": conflict.field,
            }
            for conflict in self.conflicts
        ]


class TypedError(Exception):
    """The body cannot be typed. str() is the message that an API server sends, with a 500."""

    def __init__(self, obj: Object, found: list[Mistake], which: str = "patch") -> None:
        self.mistakes = found
        texts = [f"{path}: {wrong}" if path else wrong for path, wrong in found]
        text = texts[0] if len(texts) == 1 else "\n".join(["errors:", *(f"  {t}" for t in texts)])
        super().__init__(f"failed to create typed {which} object ({named(obj)}): {text}")


class MalformedEntries(ValueError):
    """managedFields that cannot be read. str() says why."""


def named(obj: Object) -> str:
    """`default/web; apps/v1, Kind=Deployment`, as Go prints an object in errors."""
    meta = obj.get("metadata") or {}
    version = obj.get("apiVersion", "")
    version = version if "/" in version else f"/{version}"
    name, namespace = meta.get("name", ""), meta.get("namespace", "")
    return f"{namespace}/{name}; {version}, Kind={obj.get('kind', '')}"


@dataclass(slots=True)
class Entry:
    version: str
    paths: FieldSet


@dataclass(slots=True)
class Managed:
    """metadata.managedFields, read."""

    entries: dict[Manager, Entry] = field(default_factory=dict)
    times: dict[Manager, str] = field(default_factory=dict)

    @classmethod
    def read(cls, obj: Object) -> "Managed":
        """MalformedEntries if an entry is none."""
        managed = cls()
        for entry in (obj.get("metadata") or {}).get("managedFields") or []:
            if not isinstance(entry, dict):
                raise MalformedEntries("an entry of managed fields must be an object")
            if entry.get("operation") not in (APPLY, UPDATE):
                raise MalformedEntries("operation must be `Apply` or `Update`")
            texts = [
                entry.get(name) or "" for name in ("apiVersion", "manager", "subresource", "time")
            ]
            if not texts[0] or not all(isinstance(text, str) for text in texts):
                raise MalformedEntries("apiVersion must not be empty")
            if entry.get("fieldsType") != "FieldsV1":
                raise MalformedEntries("fieldsType must be FieldsV1")
            try:
                paths = FieldSet.from_fields_v1(entry.get("fieldsV1") or {})
            except (ValueError, AttributeError, TypeError) as wrong:
                raise MalformedEntries(f"error decoding set: {wrong}") from wrong
            version, operation = entry["apiVersion"], entry["operation"]
            manager = manager_of(
                entry.get("manager", ""), operation, version, entry.get("subresource", "")
            )
            managed.entries[manager] = Entry(version, paths)
            if entry.get("time"):
                managed.times[manager] = entry["time"]
        return managed

    def write(self, obj: Object) -> Object:
        """A copy of the object with these entries. Sorted as an API server sorts them."""
        written = []
        for manager, entry in self.entries.items():
            made = {
                "manager": manager.name,
                "operation": manager.operation,
                "apiVersion": entry.version,
                "time": self.times.get(manager, ""),
                "fieldsType": "FieldsV1",
                "fieldsV1": entry.paths.to_fields_v1(),
                "subresource": manager.subresource,
            }
            written.append({key: value for key, value in made.items() if value != ""})
        order = ("operation", "time", "manager", "apiVersion", "subresource")
        written.sort(key=lambda made: [str(made.get(key, "")) for key in order])
        meta = {key: its for key, its in obj.get("metadata", {}).items() if key != "managedFields"}
        if written:
            meta["managedFields"] = written
        return {**obj, "metadata": meta}

    def drop_empty(self) -> None:
        self.entries = {manager: entry for manager, entry in self.entries.items() if entry.paths}


def manager_of(name: str, operation: str, version: str, subresource: str | None) -> Manager:
    return Manager(
        name or "unknown", operation, "" if operation == APPLY else version, subresource or ""
    )
