"""StatefulSet: pods with a name and a disk of their own, such as a database."""

import enum
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from app.domain.fields import Count, DnsLabel, EntryId, MountPath, ShortDnsLabel, StorageSize
from app.domain.lists import identified, unique
from app.domain.node import DERIVED, Link, NodeKind, NodeType, Value, WorkflowNode
from app.domain.storage import AccessMode, AccessModes, StorageClassName
from app.domain.text import refuse_at
from app.domain.workload import ServingData, UpdateStrategy


class PodManagementPolicy(enum.StrEnum):
    """Whether the pods start one after another, or all at once."""

    ORDERED_READY = "OrderedReady"
    PARALLEL = "Parallel"


class VolumeClaimTemplate(Value):
    """A disk that every pod gets for itself, and keeps."""

    id: EntryId = Field(default="", description="Unique in the list; the name when left out.")
    name: DnsLabel = Field(description="Name of the volume, unique in the list.")
    storage_class_name: StorageClassName | None = Field(
        default=None, description="Class of the disk; left out: the cluster's default class."
    )
    access_modes: AccessModes = Field(
        default_factory=lambda: [AccessMode.READ_WRITE_ONCE],
        description="Who may use it at the same time.",
    )
    storage: StorageSize = Field(description="Size in bytes, such as `10Gi`.")
    mount_path: MountPath | None = Field(
        default=None, description="Where the container sees it; left out: `/data/<name>`."
    )


class StatefulSetNodeData(ServingData):
    """Pods with a name and a disk of their own."""

    name: ShortDnsLabel = Field(
        description="Name of the object, at most 52 characters: its pods carry a label made of it."
    )
    replicas: Count = Field(default=1, description="Number of pods; 0 stops them all.")
    service_name: DnsLabel | None = Field(
        default=None,
        description="The headless Service that gives the pods their names. An edge from a "
        "headless Service supplies it; without either, one called `<name>-headless` is made.",
    )
    volume_claim_templates: Annotated[
        list[VolumeClaimTemplate],
        AfterValidator(identified("volume", "name")),
        AfterValidator(unique("name")),
    ] = Field(
        default_factory=list, max_length=32, description="Disks that every pod gets for itself."
    )
    update_strategy: UpdateStrategy = Field(
        default=UpdateStrategy.ROLLING_UPDATE, description="How new pods replace old ones."
    )
    partition: Count | None = Field(
        default=None, description="Only pods with this ordinal or a higher one are updated; 0."
    )
    pod_management_policy: PodManagementPolicy | None = Field(
        default=None, description="ORDERED_READY when left out."
    )
    linked_pvcs: list[str] = Field(
        default_factory=list,
        json_schema_extra=DERIVED,
        description="Ids of the claim nodes that edges lead from.",
    )

    @model_validator(mode="after")
    def _partition_fits(self) -> Self:
        if self.partition is not None and self.update_strategy is UpdateStrategy.ON_DELETE:
            refuse_at([(("partition",), "Only ROLLING_UPDATE has a partition: leave it out.")])
        return self

    def wired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:
        mounted = super().wired(outgoing, incoming)
        return mounted.having(service_name=_governing(incoming) or self.service_name)

    def unwired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:
        bare = super().unwired(outgoing, incoming)
        return bare.having(service_name=None) if self.service_name == _governing(incoming) else bare


def _governing(incoming: Sequence[Link]) -> str | None:
    """The name of the first headless Service whose edge ends here."""
    return next(
        (link.data.name for link in incoming if getattr(link.data, "headless", False)), None
    )


class StatefulSetNode(WorkflowNode):
    """A StatefulSet on the canvas."""

    type: NodeType = Field(default=NodeType("statefulset"), description="The kind.")
    data: StatefulSetNodeData = Field(description="What it is made of.")


KIND = NodeKind(
    type=NodeType("statefulset"),
    label="StatefulSet",
    description="Pods with a name and a disk of their own, such as a database.",
    category="workload",
    data=StatefulSetNodeData,
    node=StatefulSetNode,
    defaults={"replicas": 1, "port": 5432},
)
