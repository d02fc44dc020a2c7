"""Ingresses: an address, as an ingress controller would publish it."""

from app.sandbox.controllers.services import has_address, outside
from app.sandbox.objects import Object, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.world import World
from app.sandbox.world.telling import tell

_DELAY = 1.0


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Give it an address after a moment, unless it is to have none or its class is not there."""
    name = obj["spec"].get("ingressClassName")
    known = name is None or world.get("IngressClass", "", name) is not None
    if is_leaving(obj) or not known or not has_address(obj):
        return
    left = _DELAY - world.since(obj)
    if left > 0:
        world.after(left, resource, obj)
        return
    wanted = {"ingress": [{"ip": outside(obj)}]}
    if obj.get("status", {}).get("loadBalancer") != wanted:
        world.status(resource, obj, {"loadBalancer": wanted})
        tell(world, resource, obj, "Sync", "Scheduled for sync", source="sandbox-ingress")
