"""PersistentVolumeClaims: a volume of the class, at once or for the first pod; protected by use."""

from app.sandbox.node import NAME
from app.sandbox.node.scheduling import claims_of
from app.sandbox.objects import Object, copied, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.store import Event
from app.sandbox.world import Key, World, key_of
from app.sandbox.world.pods import has_ended
from app.sandbox.world.telling import tell

PROTECTED = "kubernetes.io/pvc-protection"
SELECTED = "volume.kubernetes.io/selected-node"
SOURCE = "persistentvolume-controller"
_DELAY = 0.5
"""Seconds until a volume is there."""


def sync(world: World, resource: Resource, obj: Object) -> None:
    """Bind a claim, or let it go when nobody uses it any more."""
    if is_leaving(obj):
        _release(world, resource, obj)
        return
    phase = obj.get("status", {}).get("phase", "Pending")
    if phase == "Bound":
        _grow(world, resource, obj)
        return
    class_ = _class(world, resource, obj)
    if class_ is None:
        return
    if class_.get("volumeBindingMode") == "WaitForFirstConsumer" and not _is_used(world, obj):
        message = "waiting for first consumer to be created before binding"
        tell(world, resource, obj, "WaitForFirstConsumer", message, source=SOURCE)
        return
    left = _DELAY - world.since(obj)
    if left > 0:
        world.after(left, resource, obj)
        return
    _bind(world, resource, obj, class_)


def _class(world: World, resource: Resource, obj: Object) -> Object | None:
    name = obj["spec"].get("storageClassName")
    if not name:
        message = "no persistent volumes available for this claim and no storage class is set"
        tell(world, resource, obj, "FailedBinding", message, source=SOURCE)
        return None
    found = world.get("StorageClass", "", name)
    if found is None:
        message = f'storageclass.storage.k8s.io "{name}" not found'
        tell(world, resource, obj, "ProvisioningFailed", message, source=SOURCE, warning=True)
    return found


def _is_used(world: World, obj: Object) -> bool:
    """Whether a pod mounts the claim and has not ended."""
    metadata = obj["metadata"]
    pods = world.list("Pod", metadata["namespace"])
    return any(metadata["name"] in claims_of(pod) and not has_ended(pod) for pod in pods)


def _bind(world: World, resource: Resource, obj: Object, class_: Object) -> None:
    metadata, spec = obj["metadata"], obj["spec"]
    volume, size = f"pvc-{metadata['uid']}", spec["resources"]["requests"]["storage"]
    provisioner = class_["provisioner"]
    kind = world.of("PersistentVolume")
    world.create(
        kind,
        {
            "metadata": {
                "name": volume,
                "annotations": {"pv.kubernetes.io/provisioned-by": provisioner},
                "finalizers": ["kubernetes.io/pv-protection"],
            },
            "spec": {
                "accessModes": spec["accessModes"],
                "capacity": {"storage": size},
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "name": metadata["name"],
                    "namespace": metadata["namespace"],
                    "uid": metadata["uid"],
                },
                "csi": {"driver": provisioner, "volumeHandle": volume},
                "persistentVolumeReclaimPolicy": class_.get("reclaimPolicy", "Delete"),
                "storageClassName": spec["storageClassName"],
                "volumeMode": spec.get("volumeMode", "Filesystem"),
            },
            "status": {"phase": "Bound"},
        },
    )
    annotations = {
        **(metadata.get("annotations") or {}),
        "pv.kubernetes.io/bind-completed": "yes",
        "pv.kubernetes.io/bound-by-controller": "yes",
        "volume.kubernetes.io/storage-provisioner": provisioner,
    }
    if class_.get("volumeBindingMode") == "WaitForFirstConsumer":
        annotations[SELECTED] = NAME
    bound = copied(obj)
    bound["metadata"]["annotations"] = annotations
    bound["spec"]["volumeName"] = volume
    stored = world.store.update(resource, bound)
    capacity = {"storage": size}
    status = {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": capacity}
    message = f"Successfully provisioned volume {volume}"
    tell(world, resource, stored, "ProvisioningSucceeded", message, source=str(provisioner))
    world.status(resource, stored, status)


def _grow(world: World, resource: Resource, obj: Object) -> None:
    size, status = obj["spec"]["resources"]["requests"]["storage"], obj["status"]
    if status.get("capacity", {}).get("storage") != size:
        world.status(resource, obj, {**status, "capacity": {"storage": size}})


def _release(world: World, resource: Resource, obj: Object) -> None:
    finalizers = obj["metadata"].get("finalizers") or []
    if PROTECTED in finalizers and not _is_used(world, obj):
        world.release(resource, obj, PROTECTED)


def sync_volume(world: World, resource: Resource, obj: Object) -> None:
    """A volume goes with its claim, or is kept as released."""
    claim = obj["spec"].get("claimRef")
    lives = claim is not None and world.lives(str(claim.get("uid"))) is not None
    if is_leaving(obj):
        if not lives and "kubernetes.io/pv-protection" in obj["metadata"].get("finalizers", ()):
            world.annotate(resource, obj, finalizers=None)
    elif claim is not None and not lives:
        if obj["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            world.delete(resource, obj)
        elif obj["status"].get("phase") != "Released":
            world.status(resource, obj, {**obj["status"], "phase": "Released"})


def using(world: World, event: Event) -> list[Key]:
    """The claims of a pod, and the volume of a claim."""
    resource, obj = event.resource, event.object
    if resource.group == "" and resource.kind == "Pod":
        kind, namespace = world.of("PersistentVolumeClaim"), obj["metadata"]["namespace"]
        return [Key(kind, namespace, name) for name in claims_of(obj)]
    if resource.kind == "PersistentVolumeClaim" and event.type == "DELETED":
        name = obj["spec"].get("volumeName")
        return [Key(world.of("PersistentVolume"), "", name)] if name else []
    if resource.kind == "StorageClass":
        kind, name = world.of("PersistentVolumeClaim"), obj["metadata"]["name"]
        claims = world.store.list(kind)
        return [key_of(kind, c) for c in claims if c["spec"].get("storageClassName") == name]
    return []
