"""The owners of one object while it is written once: who gains, who loses, what goes with them.

Follows structured-merge-diff's `merge`, with one version a kind: entries that name another
apiVersion are read by the current type.
"""

from typing import Any

from app.sandbox.objects import Object, same
from app.sandbox.ownership.differences import compare, field_set, remove
from app.sandbox.ownership.fieldset import FIELD, KEY, FieldSet, fields
from app.sandbox.ownership.managed import (
    UPDATE,
    Conflict,
    Conflicts,
    Entry,
    Managed,
    Manager,
    manager_of,
)
from app.sandbox.ownership.merging import merge
from app.sandbox.schemas import ANY, TypeSchema

MAX_UPDATE_ENTRIES = 10
OLD_UPDATES = "ancient-changes"

# Fields that nobody owns.
NOBODYS = FieldSet()
for unowned in (
    *(("apiVersion",), ("kind",), ("metadata",)),
    *(
        ("metadata", name)
        for name in (
            *("name", "namespace", "creationTimestamp", "selfLink", "uid"),
            *("clusterName", "generation", "managedFields", "resourceVersion"),
        )
    ),
):
    NOBODYS.add(fields(*unowned))


def reset_fields(schema: TypeSchema, subresource: str | None, has_status: bool) -> FieldSet:
    """Fields that a write through this subresource leaves alone, so that it owns none of them."""
    reset = FieldSet()
    if subresource == "status":
        for name in schema.fields:
            if name not in ("metadata", "status"):
                reset.add(fields(name))
        reset.add(fields("metadata", "labels"))
    elif not subresource and has_status:
        reset.add(fields("status"))
    return reset


class Owners:
    """The owners of one object while it is written once."""

    def __init__(self, managed: Managed, schema: TypeSchema, reset: FieldSet) -> None:
        self.managed = managed
        self.schema = schema
        self.reset = reset
        for entry in managed.entries.values():
            entry.paths = reconciled(entry.paths, schema)

    def apply(self, live: Object, config: Object, me: Manager, *, force: bool, now: str) -> Object:
        entries = self.managed.entries
        last = entries.get(me)
        version = str(config.get("apiVersion", ""))
        entries[me] = Entry(version, field_set(config, self.schema).without(self.reset))
        merged = merge(live, config, self.schema)
        dropped = last and last.paths - entries[me].paths
        new = self.prune(merged, last.paths) if last and dropped else merged
        self.give(live, new, me, force)
        if me in entries:
            entries[me].paths -= NOBODYS
        self.managed.drop_empty()
        if same(live, new):
            return self.managed.write(live)
        self.managed.times[me] = now
        return self.managed.write(new)

    def update(self, old: Object, new: Object, me: Manager, now: str) -> None:
        gained = self.give(bare(old), bare(new), None, force=True) - NOBODYS
        if gained:
            before = self.managed.entries.get(me)
            paths = gained | before.paths if before else gained
            self.managed.entries[me] = Entry(str(new.get("apiVersion", "")), paths)
            self.managed.times[me] = now

    def give(self, old: Object, new: Object, me: Manager | None, force: bool) -> FieldSet:
        """Takes from the others what changed; the paths that changed. Conflicts unless forced."""
        found = compare(old, new, self.schema)
        changed = (found.modified | found.added).without(self.reset)
        removed = found.removed.without(self.reset)
        others = {name: its for name, its in self.managed.entries.items() if name != me}
        lost = {name: its.paths & changed for name, its in others.items()}
        conflicts = [Conflict(name, path) for name, paths in lost.items() for path in paths]
        if conflicts and not force:
            raise Conflicts(conflicts)
        for name, entry in others.items():
            entry.paths = entry.paths - lost[name] - removed
        self.managed.drop_empty()
        return changed

    def prune(self, merged: Object, last: FieldSet) -> Object:
        """Without what the manager owned last, does not send any more, and nobody else owns."""
        schema = self.schema
        last = with_named(last, schema)
        owned = FieldSet()
        for entry in self.managed.entries.values():
            owned = owned | entry.paths
        owned = with_named(owned, schema)
        all_paths = with_named(field_set(merged, schema), schema)
        without_last = with_named(field_set(remove(merged, last, schema), schema), schema)
        kept = remove(merged, all_paths - (without_last | owned), schema)
        dangling = all_paths - with_named(field_set(kept, schema), schema)
        return settled(merged, remove(merged, dangling & last, schema)) or {}

    def forget_old_updates(self) -> None:
        """Update entries above the limit become one, the oldest first."""
        times = self.managed.times
        entries = self.managed.entries
        updates = [manager for manager in entries if manager.operation == UPDATE]
        updates.sort(key=lambda manager: (times.get(manager, ""), manager))
        surplus = len(updates) - MAX_UPDATE_ENTRIES
        first: dict[str, Manager] = {}
        for manager in updates:
            if surplus <= 0:
                return
            bucket = manager_of(OLD_UPDATES, UPDATE, manager.version, None)
            if manager.version not in first:
                first[manager.version] = manager
                continue
            if bucket not in entries:
                entries[bucket] = entries.pop(first[manager.version])
            if manager != bucket:
                entries[bucket].paths |= entries.pop(manager).paths
            times[bucket] = times.get(manager, "")
            surplus -= 1


def bare(obj: Object) -> Object:
    meta = {key: its for key, its in obj.get("metadata", {}).items() if key != "managedFields"}
    return {**obj, "metadata": meta} if "metadata" in obj else obj


def with_named(paths: FieldSet, schema: TypeSchema | None) -> FieldSet:
    """With the fields of structs on the way to each path: they go when all below them goes."""
    grown = FieldSet(set(paths.members))
    for element, below in paths.children.items():
        kind, what = element
        inner = None
        if schema and kind == FIELD and schema.mapping:
            inner = schema.of(what)
            if what in schema.fields:
                grown.members.add(element)
        elif schema and kind == KEY:
            inner = schema.items
        grown.children[element] = with_named(below, inner)
    return grown


def reconciled(paths: FieldSet, schema: TypeSchema) -> FieldSet:
    """With one path for what has become atomic since the entry was written (a CRD was changed)."""
    made = FieldSet(set(paths.members))
    for element, below in paths.children.items():
        inner = schema.of(element[1]) if element[0] == FIELD and schema.mapping else schema.items
        if inner is None or inner is ANY:
            made.children[element] = below
        elif inner.atomic if inner.mapping else inner.items and inner.listing == "atomic":
            made.members.add(element)
        else:
            made.children[element] = reconciled(below, inner)
    return made


def settled(before: Any, after: Any) -> Any:
    """`after` without the nulls that removing left where something was."""
    if isinstance(after, dict) and isinstance(before, dict):
        return {
            name: settled(before.get(name), value)
            for name, value in after.items()
            if value is not None or before.get(name) is None
        }
    return after
