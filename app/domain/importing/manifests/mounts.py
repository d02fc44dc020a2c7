"""What a pod mounts, read back: volumes, mounts, devices and environment as the node's own list.

The inverse of `app.domain.mounting`. The list is in an order from which the same volumes come in
the same order again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, NamedTuple

from app.domain.importing.imported import ImportCode
from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.objects import Path, at, items, mapping, shown
from app.domain.importing.manifests.scene import Arrow, Reading, Scene
from app.domain.node import NodeType
from app.domain.nodes import NODE_KINDS
from app.domain.pod import MountUsage, VolumeMount, VolumeMountType
from app.domain.workload import WorkloadData

_NAMES = {"configMap": "name", "secret": "secretName", "persistentVolumeClaim": "claimName"}
_REFERENCES = {"configMapRef": "configMap", "secretRef": "secret"}
_KINDS = {
    VolumeMountType.CONFIG_MAP: ("configmap", "ConfigMap"),
    VolumeMountType.SECRET: ("secret", "Secret"),
    VolumeMountType.PERSISTENT_VOLUME_CLAIM: ("persistentvolumeclaim", "PersistentVolumeClaim"),
}


class _Use(NamedTuple):
    """A volume in use: the mount or device, and its place."""

    volume: str
    item: Mapping[str, Any]
    path: Path
    device: bool


def read_mounts(form: Form, pod: Path, container: Path, disks: Collection[str]) -> None:
    """Adds to `volume_mounts`; `disks` are volumes that the workload itself provides."""
    volumes: dict[str, Mapping[str, Any]] = {}
    for _, volume in items(at(form.object, *pod, "volumes")):
        if isinstance(volume.get("name"), str):
            volumes.setdefault(volume["name"], volume)
    inside = mapping(at(form.object, *container))
    uses = [
        _Use(item["name"], item, (*container, key, str(i)), device)
        for key, device in (("volumeMounts", False), ("volumeDevices", True))
        for i, item in items(inside.get(key))
        if isinstance(item.get("name"), str) and item["name"] not in disks
    ]
    for use in _ordered(uses, list(volumes)):
        made = _mount(volumes.get(use.volume, {}), use)
        if made is not None:
            form.add("volume_mounts", made, *use.path)
    for i, item in items(inside.get("envFrom")):
        path = (*container, "envFrom", str(i))
        for reference, kind in _REFERENCES.items():
            if isinstance(at(item, reference, "name"), str):
                made = {
                    "type": kind,
                    "name": item[reference]["name"],
                    "usage": MountUsage.ENVIRONMENT,
                    "env_prefix": item.get("prefix") or None,
                    "optional": item[reference].get("optional"),
                }
                form.add("volume_mounts", made, *path)


def _ordered(uses: Sequence[_Use], volumes: Sequence[str]) -> Iterator[_Use]:
    """Mounts and devices as one list, in which volumes are first used in their own order."""
    waiting = {
        device: [use for use in uses if use.device is device][::-1] for device in (False, True)
    }
    seen: set[str] = set()
    place = {name: i for i, name in enumerate(volumes)}
    while waiting[False] or waiting[True]:
        heads = [queue[-1] for queue in waiting.values() if queue]
        known = [head for head in heads if head.volume in seen]
        use = known[0] if known else min(heads, key=lambda h: place.get(h.volume, -1))
        waiting[use.device].pop()
        seen.add(use.volume)
        yield use


def _mount(volume: Mapping[str, Any], use: _Use) -> dict[str, Any] | None:
    """The mount as the node says it; None for a volume of a kind that nodes don't have."""
    kind = next((kind for kind in _NAMES if isinstance(volume.get(kind), Mapping)), None)
    if kind is None:
        return None
    about = volume[kind]
    claim = kind == "persistentVolumeClaim"
    read_only = use.item.get("readOnly")
    keys = {
        item["key"]: item["path"]
        for _, item in items(about.get("items"))
        if isinstance(item.get("key"), str) and "path" in item
    }
    return {
        "type": kind,
        "name": about.get(_NAMES[kind]),
        "mount_path": use.item.get("devicePath" if use.device else "mountPath"),
        "sub_path": use.item.get("subPath") or None,
        "read_only": read_only if claim or read_only is False else None,
        "items": (keys or None) if not claim else None,
        "default_mode": about.get("defaultMode") if not claim else None,
        "optional": about.get("optional"),
    }


# ------------------------------------------------------------------------------------ linking


def link_mounts(reading: Reading, scene: Scene) -> list[Arrow]:
    """Lets mounts follow the nodes that they name, by edges from there."""
    data = reading.data
    if not isinstance(data, WorkloadData):
        return []
    mounts = data.volume_mounts
    followed = [_followed(mount, reading, scene) for mount in mounts]
    order = _order(mounts, followed)
    if order is None and reading.source.workflow is None:
        order = list(dict.fromkeys(id_ for id_ in followed if id_ is not None))
    if order is None:
        # A workflow has made this order, and no edges would: the mounts were named one by one.
        return []
    reading.data = data.having(
        volume_mounts=[
            mount.having(node_id=id_) for mount, id_ in zip(mounts, followed, strict=True)
        ]
    )
    return [Arrow(id_, reading.node_id) for id_ in order]


def _followed(mount: VolumeMount, reading: Reading, scene: Scene) -> str | None:
    """The node that a mount names, when an edge can lead from there."""
    kind, word = _KINDS[mount.type]
    named = scene.named(kind, reading.source, mount.name or "")
    if named is None and _is_device(mount, reading):
        named = scene.device(mount.name or "")
    targets = {connection.type for connection in NODE_KINDS[NodeType(kind)].connects_to}
    if named is not None:
        return named.node_id if reading.type.value in targets else None
    if scene.object(word, reading.source, mount.name) is None and not mount.optional:
        message = f"There is no {word} {shown(mount.name)} in the source."
        reading.form.firm.append((ImportCode.MISSING, _place(mount, reading.form), message))
    return None


def _is_device(mount: VolumeMount, reading: Reading) -> bool:
    """Whether a workflow has mounted a raw device, which it knows by the claim's node alone."""
    here = _place(mount, reading.form)
    return reading.source.workflow is not None and "volumeDevices" in here


def _place(mount: VolumeMount, form: Form) -> Path:
    """Where a mount comes from; of two that name the same object, the first."""
    for i, said in enumerate(form.values["volume_mounts"]):
        if (said["type"], said["name"]) == (mount.type, mount.name):
            return form.origins["volume_mounts", i]
    return ()


def _order(mounts: Sequence[VolumeMount], followed: Sequence[str | None]) -> list[str] | None:
    """An order of edges that keeps the order of the mounts; None when there is none."""
    before: dict[str, set[str]] = {}
    both: list[list[str | None]] = [[], []]
    for mount, id_ in zip(mounts, followed, strict=True):
        both[mount.usage is MountUsage.ENVIRONMENT].append(id_)
    for sequence in both:
        linked = [id_ for id_ in sequence if id_ is not None]
        groups = list(dict.fromkeys(linked))
        grouped = sorted(linked, key=groups.index)
        if sequence != [*[None] * (len(sequence) - len(linked)), *grouped]:
            return None
        for id_ in groups:
            before.setdefault(id_, set())
        for first, then in pairwise(groups):
            before[then].add(first)
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError:
        return None
