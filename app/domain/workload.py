"""The fields of everything that runs pods, written once for the five workload kinds."""

import enum
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from app.domain.fields import (
    Argument,
    Count,
    DnsLabel,
    DnsSubdomain,
    Flag,
    ImageReference,
    Port,
)
from app.domain.lists import distinct, identified, unique
from app.domain.maps import Environment, Labels
from app.domain.node import DERIVED, Link, NodeData
from app.domain.pod import (
    ContainerPort,
    EnvVarEntry,
    ImagePullPolicy,
    MountUsage,
    Probe,
    Protocol,
    ResourceRequirements,
    SecurityContext,
    Toleration,
    VolumeMount,
    VolumeMountType,
)
from app.domain.text import Loc, refuse_at

_MOUNT_TYPES = {
    "configmap": VolumeMountType.CONFIG_MAP,
    "secret": VolumeMountType.SECRET,
    "persistentvolumeclaim": VolumeMountType.PERSISTENT_VOLUME_CLAIM,
}
_LINKED = {
    "configmap": "linked_config_maps",
    "secret": "linked_secrets",
    "persistentvolumeclaim": "linked_pvcs",
}
_PLAIN_MOUNT = VolumeMount(type=VolumeMountType.CONFIG_MAP, name="plain")
MAIN_PORT_NAME = "http"
"""What the container's main port is called, unless one of its further ports has that name."""


class WorkloadData(NodeData):
    """One container, repeated: the pod template of the workload kinds."""

    name: DnsLabel = Field(
        description="Name of the object; its pods carry it as the label `app`. At most 63 "
        "characters."
    )
    image: ImageReference = Field(
        examples=["nginx:1.27"], description="Container image, such as `nginx:1.27`."
    )
    command: list[Argument] = Field(
        default_factory=list,
        max_length=256,
        description="Replaces the image's entry point. Not run in a shell.",
    )
    args: list[Argument] = Field(
        default_factory=list, max_length=1024, description="Replaces the image's arguments."
    )
    env: Environment | None = Field(
        default=None,
        description="Environment variables with their values. They are stored: for passwords use "
        "`envKeys`.",
    )
    env_keys: Annotated[
        list[EnvVarEntry], AfterValidator(identified("env", "name")), AfterValidator(unique("name"))
    ] = Field(
        default_factory=list,
        max_length=512,
        description="Environment variables whose values are given at deploy time and are kept in "
        "a Secret on the cluster, never here.",
    )
    resources: ResourceRequirements | None = Field(
        default=None, description="CPU and memory of the container."
    )
    volume_mounts: list[VolumeMount] = Field(
        default_factory=list,
        max_length=128,
        description="ConfigMaps, Secrets and claims that the container sees. Edges add to them.",
    )
    container_ports: Annotated[list[ContainerPort], AfterValidator(unique("name"))] = Field(
        default_factory=list,
        max_length=64,
        description="Ports that the container listens on, beside `port`.",
    )
    image_pull_policy: ImagePullPolicy | None = Field(
        default=None,
        description="Left out: ALWAYS for the tag `latest` or no tag, else IF_NOT_PRESENT.",
    )
    image_pull_secrets: Annotated[list[DnsSubdomain], AfterValidator(distinct)] = Field(
        default_factory=list,
        max_length=16,
        description="Names of the Secrets that sign in to the image's registry.",
    )
    service_account_name: DnsSubdomain | None = Field(
        default=None, description="The ServiceAccount that the pods run as; left out: `default`."
    )
    automount_service_account_token: Flag | None = Field(
        default=None, description="Whether the pods get that account's token; left out: they do."
    )
    liveness_probe: Probe | None = Field(
        default=None, description="When it fails, the container is restarted."
    )
    readiness_probe: Probe | None = Field(
        default=None, description="While it fails, Services send nothing to the pod."
    )
    startup_probe: Probe | None = Field(
        default=None, description="Until it succeeds, the other probes wait."
    )
    node_selector: Labels | None = Field(
        default=None, description="Only cluster nodes with these labels run the pods."
    )
    tolerations: list[Toleration] = Field(
        default_factory=list, max_length=64, description="Taints that don't keep the pods away."
    )
    termination_grace_period_seconds: Count | None = Field(
        default=None, description="Seconds between the signal to stop and the kill; 30 by default."
    )
    priority_class_name: DnsSubdomain | None = Field(
        default=None, description="Which pods go first when there is no room."
    )
    security_context: SecurityContext | None = Field(
        default=None, description="What the container's process may do."
    )
    linked_config_maps: list[str] = Field(
        default_factory=list,
        json_schema_extra=DERIVED,
        description="Ids of the ConfigMap nodes that edges lead from.",
    )
    linked_secrets: list[str] = Field(
        default_factory=list,
        json_schema_extra=DERIVED,
        description="Ids of the Secret nodes that edges lead from.",
    )

    @property
    def selector(self) -> dict[str, str]:
        """The labels by which Services and policies find the pods."""
        return {"app": self.name}

    def listens(self) -> Iterator[ContainerPort]:
        """Every port of the container: `port` first, then the further ones."""
        yield from self.container_ports

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults: list[tuple[Loc, str]] = [
            (("env_keys", i, "name"), f"{entry.name} already has a value in env: keep one of them.")
            for i, entry in enumerate(self.env_keys)
            if self.env and entry.name in self.env
        ]
        faults.extend(
            ((name, "success_threshold"), "Liveness and startup count one success: write 1.")
            for name in ("liveness_probe", "startup_probe")
            if (getattr(self, name) or Probe.model_construct()).success_threshold not in {None, 1}
        )
        faults.extend(self._port_faults())
        refuse_at(faults)
        return self

    def _port_faults(self) -> Iterator[tuple[Loc, str]]:
        seen: set[tuple[int, Protocol]] = set()
        main = getattr(self, "port", None)
        if main is not None:
            seen.add((main, Protocol.TCP))
        for i, port in enumerate(self.container_ports):
            if (port.port, port.protocol) in seen:
                message = f"The container listens on {port.port}/{port.protocol} once only."
                yield ("container_ports", i, "port"), message
            seen.add((port.port, port.protocol))
        taken: set[tuple[int, Protocol]] = set()
        for i, port in enumerate(self.container_ports):
            if port.host_port is None:
                continue
            if (port.host_port, port.protocol) in taken:
                message = f"The node's {port.host_port}/{port.protocol} is taken already."
                yield ("container_ports", i, "host_port"), message
            elif getattr(self, "host_network", False) and port.host_port != port.port:
                message = "With hostNetwork the node's port is the container's own: leave it out."
                yield ("container_ports", i, "host_port"), message
            taken.add((port.host_port, port.protocol))

    # ------------------------------------------------------------------------------------ edges

    def in_label(self, link: Link) -> str:
        for mount in self.volume_mounts:
            if mount.node_id == link.node_id:
                return mount.mount_path or "environment"
        return ""

    def wired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        """Mounts follow edges: a mount that came from a node stays as long as its edge does."""
        sources = {link.node_id: link for link in incoming if link.type in _MOUNT_TYPES}
        own: dict[str | None, list[VolumeMount]] = {}
        for mount in self.volume_mounts:
            own.setdefault(mount.node_id, []).append(mount)
        mounts = own.get(None, [])
        for node, link in sources.items():
            said = own.get(node)
            mounts += [_follow(mount, link) for mount in said] if said else [_mounted(link)]
        linked: dict[str, list[str]] = {
            name: [] for name in _LINKED.values() if name in type(self).model_fields
        }
        for link in sources.values():
            linked.get(_LINKED[link.type], []).append(link.node_id)
        return self.having(volume_mounts=mounts, **linked)

    def unwired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        """Without the mounts that an edge makes by itself."""
        made = {link.node_id: _mounted(link) for link in incoming if link.type in _MOUNT_TYPES}
        said = Counter(mount.node_id for mount in self.volume_mounts)
        kept = [
            mount
            for mount in self.volume_mounts
            if mount.node_id not in made
            or said[mount.node_id] > 1
            or mount.having(name=made[mount.node_id].name) != made[mount.node_id]
        ]
        unlinked: dict[str, list[str]] = {
            name: [] for name in _LINKED.values() if name in type(self).model_fields
        }
        return self.having(volume_mounts=kept, **unlinked)


def _mounted(link: Link) -> VolumeMount:
    """The mount that an edge makes when the workload says nothing about it."""
    kind = _MOUNT_TYPES[link.type]
    return _PLAIN_MOUNT.having(
        type=kind,
        name=link.data.name,
        node_id=link.node_id,
        mount_path=mount_path(kind, link.data),
    )


def _follow(mount: VolumeMount, link: Link) -> VolumeMount:
    """An explicit mount of a linked node: its own path and manner, the node's name.

    One that takes the node for something else (a Secret for a claim) keeps its path only.
    """
    kind = _MOUNT_TYPES[link.type]
    if mount.type is not kind:
        plain = _mounted(link)
        return plain.having(mount_path=mount.mount_path or plain.mount_path)
    update: dict[str, object] = {"name": link.data.name}
    if mount.mount_path is None and mount.usage is MountUsage.FILES:
        update["mount_path"] = mount_path(kind, link.data)
    return mount.having(**update)


def mount_path(kind: VolumeMountType, data: NodeData) -> str:
    """Where the files of an object appear when the mount itself doesn't say."""
    own: str | None = getattr(data, "mount_path", None)
    return own or default_mount_path(kind, data.name)


def default_mount_path(kind: VolumeMountType, name: str) -> str:
    if kind is VolumeMountType.CONFIG_MAP:
        return "/etc/config"
    return "/etc/secrets" if kind is VolumeMountType.SECRET else f"/data/{name}"


class UpdateStrategy(enum.StrEnum):
    """How new pods replace old ones: by themselves, or only when an old one is deleted."""

    ROLLING_UPDATE = "RollingUpdate"
    ON_DELETE = "OnDelete"


class ServingData(WorkloadData):
    """A workload that runs for good, and so may listen for requests."""

    port: Port | None = Field(
        default=None,
        description="The port that the container listens on, over TCP. Leave it out for a worker.",
    )
    host_network: Flag = Field(
        default=False, description="Pods use the network of their node directly."
    )
    # One less than a deadline for the rollout, which has to be longer, can be.
    min_ready_seconds: Annotated[int, Field(strict=True, ge=0, le=2**31 - 2)] | None = Field(
        default=None, description="Seconds that a new pod has to be ready before it counts; 0."
    )
    revision_history_limit: Count | None = Field(
        default=None, description="Old revisions kept for a rollback; 10 when left out."
    )

    def listens(self) -> Iterator[ContainerPort]:
        if self.port is not None:
            taken = any(port.name == MAIN_PORT_NAME for port in self.container_ports)
            yield _main_port(self.port, named=not taken)
        yield from self.container_ports


@lru_cache(maxsize=1024)
def _main_port(port: int, *, named: bool) -> ContainerPort:
    return ContainerPort(name=MAIN_PORT_NAME if named else None, port=port)
