"""What a container sees of ConfigMaps, Secrets and claims: volumes, mounts, devices, environment.

Two mounts of one object share a volume, unless they pick different keys. A path is mounted once:
the API server refuses a second mount there, and `problems` reports it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain import labels
from app.domain.manifest import given
from app.domain.node import WorkflowNode
from app.domain.place import Place
from app.domain.pod import MountUsage, VolumeMount, VolumeMountType
from app.domain.storage import VolumeMode
from app.domain.workload import WorkloadData, default_mount_path

_KINDS = {
    VolumeMountType.CONFIG_MAP: "configmap",
    VolumeMountType.SECRET: "secret",
    VolumeMountType.PERSISTENT_VOLUME_CLAIM: "persistentvolumeclaim",
}
_PREFIXES = {
    VolumeMountType.CONFIG_MAP: "config",
    VolumeMountType.SECRET: "secret",
    VolumeMountType.PERSISTENT_VOLUME_CLAIM: "claim",
}


@dataclass(slots=True)
class Mounts:
    """What a pod template says about what is mounted."""

    volumes: list[dict[str, Any]] = field(default_factory=list)
    mounts: list[dict[str, Any]] = field(default_factory=list)
    devices: list[dict[str, Any]] = field(default_factory=list)
    env_from: list[dict[str, Any]] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _paths: set[str] = field(default_factory=set)
    _shared: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, data: WorkloadData, place: Place, disks: Sequence[tuple[str, str]] = ()
    ) -> "Mounts":
        """The mounts of a workload; `disks` are its own volumes, each with its path."""
        made = cls(_names={name for name, _ in disks})
        for name, path in disks:
            if made._take(path):
                made.mounts.append({"name": name, "mountPath": path})
        for mount in data.volume_mounts:
            made._add(mount, place)
        return made

    def _add(self, mount: VolumeMount, place: Place) -> None:
        claim = mount.type is VolumeMountType.PERSISTENT_VOLUME_CLAIM
        name = mount.name
        if name is None:
            return
        if mount.usage is MountUsage.ENVIRONMENT:
            if not claim:
                self.env_from.append(_env_source(mount, name))
            return
        path = mount.mount_path or default_mount_path(mount.type, name)
        if not self._take(path):
            return
        volume = self._volume(mount, name)
        if claim and _is_device(_source(mount, name, place)):
            self.devices.append({"name": volume, "devicePath": path})
            return
        read_only = mount.read_only if mount.read_only is not None else (None if claim else True)
        self.mounts.append(
            given(
                {
                    "name": volume,
                    "mountPath": path,
                    "subPath": mount.sub_path,
                    "readOnly": read_only,
                }
            )
        )

    def _take(self, path: str) -> bool:
        """Whether nothing is mounted there yet."""
        plain = path.rstrip("/")
        free = plain not in self._paths
        self._paths.add(plain)
        return free

    def _volume(self, mount: VolumeMount, name: str) -> str:
        """The name of the volume that a mount needs."""
        source = _volume_source(mount, name)
        key = repr(source)
        if key not in self._shared:
            self._shared[key] = self._free_name(f"{_PREFIXES[mount.type]}-{name}")
            self.volumes.append({"name": self._shared[key], **source})
        return self._shared[key]

    def _free_name(self, wanted: str) -> str:
        """A DNS label that no other volume has."""
        label = re.sub("[^a-z0-9]+", "-", wanted)
        if label != wanted or len(label) > labels.LIMIT:
            label = f"{label[:50].rstrip('-')}-{labels.digest(wanted, 8)}"
        name, count = label, 1
        while name in self._names:
            count += 1
            name = f"{label[:55].rstrip('-')}-{count}"
        self._names.add(name)
        return name


def _volume_source(mount: VolumeMount, name: str) -> dict[str, Any]:
    if mount.type is VolumeMountType.PERSISTENT_VOLUME_CLAIM:
        return {"persistentVolumeClaim": {"claimName": name}}
    items = [{"key": key, "path": path} for key, path in (mount.items or {}).items()]
    rest = given(
        {
            "items": items or None,
            "defaultMode": mount.default_mode,
            "optional": mount.optional or None,
        }
    )
    if mount.type is VolumeMountType.SECRET:
        return {"secret": {"secretName": name, **rest}}
    return {"configMap": {"name": name, **rest}}


def _env_source(mount: VolumeMount, name: str) -> dict[str, Any]:
    reference = "secretRef" if mount.type is VolumeMountType.SECRET else "configMapRef"
    source = given({"name": name, "optional": mount.optional or None})
    return given({"prefix": mount.env_prefix, reference: source})


def _source(mount: VolumeMount, name: str, place: Place) -> WorkflowNode | None:
    if mount.node_id is not None:
        return place.site.nodes.get(mount.node_id)
    return place.named(_KINDS[mount.type], name)


def _is_device(node: WorkflowNode | None) -> bool:
    """A claim of a raw device has no files to mount."""
    return node is not None and getattr(node.data, "volume_mode", None) is VolumeMode.BLOCK
