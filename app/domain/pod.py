"""What a pod is made of: the value types that the five workload kinds share."""

import enum
from typing import Annotated, Self

from pydantic import Field, model_validator

from app.domain import quantity
from app.domain.fields import (
    Argument,
    Count,
    ElementId,
    EntryId,
    EnvName,
    Flag,
    HostName,
    HttpPath,
    Line,
    MountPath,
    Port,
    PortName,
    PortOrName,
    Positive,
    Quantity,
    RelativePath,
)
from app.domain.fields import DnsSubdomain as ObjectName
from app.domain.maps import HttpHeaders, KeyPaths, LabelKey, LabelValue
from app.domain.node import Value
from app.domain.text import Loc, Text, refuse_at

Capability = Annotated[
    str, Text("Write a capability such as NET_BIND_SERVICE, or ALL.", 64, r"[A-Z][A-Z0-9_]*")
]


class Protocol(enum.StrEnum):
    """The transport that a port speaks."""

    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"


class ImagePullPolicy(enum.StrEnum):
    """When the node asks the registry for the image."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


class VolumeMountType(enum.StrEnum):
    """What is mounted."""

    CONFIG_MAP = "configMap"
    SECRET = "secret"  # noqa: S105
    PERSISTENT_VOLUME_CLAIM = "persistentVolumeClaim"


class MountUsage(enum.StrEnum):
    """How a workload sees what is mounted: as files, or as environment variables."""

    FILES = "files"
    ENVIRONMENT = "environment"


class TolerationOperator(enum.StrEnum):
    """How a toleration compares itself with a taint."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(enum.StrEnum):
    """What a taint does to pods that don't tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class UriScheme(enum.StrEnum):
    """How a probe speaks HTTP."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"


class EnvVarEntry(Value):
    """An environment variable whose value is given at deploy time and kept in the cluster only."""

    id: EntryId = Field(default="", description="Unique in the list; the name when left out.")
    name: EnvName = Field(description="Name of the variable.")


class ResourceList(Value):
    """Amounts of compute."""

    cpu: Quantity | None = Field(default=None, description="Cores, such as `500m` or `2`.")
    memory: Quantity | None = Field(default=None, description="Bytes, such as `256Mi` or `1Gi`.")
    ephemeral_storage: Quantity | None = Field(
        default=None, description="Bytes of the node's own disk, such as `1Gi`."
    )


class ResourceRequirements(Value):
    """What a container is promised, and what it may use at most."""

    limits: ResourceList | None = Field(default=None, description="What it may use at most.")
    requests: ResourceList | None = Field(
        default=None, description="What it is promised; not above the limit of the same resource."
    )

    @model_validator(mode="after")
    def _requests_within_limits(self) -> Self:
        if self.limits is None or self.requests is None:
            return self
        faults: list[tuple[Loc, str]] = []
        for name in ResourceList.model_fields:
            asked, most = getattr(self.requests, name), getattr(self.limits, name)
            if asked and most and quantity.amount(asked) > quantity.amount(most):
                faults.append((("requests", name), f"{asked} is above the limit of {most}."))
        refuse_at(faults)
        return self


class ContainerPort(Value):
    """A further port that the container listens on."""

    name: PortName | None = Field(default=None, description="Name that Services and probes use.")
    protocol: Protocol = Field(default=Protocol.TCP, description="Its transport.")
    port: Port = Field(description="Number of the port, 1 to 65535.")
    host_port: Port | None = Field(
        default=None, description="The same port on the node itself; most workloads need none."
    )


class VolumeMount(Value):
    """A ConfigMap, a Secret or a claim that the container sees."""

    type: VolumeMountType = Field(description="What kind of object it is.")
    name: ObjectName | None = Field(
        default=None, description="Name of the object; follows the node when `nodeId` is given."
    )
    node_id: ElementId | None = Field(
        default=None,
        description="The node it comes from. It is mounted as long as an edge leads from there.",
    )
    usage: MountUsage = Field(
        default=MountUsage.FILES, description="As files or as environment variables."
    )
    mount_path: MountPath | None = Field(
        default=None,
        description="Where the files appear. Left out: the node's own path, else `/etc/config`, "
        "`/etc/secrets` or `/data/<name>`.",
    )
    sub_path: RelativePath | None = Field(
        default=None, description="Only this file or folder of the volume."
    )
    read_only: Flag | None = Field(
        default=None, description="Left out: true, but false for a claim."
    )
    items: KeyPaths | None = Field(
        default=None, description="Only these keys, each with its file name below the mount."
    )
    default_mode: Annotated[int, Field(strict=True, ge=0, le=0o777)] | None = Field(
        default=None, description="Permission bits of the files, 0 to 511 (octal 777)."
    )
    env_prefix: EnvName | None = Field(
        default=None, description="Put in front of every variable's name."
    )
    optional: Flag = Field(
        default=False, description="Whether the pod starts when the object is missing."
    )

    @model_validator(mode="after")
    def _fits_usage(self) -> Self:
        faults: list[tuple[Loc, str]] = []
        if self.name is None and self.node_id is None:
            faults.append((("name",), "Name the object, or the node that it comes from."))
        if self.usage is MountUsage.ENVIRONMENT:
            if self.type is VolumeMountType.PERSISTENT_VOLUME_CLAIM:
                faults.append((("usage",), "A claim can only be mounted as files."))
            faults.extend(
                ((name,), "Files only: leave it out when the usage is environment.")
                for name in ("mount_path", "sub_path", "items", "default_mode", "read_only")
                if getattr(self, name) is not None
            )
        elif self.env_prefix is not None:
            faults.append((("env_prefix",), "Environment only: leave it out for files."))
        if self.type is VolumeMountType.PERSISTENT_VOLUME_CLAIM:
            faults.extend(
                ((name,), "A claim has no keys: leave it out.")
                for name in ("items", "default_mode")
                if getattr(self, name) is not None
            )
        refuse_at(faults)
        return self


class Toleration(Value):
    """Lets pods onto nodes with a taint."""

    key: LabelKey | None = Field(
        default=None, description="The taint's key; left out with EXISTS: every taint."
    )
    operator: TolerationOperator = Field(
        default=TolerationOperator.EQUAL, description="How it compares itself with the taint."
    )
    value: LabelValue | None = Field(default=None, description="The taint's value, with EQUAL.")
    effect: TaintEffect | None = Field(
        default=None, description="The taint's effect; left out: every effect."
    )
    toleration_seconds: Count | None = Field(
        default=None, description="With NO_EXECUTE: seconds until the pod leaves all the same."
    )

    @model_validator(mode="after")
    def _fits_operator(self) -> Self:
        faults: list[tuple[Loc, str]] = []
        if self.key is None and self.operator is TolerationOperator.EQUAL:
            faults.append((("key",), "Name the taint's key, or use EXISTS for every taint."))
        if self.value is not None and self.operator is TolerationOperator.EXISTS:
            faults.append((("value",), "EXISTS compares no value: leave it out."))
        if self.toleration_seconds is not None and self.effect is not TaintEffect.NO_EXECUTE:
            faults.append((("toleration_seconds",), "Only the effect NO_EXECUTE has seconds."))
        refuse_at(faults)
        return self


class HTTPGetAction(Value):
    """An HTTP GET; 200 to 399 is a success."""

    path: HttpPath = Field(default="/", description="Path of the request.")
    port: PortOrName | None = Field(
        default=None, description="Number or name; left out: the workload's `port`."
    )
    scheme: UriScheme = Field(default=UriScheme.HTTP, description="HTTP or HTTPS.")
    host: HostName | None = Field(default=None, description="Host name; left out: the pod's IP.")
    http_headers: HttpHeaders | None = Field(default=None, description="Headers of the request.")


class TCPSocketAction(Value):
    """A TCP connection; being accepted is a success."""

    port: PortOrName | None = Field(
        default=None, description="Number or name; left out: the workload's `port`."
    )


class GRPCAction(Value):
    """A call of the standard gRPC health service."""

    port: Port | None = Field(default=None, description="Left out: the workload's `port`.")
    service: Line | None = Field(default=None, description="The service that is asked about.")


class ExecAction(Value):
    """A command in the container; exit code 0 is a success."""

    command: list[Argument] = Field(
        min_length=1, max_length=64, description="The command and its arguments; no shell."
    )


class Probe(Value):
    """A health check of the container: one of `httpGet`, `tcpSocket`, `grpc`, `exec`."""

    http_get: HTTPGetAction | None = Field(default=None, description="Check by an HTTP request.")
    tcp_socket: TCPSocketAction | None = Field(default=None, description="Check by connecting.")
    grpc: GRPCAction | None = Field(default=None, description="Check by a gRPC health call.")
    exec: ExecAction | None = Field(default=None, description="Check by a command.")
    initial_delay_seconds: Count | None = Field(
        default=None, description="Seconds before the first check; 0 when left out."
    )
    period_seconds: Positive | None = Field(
        default=None, description="Seconds between checks; 10 when left out."
    )
    timeout_seconds: Positive | None = Field(
        default=None, description="Seconds that one check may take; 1 when left out."
    )
    success_threshold: Positive | None = Field(
        default=None,
        description="Successes in a row that count; 1 when left out, and always 1 for liveness "
        "and startup.",
    )
    failure_threshold: Positive | None = Field(
        default=None, description="Failures in a row that count; 3 when left out."
    )

    @model_validator(mode="after")
    def _one_check(self) -> Self:
        checks = [
            name
            for name in ("http_get", "tcp_socket", "grpc", "exec")
            if getattr(self, name) is not None
        ]
        if not checks:
            refuse_at([((), "Give one of httpGet, tcpSocket, grpc or exec.")])
        refuse_at(((name,), "A probe makes one check only.") for name in checks[1:])
        return self


class SecurityContext(Value):
    """What the container's process may do."""

    run_as_user: Count | None = Field(default=None, description="User id of the process.")
    run_as_group: Count | None = Field(default=None, description="Group id of the process.")
    fs_group: Count | None = Field(default=None, description="Group id that owns the volumes.")
    run_as_non_root: Flag | None = Field(default=None, description="Refuse to start as user id 0.")
    read_only_root_filesystem: Flag | None = Field(
        default=None, description="The image's files can't be changed."
    )
    allow_privilege_escalation: Flag | None = Field(
        default=None, description="Whether the process may gain more rights than its parent."
    )
    privileged: Flag | None = Field(
        default=None, description="All rights of root on the node. Avoid."
    )
    add_capabilities: list[Capability] = Field(
        default_factory=list, max_length=64, description="Linux capabilities on top."
    )
    drop_capabilities: list[Capability] = Field(
        default_factory=list, max_length=64, description="Linux capabilities taken away, or ALL."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        faults: list[tuple[Loc, str]] = []
        if self.allow_privilege_escalation is False:
            if self.privileged:
                faults.append((("privileged",), "allowPrivilegeEscalation forbids it: choose one."))
            faults.extend(
                (("add_capabilities", i), "allowPrivilegeEscalation forbids it: choose one.")
                for i, name in enumerate(self.add_capabilities)
                if name == "CAP_SYS_ADMIN"
            )
        if self.run_as_non_root and self.run_as_user == 0:
            faults.append((("run_as_user",), "User 0 is root, and runAsNonRoot refuses it."))
        refuse_at(faults)
        return self
