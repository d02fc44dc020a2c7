"""Service: one stable address for the pods of a workload."""

import enum
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from app.domain import labels
from app.domain.fields import (
    Cidr,
    DnsLabel,
    Flag,
    HostName,
    IpAddress,
    Port,
    PortOrName,
    ServiceName,
)
from app.domain.lists import unique
from app.domain.manifest import Manifest, Wave, given
from app.domain.maps import LabelKey, Labels
from app.domain.node import (
    DERIVED,
    Connection,
    Link,
    NodeData,
    NodeKind,
    NodeType,
    Value,
    WorkflowNode,
)
from app.domain.place import Place
from app.domain.pod import Protocol
from app.domain.ports import named
from app.domain.text import Loc, refuse_at
from app.domain.workload import WorkloadData

_KUBELET = 10250
"""What every node of a cluster listens on; no load balancer may lead there."""


class ServiceType(enum.StrEnum):
    """From where the Service can be reached."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"
    EXTERNAL_NAME = "ExternalName"


class SessionAffinity(enum.StrEnum):
    """Whether requests of one client go to the same pod."""

    NONE = "None"
    CLIENT_IP = "ClientIP"


class TrafficPolicy(enum.StrEnum):
    """Whether traffic goes to pods anywhere, or only to those on the node where it arrives."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


class PortDef(Value):
    """One port of a Service."""

    name: DnsLabel | None = Field(
        default=None, description="Unique in the Service; made from protocol and port if left out."
    )
    protocol: Protocol = Field(default=Protocol.TCP, description="Its transport.")
    port: Port = Field(description="Number of the port, 1 to 65535.")
    target_port: PortOrName | None = Field(
        default=None, description="Number or name of the container's port; left out: the same."
    )
    node_port: Port | None = Field(
        default=None,
        description="The port on every node, with NODE_PORT or LOAD_BALANCER; mostly 30000 to "
        "32767. Left out: the cluster chooses.",
    )
    app_protocol: LabelKey | None = Field(
        default=None, description="What is spoken, such as `kubernetes.io/h2c`."
    )


class ServiceNodeData(NodeData):
    """One stable address for the pods of a workload."""

    one_edge: ClassVar[bool] = True

    name: ServiceName = Field(
        description="Name of the Service, and its host name in the cluster. At most 63 characters."
    )
    service_type: ServiceType = Field(
        default=ServiceType.CLUSTER_IP, description="From where it can be reached."
    )
    target_app: DnsLabel | None = Field(
        default=None,
        description="Name of the workload that answers. An edge to the workload supplies it.",
    )
    port: Port | None = Field(
        default=None, description="The port of the Service; needed unless `ports` is given."
    )
    target_port: PortOrName | None = Field(
        default=None,
        description="Number or name of the container's port. An edge supplies the workload's port; "
        "without either it is `port`.",
    )
    ports: Annotated[list[PortDef], AfterValidator(unique("name"))] = Field(
        default_factory=list,
        max_length=100,
        description="Several ports. `port` is one more, unless it is among them.",
    )
    selector: Labels | None = Field(
        default=None,
        description="Labels of the pods that answer. An edge supplies them; without one they are "
        "those of `targetApp`, when left out.",
    )
    session_affinity: SessionAffinity = Field(
        default=SessionAffinity.NONE,
        description="CLIENT_IP sends all requests of one client to the same pod.",
    )
    session_affinity_timeout_seconds: Annotated[int, Field(strict=True, ge=1, le=86_400)] | None = (
        Field(default=None, description="With CLIENT_IP: seconds of silence, 1 to 86400; 10800.")
    )
    headless: Flag = Field(
        default=False,
        description="No address of its own: its name leads to the pods themselves. A StatefulSet "
        "has one of these.",
    )
    publish_not_ready_addresses: Flag = Field(
        default=False, description="Also lead to pods that are not ready."
    )
    external_name: HostName | None = Field(
        default=None, description="With EXTERNAL_NAME: the host name that this name stands for."
    )
    load_balancer_ip: IpAddress | None = Field(
        default=None, description="With LOAD_BALANCER: the address to ask for."
    )
    load_balancer_class: LabelKey | None = Field(
        default=None, description="With LOAD_BALANCER: which implementation, such as `acme.io/lb`."
    )
    load_balancer_source_ranges: list[Cidr] = Field(
        default_factory=list,
        max_length=256,
        description="With LOAD_BALANCER: the addresses that may connect; left out: all.",
    )
    external_traffic_policy: TrafficPolicy | None = Field(
        default=None, description="With NODE_PORT or LOAD_BALANCER; CLUSTER when left out."
    )
    internal_traffic_policy: TrafficPolicy | None = Field(
        default=None, description="For traffic from inside the cluster; CLUSTER when left out."
    )
    linked_deployment: str | None = Field(
        default=None,
        json_schema_extra=DERIVED,
        description="Id of the workload node that an edge leads to, whatever its kind.",
    )

    def all_ports(self) -> list[PortDef]:
        """Every port of the Service, `port` first unless `ports` has it already.

        `targetPort` is also that of the entry which stands for `port`, or is the only one.
        """
        if self.port is not None and not any(self._stands_for_port(p) for p in self.ports):
            return [_only_port(self.port, self.target_port), *self.ports]
        return [
            p.having(target_port=self.target_port)
            if p.target_port is None and self._stands_for_port(p)
            else p
            for p in self.ports
        ]

    def _stands_for_port(self, port: PortDef) -> bool:
        if self.port is None:
            return len(self.ports) == 1
        return port.port == self.port and port.protocol is Protocol.TCP

    def port_keys(self) -> set[int | str]:
        """By which numbers and names an Ingress can refer to a port."""
        ports = self.all_ports()
        return {port.port for port in ports} | {port.name for port in ports if port.name}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse_at([*self._misplaced(), *self._port_faults()])
        return self

    def _misplaced(self) -> list[tuple[Loc, str]]:
        """What is said, but makes no sense for this type of Service."""
        kind = self.service_type
        exposed = kind in {ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER}
        balanced = kind is ServiceType.LOAD_BALANCER
        external = kind is ServiceType.EXTERNAL_NAME
        rules: list[tuple[bool, tuple[str, ...], str]] = [
            (exposed, ("external_traffic_policy",), "Only NODE_PORT and LOAD_BALANCER have this."),
            (
                balanced,
                ("load_balancer_ip", "load_balancer_class", "load_balancer_source_ranges"),
                "Only LOAD_BALANCER has this: leave it out.",
            ),
            (external, ("external_name",), "Only EXTERNAL_NAME has this: leave it out."),
            (
                not external,
                ("target_app", "selector"),
                "An EXTERNAL_NAME has no pods: leave it out.",
            ),
            (
                kind is ServiceType.CLUSTER_IP,
                ("headless",),
                "Only CLUSTER_IP can be headless.",
            ),
            (
                self.session_affinity is SessionAffinity.CLIENT_IP,
                ("session_affinity_timeout_seconds",),
                "Only a session affinity of CLIENT_IP has a timeout.",
            ),
        ]
        faults: list[tuple[Loc, str]] = [
            ((name,), says)
            for fits, names, says in rules
            if not fits
            for name in names
            if getattr(self, name)
        ]
        if external and self.external_name is None:
            faults.append((("external_name",), "Write the host name that this name stands for."))
        if not exposed:
            says = "Only NODE_PORT and LOAD_BALANCER have a port on the nodes."
            faults.extend(
                (("ports", i, "node_port"), says)
                for i, port in enumerate(self.ports)
                if port.node_port is not None
            )
        return faults

    def _port_faults(self) -> list[tuple[Loc, str]]:
        faults: list[tuple[Loc, str]] = []
        portless = self.headless or self.service_type is ServiceType.EXTERNAL_NAME
        if self.port is None and not self.ports and not portless:
            faults.append((("port",), "Write the port of the Service, 1 to 65535."))
        seen: set[tuple[int, Protocol]] = set()
        for i, port in enumerate(self.ports):
            if (port.port, port.protocol) in seen:
                says = f"{port.port}/{port.protocol} is in this list twice."
                faults.append((("ports", i, "port"), says))
            seen.add((port.port, port.protocol))
        if self.service_type is ServiceType.LOAD_BALANCER:
            says = f"{_KUBELET} is the port of the cluster's nodes themselves: choose another."
            faults.extend(
                (("ports", i, "port"), says)
                for i, port in enumerate(self.ports)
                if port.port == _KUBELET
            )
            if self.port == _KUBELET:
                faults.append((("port",), says))
        taken: set[tuple[int | None, Protocol]] = set()
        for i, port in enumerate(self.ports):
            if port.node_port is not None and (port.node_port, port.protocol) in taken:
                says = f"{port.node_port}/{port.protocol} is in this list twice."
                faults.append((("ports", i, "node_port"), says))
            taken.add((port.node_port, port.protocol))
        return faults

    # ------------------------------------------------------------------------------------ edges

    def out_label(self, link: Link) -> str:  # noqa: ARG002
        ports = [f"{port.port} → {port.target_port or port.port}" for port in self.all_ports()]
        return ", ".join(ports[:3]) + (" …" if len(ports) > 3 else "")

    def wired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        """The target's name and port; `targetPort` stays when it says another port."""
        link, workload = _target(outgoing)
        if link is None or workload is None:
            return self.having(linked_deployment=None)
        return self.having(
            target_app=workload.name,
            target_port=self.target_port or _port(workload),
            selector=workload.selector,
            linked_deployment=link.node_id,
        )

    def unwired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        _, workload = _target(outgoing)
        if workload is None:
            return self.having(linked_deployment=None)
        return self.having(
            target_app=None if self.target_app == workload.name else self.target_app,
            target_port=None if self.target_port == _port(workload) else self.target_port,
            selector=None if self.selector == workload.selector else self.selector,
            linked_deployment=None,
        )


@lru_cache(maxsize=1024)
def _only_port(port: int, target: int | str | None) -> PortDef:
    return PortDef(port=port, target_port=target)


def _target(outgoing: Sequence[Link]) -> tuple[Link | None, WorkloadData | None]:
    for link in outgoing:
        if isinstance(link.data, WorkloadData):
            return link, link.data
    return None, None


def _port(workload: WorkloadData) -> int | None:
    return next((port.port for port in workload.listens()), None)


class ServiceNode(WorkflowNode):
    """A Service on the canvas."""

    type: NodeType = Field(default=NodeType("service"), description="The kind.")
    data: ServiceNodeData = Field(description="What it is made of.")


def manifests(data: ServiceNodeData, place: Place) -> Iterator[Manifest]:
    """The Service."""
    external = data.service_type is ServiceType.EXTERNAL_NAME
    sticky = data.session_affinity is SessionAffinity.CLIENT_IP and not external
    timeout = data.session_affinity_timeout_seconds
    spec = given(
        {
            "type": data.service_type,
            "clusterIP": "None" if data.headless else None,
            "externalName": data.external_name,
            "selector": None if external else _selector(data, place),
            "ports": _ports(data) or None,
            "sessionAffinity": data.session_affinity if sticky else None,
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": timeout}}
            if sticky and timeout is not None
            else None,
            "publishNotReadyAddresses": data.publish_not_ready_addresses or None,
            "loadBalancerIP": data.load_balancer_ip,
            "loadBalancerClass": data.load_balancer_class,
            "loadBalancerSourceRanges": list(data.load_balancer_source_ranges) or None,
            "externalTrafficPolicy": data.external_traffic_policy,
            "internalTrafficPolicy": None if external else data.internal_traffic_policy,
        }
    )
    yield place.manifest("v1", "Service", {"spec": spec}, wave=Wave.SERVICES)


def _selector(data: ServiceNodeData, place: Place) -> dict[str, str] | None:
    """The linked workload's own selector; else what the fields say; None finds nothing."""
    link, _ = _target(place.outgoing)
    if link is not None:
        return place.selector_of(link.node_id)
    if data.selector:
        return dict(data.selector)
    return {labels.APP: data.target_app} if data.target_app is not None else None


def _ports(data: ServiceNodeData) -> list[dict[str, Any]]:
    """The ports; several need names, and those without one are called after their number."""
    ports = data.all_ports()
    several = len(ports) > 1
    return [
        given(
            {
                "name": name if several else port.name,
                "protocol": port.protocol,
                "port": port.port,
                "targetPort": port.target_port,
                "nodePort": port.node_port,
                "appProtocol": port.app_protocol,
            }
        )
        for port, name in named(ports)
    ]


KIND = NodeKind(
    type=NodeType("service"),
    label="Service",
    description="One stable address for the pods of a workload.",
    category="network",
    data=ServiceNodeData,
    node=ServiceNode,
    manifests=manifests,
    defaults={"service_type": ServiceType.CLUSTER_IP, "port": 80},
    connects_to=tuple(
        Connection(kind, "Requests to the Service go to the workload's pods.")
        for kind in ("deployment", "statefulset", "daemonset")
    ),
)
