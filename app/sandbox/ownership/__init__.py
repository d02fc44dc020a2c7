"""Server-side apply, and what other writes leave in `metadata.managedFields`.

Follows apimachinery's `managedfields`: what it lays around structured-merge-diff (see `owners`).
"""

from app.sandbox.objects import Object
from app.sandbox.ownership.last_applied import KUBECTL, foreign, with_last_applied
from app.sandbox.ownership.managed import (
    APPLY,
    UPDATE,
    Conflicts,
    MalformedEntries,
    Managed,
    TypedError,
    manager_of,
)
from app.sandbox.ownership.owners import Owners, reset_fields
from app.sandbox.ownership.typed import mistakes
from app.sandbox.schemas import TypeSchema, builtin

__all__ = ["Conflicts", "TypedError", "apply", "record_update"]

# Who owns what an object held that had no entries when it was first applied.
UNTRACKED = "before-first-apply"
STRUCTS = frozenset(
    ("metadata", "spec", "status", "template", "strategy", "updateStrategy", "jobTemplate")
)


def apply(
    live: Object | None,
    config: Object,
    *,
    manager: str,
    force: bool,
    schema: TypeSchema,
    now: str,
    subresource: str | None = None,
    has_status: bool = True,
) -> Object:
    """The object after a server-side apply of `config`, metadata.managedFields included.

    live         None: create
    now          RFC 3339, whole seconds, Z: the time of the manager's entry if something changes
    has_status   whether the kind has a `status` subresource, so that a main write owns no status

    Neither argument is changed, but the result shares parts with them. When it equals `live`,
    nothing changed: store nothing. An entry has no time when its manager
    applied values that were there already.

    Defaults, uid and the like are laid over the result; nobody owns them. Checked elsewhere:
    apiVersion, kind and name against the URL, resourceVersion, managedFields in the body.

    Conflicts: others own fields with other values, and force is off. TypedError: fields of the
    config are unknown or of wrong type, or list items repeat a key.
    """
    if found := list(mistakes(config, schema)):
        raise TypedError(config, found)
    empty = {"apiVersion": config.get("apiVersion", ""), "kind": config.get("kind", "")}
    current = empty if live is None else live
    if found := list(mistakes(current, schema, duplicates=True)):
        raise TypedError(current, found, which="live")

    def attempt(force: bool) -> Object:
        managed = known_entries(current)
        owners = Owners(managed, schema, reset_fields(schema, subresource, has_status))
        version = str(config.get("apiVersion", ""))
        if live is not None and not managed.entries:
            before = baseline(empty, live, schema)
            owners.update(before, live, manager_of(UNTRACKED, UPDATE, version, subresource), now)
        me = manager_of(manager, APPLY, version, subresource)
        return owners.apply(current, config, me, force=force, now=now)

    try:
        applied = attempt(force)
    except Conflicts as conflicts:
        if manager != KUBECTL or live is None:
            raise
        if left := foreign(conflicts.conflicts, live, schema):
            raise Conflicts(left) from conflicts
        applied = attempt(force=True)
    return with_last_applied(applied, config) if manager == KUBECTL else applied


def record_update(
    before: Object | None,
    after: Object,
    *,
    manager: str,
    schema: TypeSchema,
    now: str,
    subresource: str | None = None,
    has_status: bool = True,
) -> Object:
    """`after` with the managedFields that a POST (`before` None), PUT or PATCH leaves.

    Both sides defaulted and as they are to be stored, server-set fields included. What changed is
    the manager's; what is gone is nobody's. managedFields that were sent in `after` stand for the
    live ones (`[]` and `[{}]` forget all), but those sent to a subresource are ignored.
    """
    sent = (after.get("metadata") or {}).get("managedFields")
    empty = {"apiVersion": after.get("apiVersion", ""), "kind": after.get("kind", "")}
    old = before or empty
    managed = known_entries(old)
    if sent is not None and not subresource:
        managed = sent_entries(managed, after)
    if before is not None and not managed.entries:
        return managed.write(after)
    for side in (old, after):
        if any(mistakes(side, schema, duplicates=True)):
            return known_entries(old).write(after)
    owners = Owners(managed, schema, reset_fields(schema, subresource, has_status))
    version = str(after.get("apiVersion", ""))
    me = manager_of(manager, UPDATE, version, subresource)
    owners.update(baseline(old, after, schema), after, me, now)
    owners.forget_old_updates()
    return managed.write(after)


def known_entries(obj: Object) -> Managed:
    try:
        return Managed.read(obj)
    except MalformedEntries:
        return Managed()


def sent_entries(live: Managed, after: Object) -> Managed:
    if after["metadata"]["managedFields"] in ([], [{}]):
        return Managed()
    sent = known_entries(after)
    return sent if sent.entries else live


def baseline(old: Object, new: Object, schema: TypeSchema) -> Object:
    """With the structs that a built-in object always has, empty at least: nobody adds them."""
    known = builtin(str(new.get("apiVersion", "")), str(new.get("kind", "")))
    return with_structs(old, new, schema) if schema is known else old


def with_structs(old: Object, new: Object, schema: TypeSchema) -> Object:
    made = dict(old)
    for name in STRUCTS & new.keys() & schema.fields.keys():
        if isinstance(new[name], dict) and isinstance(made.setdefault(name, {}), dict):
            made[name] = with_structs(made[name], new[name], schema.fields[name])
    return made
