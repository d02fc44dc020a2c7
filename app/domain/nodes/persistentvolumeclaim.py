"""PersistentVolumeClaim: a disk that outlives the pods that use it."""

from collections.abc import Iterator

from pydantic import Field

from app.domain import quantity
from app.domain.fields import DnsSubdomain, StorageSize
from app.domain.manifest import Manifest, Wave, given
from app.domain.node import Connection, NodeData, NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.storage import AccessMode, AccessModes, StorageClassName, VolumeMode

_MEANING = "The workload's pods see the disk at `/data/<name of the claim>`, or where they say."


class PersistentVolumeClaimNodeData(NodeData):
    """A disk that outlives the pods that use it."""

    name: DnsSubdomain = Field(description="Name of the claim.")
    storage_class_name: StorageClassName | None = Field(
        default=None,
        description="Class of the disk; left out: the cluster's default class; empty: a volume "
        "that exists already.",
    )
    access_modes: AccessModes = Field(
        default_factory=lambda: [AccessMode.READ_WRITE_ONCE],
        description="Who may use it at the same time.",
    )
    storage: StorageSize = Field(description="Size in bytes, such as `10Gi`. It can only grow.")
    volume_mode: VolumeMode = Field(
        default=VolumeMode.FILESYSTEM, description="A folder of files, or a raw device."
    )
    volume_name: DnsSubdomain | None = Field(
        default=None, description="The one volume to use; left out: any that fits."
    )


class PersistentVolumeClaimNode(WorkflowNode):
    """A PersistentVolumeClaim on the canvas."""

    type: NodeType = Field(default=NodeType("persistentvolumeclaim"), description="The kind.")
    data: PersistentVolumeClaimNodeData = Field(description="What it is made of.")


def manifests(data: PersistentVolumeClaimNodeData, place: Place) -> Iterator[Manifest]:
    """The claim."""
    spec = {
        "accessModes": [mode.value for mode in data.access_modes],
        "storageClassName": data.storage_class_name,
        "volumeMode": data.volume_mode,
        "volumeName": data.volume_name,
        "resources": {"requests": {"storage": quantity.canonical(data.storage)}},
    }
    yield place.manifest(
        "v1", "PersistentVolumeClaim", {"spec": given(spec)}, wave=Wave.PREREQUISITES
    )


KIND = NodeKind(
    type=NodeType("persistentvolumeclaim"),
    label="PersistentVolumeClaim",
    description="A disk that outlives the pods that use it.",
    category="storage",
    data=PersistentVolumeClaimNodeData,
    node=PersistentVolumeClaimNode,
    manifests=manifests,
    defaults={
        "storage": "10Gi",
        "access_modes": [AccessMode.READ_WRITE_ONCE],
        "volume_mode": VolumeMode.FILESYSTEM,
    },
    connects_to=tuple(Connection(kind, _MEANING) for kind in ("deployment", "statefulset")),
)
