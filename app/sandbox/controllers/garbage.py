"""The garbage collector: what is owned goes with its last owner, before it, or stays behind."""

from app.sandbox.resources import Resource
from app.sandbox.store import FOREGROUND, ORPHAN, Object
from app.sandbox.world import Key, World, is_leaving, uid_of


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Do for an object what its finalizers ask, and ask whether its owners are still there."""
    finalizers = obj["metadata"].get("finalizers") or ()
    if is_leaving(obj):
        if ORPHAN in finalizers:
            _orphan(world, resource, obj)
            return
        if FOREGROUND in finalizers:
            _foreground(world, resource, obj)
            return
    if obj["metadata"].get("ownerReferences"):
        _ask_owners(world, resource, obj)


def _orphan(world: World, resource: Resource, obj: Object) -> None:
    for key, dependent in world.dependents(obj):
        kept = [r for r in dependent["metadata"]["ownerReferences"] if r["uid"] != uid_of(obj)]
        world.annotate(key.resource, dependent, ownerReferences=kept or None)
    _release(world, resource, obj, ORPHAN)


def _foreground(world: World, resource: Resource, obj: Object) -> None:
    blocking = False
    for key, dependent in world.dependents(obj):
        blocks = _blocks(dependent, obj)
        if not is_leaving(dependent) and not _others(world, dependent, obj):
            _delete(world, key, dependent)
        live = world.at(key)
        blocking |= blocks and live is not None and uid_of(live) == uid_of(dependent)
    if not blocking:
        _release(world, resource, obj, FOREGROUND)


def _blocks(dependent: Object, owner: Object) -> bool:
    return any(
        reference["uid"] == uid_of(owner) and reference.get("blockOwnerDeletion")
        for reference in dependent["metadata"]["ownerReferences"]
    )


def _others(world: World, dependent: Object, owner: Object) -> bool:
    """Whether somebody else, who stays, owns it too."""
    return any(
        reference["uid"] != uid_of(owner) and _stays(world, dependent, reference)
        for reference in dependent["metadata"]["ownerReferences"]
    )


def _stays(world: World, obj: Object, reference: Object) -> bool:
    owner = _owner(world, obj, reference)
    return owner is not None and not _waits(owner)


def _owner(world: World, obj: Object, reference: Object) -> Object | None:
    key = world.lives(str(reference.get("uid")))
    if key is None or (key.namespace and key.namespace != obj["metadata"].get("namespace")):
        return None
    return world.at(key) if key.resource.kind == reference.get("kind") else None


def _waits(owner: Object) -> bool:
    """Whether an owner waits for its dependents to go."""
    return is_leaving(owner) and FOREGROUND in (owner["metadata"].get("finalizers") or ())


def _ask_owners(world: World, resource: Resource, obj: Object) -> None:
    references = obj["metadata"]["ownerReferences"]
    staying = [each for each in references if _stays(world, obj, each)]
    if len(staying) == len(references):
        return
    if staying:
        world.annotate(resource, obj, ownerReferences=staying)
        return
    if is_leaving(obj):
        return
    _delete(
        world, Key(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]), obj
    )


def _delete(world: World, key: Key, obj: Object) -> None:
    """What has dependents that hold it back takes them along."""
    waits = any(_blocks(each, obj) for _, each in world.dependents(obj))
    owners = obj["metadata"].get("ownerReferences") or ()
    foreground = waits and any(
        (owner := _owner(world, obj, each)) is not None and _waits(owner) for each in owners
    )
    world.delete(key.resource, obj, propagation="Foreground" if foreground else None)


def _release(world: World, resource: Resource, obj: Object, finalizer: str) -> None:
    live = world.at(Key(resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]))
    if live is None or uid_of(live) != uid_of(obj):
        return
    kept = [name for name in live["metadata"].get("finalizers") or () if name != finalizer]
    world.annotate(resource, live, finalizers=kept or None)
