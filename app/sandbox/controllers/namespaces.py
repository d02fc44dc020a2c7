"""Namespaces: what everyone has, and the end of everything in one that goes."""

from app.sandbox.objects import Object, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.store import Event
from app.sandbox.world import Key, World
from app.sandbox.world.conditions import with_condition

_NO_CERTIFICATE = "# The sandbox cluster has no certificate authority: nothing runs in it.\n"

_AT_ONCE = 100
"""Objects deleted in one go, so that the loop is not held up."""

_CONDITIONS = (
    (
        "NamespaceDeletionDiscoveryFailure",
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Furnish a namespace, or empty it."""
    name = obj["metadata"]["name"]
    if not is_leaving(obj):
        place = {"namespace": name}
        if world.get("ServiceAccount", name, "default") is None:
            world.create(world.of("ServiceAccount"), {"metadata": {"name": "default", **place}})
        if world.get("ConfigMap", name, "kube-root-ca.crt") is None:
            metadata = {"name": "kube-root-ca.crt", **place}
            data = {"ca.crt": _NO_CERTIFICATE}
            world.create(world.of("ConfigMap"), {"metadata": metadata, "data": data})
        return
    left: dict[str, int] = {}
    finalizers: dict[str, int] = {}
    begun = 0
    for kind in list(world.registry):
        for each in world.store.list(kind, name) if kind.namespaced else ():
            if not is_leaving(each):
                if begun == _AT_ONCE:
                    world.look(resource, obj)
                    return
                begun += 1
                world.delete(kind, each)
            live = world.store.get(kind, name, each["metadata"]["name"])
            if live is None:
                continue
            left[kind.qualified] = left.get(kind.qualified, 0) + 1
            for finalizer in live["metadata"].get("finalizers") or ():
                finalizers[finalizer] = finalizers.get(finalizer, 0) + 1
    if not left:
        spec = {**obj["spec"], "finalizers": []}
        world.store.update(resource, {**obj, "spec": spec}, subresource="finalize")
        return
    _say(world, resource, obj, left, finalizers)


def _say(
    world: World, resource: Resource, obj: Object, left: dict[str, int], finalizers: dict[str, int]
) -> None:
    conditions = list(obj.get("status", {}).get("conditions") or ())
    for type_, reason, message in _CONDITIONS:
        conditions = with_condition(world, conditions, type_, "False", reason, message)
    some = ", ".join(f"{kind} has {count} resource instances" for kind, count in left.items())
    said = ("True", "SomeResourcesRemain", f"Some resources are remaining: {some}")
    conditions = with_condition(world, conditions, "NamespaceContentRemaining", *said)
    if finalizers:
        held = ", ".join(f"{name} in {n} resource instances" for name, n in finalizers.items())
        text = f"Some content in the namespace has finalizers remaining: {held}"
        said = ("True", "SomeFinalizersRemain", text)
    else:
        text = "All content-preserving finalizers finished"
        said = ("False", "ContentHasNoFinalizers", text)
    conditions = with_condition(world, conditions, "NamespaceFinalizersRemaining", *said)
    status = {"phase": "Terminating", "conditions": conditions}
    world.status(resource, obj, status)


def around(world: World, event: Event) -> list[Key]:
    """The namespace of something that is gone, and of an account or certificate that was there."""
    namespace = event.object["metadata"].get("namespace", "")
    if event.type != "DELETED" or not namespace:
        return []
    return [Key(world.of("Namespace"), "", namespace)]
