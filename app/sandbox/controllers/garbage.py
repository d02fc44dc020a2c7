"""The garbage collector: what is owned goes with its last owner, before it, or stays behind."""

from app.sandbox.objects import Object, is_leaving, uid_of
from app.sandbox.resources import Resource
from app.sandbox.store import FOREGROUND, ORPHAN
from app.sandbox.world import Key, World, key_of
from app.sandbox.world.references import disown


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
        disown(world, key.resource, obj, dependent)
    world.release(resource, obj, ORPHAN)


def _foreground(world: World, resource: Resource, obj: Object) -> None:
    blocking = False
    for key, dependent in world.dependents(obj):
        blocks = _blocks(dependent, obj)
        if not is_leaving(dependent) and not _others(world, dependent, obj):
            _delete(world, key, dependent)
        live = world.at(key)
        blocking |= blocks and live is not None and uid_of(live) == uid_of(dependent)
    if not blocking:
        world.release(resource, obj, FOREGROUND)


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
    _delete(world, key_of(resource, obj), obj)


def _delete(world: World, key: Key, obj: Object) -> None:
    """What has dependents that hold it back takes them along."""
    waits = any(_blocks(each, obj) for _, each in world.dependents(obj))
    owners = obj["metadata"].get("ownerReferences") or ()
    foreground = waits and any(
        (owner := _owner(world, obj, each)) is not None and _waits(owner) for each in owners
    )
    world.delete(key.resource, obj, propagation="Foreground" if foreground else None)
