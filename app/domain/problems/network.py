"""Services, probes and policies: who is reached, on which port."""

from collections.abc import Iterator

from app.domain.node import WorkflowNode
from app.domain.nodes.networkpolicy import (
    NetworkPolicyNodeData,
    NetworkPolicyRule,
    PolicyType,
)
from app.domain.nodes.service import ServiceNodeData, ServiceType
from app.domain.pod import Probe, Protocol
from app.domain.problems.scene import Problem, ProblemCode, Scene, Severity, at
from app.domain.workload import WorkloadData


def targets(scene: Scene) -> Iterator[Problem]:
    """A Service leads to pods that are there."""
    for node, data in scene.each(ServiceNodeData):
        if data.service_type is ServiceType.EXTERNAL_NAME or data.linked_deployment:
            continue
        if data.selector:
            if not scene.finds(data.selector, data):
                yield at(
                    node,
                    "selector",
                    code=ProblemCode.SELECTOR_MATCHES_NOTHING,
                    severity=Severity.WARNING,
                    says="No workload on the canvas has these labels: correct them, or connect the "
                    "Service to its workload.",
                )
        elif data.target_app is None:
            yield at(
                node,
                "target_app",
                code=ProblemCode.REFERENCE_MISSING,
                severity=Severity.WARNING,
                says=f"{data.name} leads nowhere: connect it to a workload.",
            )
        elif scene.workload(data.target_app, data) is None:
            yield at(
                node,
                "target_app",
                code=ProblemCode.REFERENCE_DANGLING,
                severity=Severity.WARNING,
                says=f"No workload on the canvas is called {data.target_app}: connect the Service "
                f"to its workload, unless it is on the cluster already.",
            )


def ports(scene: Scene) -> Iterator[Problem]:
    """The target of a Service listens on the port that is asked for."""
    for node, data in scene.each(ServiceNodeData):
        target = scene.nodes.get(data.linked_deployment or "")
        if target is None and data.target_app is not None and not data.selector:
            target = scene.workload(data.target_app, data)
        if target is None or not isinstance(target.data, WorkloadData):
            continue
        listens = list(target.data.listens())
        known = {port.port for port in listens} | {port.name for port in listens}
        ports = data.all_ports()
        extra = len(ports) - len(data.ports)
        for i, port in enumerate(ports):
            wanted = port.target_port or port.port
            path = ("ports", i - extra, "target_port") if i >= extra else ("target_port",)
            if wanted not in known:
                yield _unexposed(node, path, wanted, target.data)


def _unexposed(
    node: WorkflowNode, path: tuple[str | int, ...], wanted: int | str, target: WorkloadData
) -> Problem:
    """A name must be known; a number that isn't declared may still be listened on."""
    known = ", ".join(str(port.port) for port in target.listens()) or "no port"
    return at(
        node,
        *path,
        code=ProblemCode.PORT_NOT_EXPOSED,
        severity=Severity.ERROR if isinstance(wanted, str) else Severity.WARNING,
        says=f"{target.name} listens on {known}, not on {wanted}: correct the target port, "
        f"or add the port to the workload.",
    )


def probes(scene: Scene) -> Iterator[Problem]:
    """A probe asks at a port that the container has."""
    for node, data in scene.each(WorkloadData):
        listens = list(data.listens())
        known = {port.name for port in listens if port.name}
        for name in ("liveness_probe", "readiness_probe", "startup_probe"):
            probe: Probe | None = getattr(data, name)
            if probe is None:
                continue
            for kind in ("http_get", "tcp_socket", "grpc"):
                check = getattr(probe, kind)
                if check is None:
                    continue
                if check.port is None and not listens:
                    says = "The workload has no port: write the port that the probe asks at."
                elif isinstance(check.port, str) and check.port not in known:
                    says = (
                        f"The workload has no port called {check.port}: write a number, or add the "
                        f"port to the workload."
                    )
                else:
                    continue
                yield at(
                    node,
                    name,
                    kind,
                    "port",
                    code=ProblemCode.PORT_NOT_EXPOSED,
                    severity=Severity.ERROR,
                    says=says,
                )


def policies(scene: Scene) -> Iterator[Problem]:
    """A policy is about pods that are there, and its rules count."""
    for node, data in scene.each(NetworkPolicyNodeData):
        if data.linked_workloads:
            pass
        elif data.pod_selector is None:
            yield at(
                node,
                "pod_selector",
                code=ProblemCode.REFERENCE_MISSING,
                severity=Severity.WARNING,
                says=f"{data.name} is about every pod of its namespace: connect it to a workload, "
                f"or write an empty selector to mean it.",
            )
        elif data.pod_selector and not scene.finds(data.pod_selector, data):
            yield at(
                node,
                "pod_selector",
                code=ProblemCode.SELECTOR_MATCHES_NOTHING,
                severity=Severity.WARNING,
                says="No workload on the canvas has these labels: correct them, or connect the "
                "policy to its workload.",
            )
        for kind, field in (
            (PolicyType.INGRESS, "ingress_rules"),
            (PolicyType.EGRESS, "egress_rules"),
        ):
            if getattr(data, field) and kind not in data.policy_types:
                yield at(
                    node,
                    field,
                    code=ProblemCode.POLICY_RULES_IGNORED,
                    severity=Severity.WARNING,
                    says=f"These rules don't count: add {kind.name} to the policy types, or remove "
                    f"them.",
                )
            for i, rule in enumerate(getattr(data, field)):
                yield from _strangers(scene, node, data, (field, i), rule)
                if kind in data.policy_types and not rule.peers and not rule.ports:
                    yield at(
                        node,
                        field,
                        i,
                        code=ProblemCode.POLICY_ALLOWS_ALL,
                        severity=Severity.WARNING,
                        says="This rule names nobody, so it allows everybody: connect it to a "
                        "workload, or write its peers or ports.",
                    )
        if PolicyType.EGRESS in data.policy_types and not data.egress_rules:
            yield at(
                node,
                "egress_rules",
                code=ProblemCode.POLICY_DENIES_ALL,
                severity=Severity.INFO,
                says="Nothing may go out, not even to look up a name: add a rule for port 53 if "
                "that is not meant.",
            )


def _strangers(
    scene: Scene,
    node: WorkflowNode,
    data: NetworkPolicyNodeData,
    path: tuple[str | int, ...],
    rule: NetworkPolicyRule,
) -> Iterator[Problem]:
    """Peers in the policy's own namespace that no workload is."""
    for i, peer in enumerate(rule.peers):
        if peer.linked_workload or peer.namespace_selector is not None or not peer.pod_selector:
            continue
        if not scene.finds(peer.pod_selector, data):
            yield at(
                node,
                *path,
                "peers",
                i,
                "pod_selector",
                code=ProblemCode.SELECTOR_MATCHES_NOTHING,
                severity=Severity.WARNING,
                says="No workload on the canvas has these labels: correct them, or connect the "
                "rule to its workload, unless it is on the cluster already.",
            )


_NODE_PORTS = range(30_000, 32_768)


def node_ports(scene: Scene) -> Iterator[Problem]:
    """The ports on the cluster's nodes: of each there is one, and mostly few are given away."""
    taken: dict[tuple[int, Protocol], WorkflowNode] = {}
    for node, data in scene.each(ServiceNodeData):
        for i, port in enumerate(data.ports):
            if port.node_port is None:
                continue
            path = ("ports", i, "node_port")
            other = taken.setdefault((port.node_port, port.protocol), node)
            if other is not node:
                yield at(
                    node,
                    *path,
                    code=ProblemCode.NODE_PORT_TAKEN,
                    severity=Severity.ERROR,
                    says=f"{other.data.name} has the port {port.node_port} on the nodes already: "
                    f"choose another, or leave it out to get a free one.",
                )
            elif port.node_port not in _NODE_PORTS:
                yield at(
                    node,
                    *path,
                    code=ProblemCode.NODE_PORT_UNLIKELY,
                    severity=Severity.WARNING,
                    says=f"Clusters give {_NODE_PORTS[0]} to {_NODE_PORTS[-1]} away, unless they "
                    f"are set up otherwise: choose one of these, or leave it out.",
                )
