"""StatefulSet: pods with a name and a disk of their own, such as a database."""

import enum
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from app.domain import quantity
from app.domain.fields import Count, DnsLabel, EntryId, MountPath, ShortDnsLabel, StorageSize
from app.domain.lists import identified, unique
from app.domain.manifest import Manifest, Wave, given
from app.domain.node import DERIVED, Link, NodeKind, NodeType, Value, WorkflowNode
from app.domain.place import Place
from app.domain.podtemplate import env_secret, pod_template
from app.domain.ports import named
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


def manifests(data: StatefulSetNodeData, place: Place) -> Iterator[Manifest]:
    """The StatefulSet, and its headless Service when nothing else is one."""
    yield from env_secret(data, place)
    own = own_service(data.name)
    governing = data.service_name or own
    if governing == own and place.named("service", own) is None:
        yield _headless(data, place, own)
    disks = [(claim.name, _path(claim)) for claim in data.volume_claim_templates]
    spec = given(
        {
            "replicas": None if place.is_scaled else data.replicas,
            "serviceName": governing,
            "selector": {"matchLabels": place.selector},
            "podManagementPolicy": data.pod_management_policy,
            "updateStrategy": given(
                {
                    "type": data.update_strategy,
                    "rollingUpdate": None
                    if data.partition is None
                    else {"partition": data.partition},
                }
            ),
            "minReadySeconds": data.min_ready_seconds,
            "revisionHistoryLimit": data.revision_history_limit,
            "template": pod_template(data, place, disks=disks),
            "volumeClaimTemplates": [_claim(c) for c in data.volume_claim_templates] or None,
        }
    )
    yield place.manifest("apps/v1", "StatefulSet", {"spec": spec}, wave=Wave.WORKLOADS)


def own_service(name: str) -> str:
    """The name of the Service that is made; like every Service's, it starts with a letter."""
    return f"{name}-headless" if name[0].isalpha() else f"headless-{name}"


def _headless(data: StatefulSetNodeData, place: Place, name: str) -> Manifest:
    """Gives every pod a name of its own, before it is ready too: members look for each other."""
    ports: list[dict[str, Any]] = [
        {"name": name, "protocol": port.protocol.value, "port": port.port}
        for port, name in named(list(data.listens()))
    ]
    spec: dict[str, Any] = {
        "clusterIP": "None",
        "selector": place.selector,
        "publishNotReadyAddresses": True,
    }
    if ports:
        spec["ports"] = ports
    return place.manifest("v1", "Service", {"spec": spec}, wave=Wave.SERVICES, name=name)


def _path(claim: VolumeClaimTemplate) -> str:
    return claim.mount_path or f"/data/{claim.name}"


def _claim(claim: VolumeClaimTemplate) -> dict[str, Any]:
    spec = {
        "accessModes": [mode.value for mode in claim.access_modes],
        "storageClassName": claim.storage_class_name,
        "resources": {"requests": {"storage": quantity.canonical(claim.storage)}},
    }
    return {"metadata": {"name": claim.name}, "spec": given(spec)}


KIND = NodeKind(
    type=NodeType("statefulset"),
    label="StatefulSet",
    description="Pods with a name and a disk of their own, such as a database.",
    category="workload",
    data=StatefulSetNodeData,
    node=StatefulSetNode,
    manifests=manifests,
    defaults={"replicas": 1, "port": 5432},
)
