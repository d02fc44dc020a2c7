"""Who owns whom: references, adoption, and the hash that a template goes by."""

import hashlib
import json
from typing import Any

from app.sandbox.objects import Object, is_leaving, labels_of, uid_of
from app.sandbox.resources import Resource
from app.sandbox.selectors import LabelSelector, from_label_selector
from app.sandbox.store import SUFFIX
from app.sandbox.world import World


def reference(resource: Resource, owner: Object) -> Object:
    """The owner as its controller."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Object) -> Object | None:
    """The reference to the controller."""
    for each in obj["metadata"].get("ownerReferences") or ():
        if each.get("controller"):
            return dict(each)
    return None


def controlled(world: World, owner: Object, kind: str) -> list[Object]:
    """The objects of a kind whose controller somebody is."""
    of, uid = world.of(kind), uid_of(owner)
    return [
        each
        for key, each in world.dependents(owner)
        if key.resource == of and (controller_of(each) or {}).get("uid") == uid
    ]


def claimed(world: World, resource: Resource, owner: Object, kind: str) -> list[Object]:
    """What an owner controls of a kind, by name. What fits its selector and is nobody's is adopted,
    what does not fit any more is let go."""
    selector = from_label_selector(owner["spec"].get("selector"))
    of, found = world.of(kind), []
    for obj in controlled(world, owner, kind):
        if _fits(selector, obj) or is_leaving(obj):
            found.append(obj)
        else:
            disown(world, of, owner, obj)
    if not is_leaving(owner) and not selector.nothing and selector.requirements:
        found += _adopted(world, resource, owner, of, selector)
    return sorted(found, key=lambda obj: str(obj["metadata"]["name"]))


def _adopted(
    world: World, resource: Resource, owner: Object, of: Resource, selector: LabelSelector
) -> list[Object]:
    found = []
    for obj in world.ownerless(of, owner["metadata"]["namespace"]):
        if not is_leaving(obj) and controller_of(obj) is None and _fits(selector, obj):
            owners = [*(obj["metadata"].get("ownerReferences") or ()), reference(resource, owner)]
            found.append(world.annotate(of, obj, ownerReferences=owners))
    return found


def disown(world: World, of: Resource, owner: Object, obj: Object) -> None:
    """Take an owner from an object."""
    kept = [r for r in obj["metadata"]["ownerReferences"] if r["uid"] != uid_of(owner)]
    world.annotate(of, obj, ownerReferences=kept or None)


def _fits(selector: LabelSelector, obj: Object) -> bool:
    return selector.matches(labels_of(obj))


def hashed(value: Any, length: int = 10) -> str:
    """A short word for a template, of letters that make no words."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return "".join(SUFFIX[byte % len(SUFFIX)] for byte in digest[:length])
