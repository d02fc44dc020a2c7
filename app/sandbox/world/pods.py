"""Pods as controllers deal with them: how far they are, making them, deleting them."""

from collections.abc import Iterable

from app.sandbox.objects import Object, copied, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.world import World
from app.sandbox.world.references import reference
from app.sandbox.world.telling import tell

FAIL = "sandbox/fail"
"""An annotation of a pod (or its template): how it is to fail, whatever its image is called."""


MOST_PODS = 500
"""Pods that controllers make in the whole cluster, of which a node holds 110."""


def phase(pod: Object) -> str:
    return str(pod.get("status", {}).get("phase", "Pending"))


def has_ended(pod: Object) -> bool:
    return phase(pod) in ("Succeeded", "Failed")


def is_active(pod: Object) -> bool:
    """Whether it counts as a replica: it has neither ended nor been deleted."""
    return not has_ended(pod) and not is_leaving(pod)


def is_ready(pod: Object) -> bool:
    return any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in pod.get("status", {}).get("conditions") or ()
    )


def available(
    world: World, resource: Resource, owner: Object, pods: Iterable[Object], seconds: int
) -> list[Object]:
    """The pods that have been ready for so many seconds; the owner is looked at when others are."""
    found = []
    for pod in pods:
        memory = world.remembered(pod)
        if not is_ready(pod):
            memory.pop("ready", None)
            continue
        left = seconds - (world.now() - memory.setdefault("ready", world.now()))
        if seconds == 0 or left <= 0:
            found.append(pod)
        else:
            world.after(left, resource, owner)
    return found


def create_pod(
    world: World, resource: Resource, owner: Object, template: Object, metadata: Object
) -> tuple[Object | None, str]:
    """Make a pod of a template. The text says why there is none."""
    pod = copied(template)
    given = pod.setdefault("metadata", {})
    given.pop("creationTimestamp", None)
    labels = {**(given.get("labels") or {}), **metadata.pop("labels", {})}
    given |= {**metadata, "labels": labels, "ownerReferences": [reference(resource, owner)]}
    given["namespace"] = owner["metadata"]["namespace"]
    why = _refusal(world, pod)
    source = f"{resource.singular}-controller"
    if why:
        text = f"Error creating: {why}"
        tell(world, resource, owner, "FailedCreate", text, source=source, warning=True)
        return None, why
    made = world.create(world.of("Pod"), pod)
    if made is None:
        return None, "the namespace is being terminated"
    text = f"Created pod: {made['metadata']['name']}"
    tell(world, resource, owner, "SuccessfulCreate", text, source=source)
    return made, ""


def _refusal(world: World, pod: Object) -> str:
    """What keeps the API from taking a pod in: no such account, or no room by a quota."""
    metadata, spec = pod["metadata"], pod["spec"]
    name = metadata.get("name") or metadata["generateName"]
    account = spec.get("serviceAccountName") or "default"
    if account != "default" and not world.get("ServiceAccount", metadata["namespace"], account):
        return (
            f'pods "{name}" is forbidden: error looking up service account '
            f'{metadata["namespace"]}/{account}: serviceaccount "{account}" not found'
        )
    used, room = world.count("Pod"), MOST_PODS
    if (metadata.get("annotations") or {}).get(FAIL) == "quota":
        used = room = 0
    if used < room:
        return ""
    return (
        f'pods "{name}" is forbidden: exceeded quota: sandbox, requested: pods=1, '
        f"used: pods={used}, limited: pods={room}"
    )


def delete_pod(world: World, resource: Resource, owner: Object, pod: Object) -> None:
    world.delete(world.of("Pod"), pod)
    text = f"Deleted pod: {pod['metadata']['name']}"
    tell(world, resource, owner, "SuccessfulDelete", text, source=f"{resource.singular}-controller")
