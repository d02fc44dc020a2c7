"""Names: taken twice, in different namespaces, or contradicted by an edge."""

from collections.abc import Iterator

from app.domain import labels
from app.domain.node import Link, WorkflowNode
from app.domain.nodes import NODE_KINDS
from app.domain.nodes.hpa import HPANodeData
from app.domain.nodes.ingress import IngressNodeData
from app.domain.nodes.networkpolicy import SUBJECT, NetworkPolicyNodeData
from app.domain.nodes.plugin import PluginNodeData
from app.domain.nodes.service import ServiceNodeData
from app.domain.nodes.statefulset import StatefulSetNodeData, own_service
from app.domain.problems.scene import Problem, ProblemCode, Scene, Severity, at, matches, pod_labels
from app.domain.workload import WorkloadData


def names(scene: Scene) -> Iterator[Problem]:
    """Two objects of one kind, and two workloads of any kind, need different names."""
    objects: dict[tuple[str, ...], WorkflowNode] = {}
    workloads: dict[tuple[str, str], WorkflowNode] = {}
    for node in scene.nodes.values():
        data, where = node.data, scene.where(node.data)
        key: tuple[str, ...] = (node.type.value, where, data.name)
        if isinstance(data, PluginNodeData):
            key = (*key, data.plugin_id, data.template_id or "")
        first = objects.setdefault(key, node)
        if first is not node:
            label = NODE_KINDS[node.type].label
            yield at(
                node,
                "name",
                code=ProblemCode.NAME_TAKEN,
                severity=Severity.ERROR,
                says=f"Another {label} in the namespace {where} is called {data.name} too: give "
                f"one of them another name.",
            )
            continue
        if not isinstance(data, WorkloadData):
            continue
        other = workloads.setdefault((where, data.name), node)
        if other is not node:
            label = NODE_KINDS[other.type].label
            yield at(
                node,
                "name",
                code=ProblemCode.NAME_SHARED,
                severity=Severity.WARNING,
                says=f"A {label} in the namespace {where} is called {data.name} too, so Services "
                f"and policies find the pods of both: give one of them another name.",
            )


_OURS = {labels.MANAGED_BY, labels.INSTANCE, labels.NODE_ID, labels.WORKFLOW_ID}


def reserved_labels(scene: Scene) -> Iterator[Problem]:
    """Labels that others set, because they find objects and pods by them."""
    for node in scene.nodes.values():
        runs_pods = isinstance(node.data, WorkloadData)
        for key, value in (node.data.labels or {}).items():
            by_name = runs_pods and key == labels.APP and value != node.data.name
            by_cluster = runs_pods and key in labels.CONTROLLED
            if key in _OURS or by_name or by_cluster:
                where = "The label" if key in _OURS else "On the pods the label"
                who = "the cluster" if by_cluster else "the server"
                yield at(
                    node,
                    "labels",
                    key,
                    code=ProblemCode.LABEL_RESERVED,
                    severity=Severity.INFO,
                    says=f"{where} {key} is set by {who}, so this value is not applied: "
                    f"remove it, or choose another key.",
                )


def headless_services(scene: Scene) -> Iterator[Problem]:
    """The Service that a StatefulSet names is there, or is made."""
    for node, data in scene.each(StatefulSetNodeData):
        name = data.service_name
        if name is None:
            continue
        service = scene.named("service", name, data)
        if service is not None and not getattr(service.data, "headless", False):
            yield at(
                node,
                "service_name",
                code=ProblemCode.REFERENCE_UNFIT,
                severity=Severity.WARNING,
                says=f"The Service {name} is not headless, so the pods get no names of their own: "
                f"make it headless, or clear the field to have one made.",
            )
        if service is not None or name == own_service(data.name):
            continue
        yield at(
            node,
            "service_name",
            code=ProblemCode.REFERENCE_DANGLING,
            severity=Severity.WARNING,
            says=f"No Service on the canvas is called {name}: clear the field to have one made, or "
            f"connect a headless Service, unless it is on the cluster already.",
        )


def namespaces(scene: Scene) -> Iterator[Problem]:
    """Kubernetes objects refer to others of their own namespace only."""
    for node in scene.nodes.values():
        for link in scene.out_of(node):
            if isinstance(node.data, NetworkPolicyNodeData) and link.anchor != SUBJECT:
                continue
            here, there = scene.where(node.data), scene.where(link.data)
            if here != there:
                yield at(
                    node,
                    "namespace",
                    code=ProblemCode.NAMESPACE_DIFFERS,
                    severity=Severity.ERROR,
                    says=f"{node.data.name} goes to the namespace {here}, but {link.data.name}, "
                    f"which it is connected to, goes to {there}: give both the same namespace.",
                )


def contradictions(scene: Scene) -> Iterator[Problem]:
    """An explicit field that says something else than an edge; the edge decides."""
    for node in scene.canvas.nodes.values():
        links = scene.out_of(node)
        match node.data:
            case ServiceNodeData():
                yield from _service(node, node.data, links)
            case HPANodeData():
                yield from _autoscaler(node, node.data, links)
            case IngressNodeData():
                yield from _ingress(node, node.data, links)
            case NetworkPolicyNodeData():
                yield from _policy(node, node.data, links)
            case StatefulSetNodeData():
                yield from _statefulset(scene, node, node.data)


def _service(node: WorkflowNode, data: ServiceNodeData, links: list[Link]) -> Iterator[Problem]:
    for link in links:
        if data.target_app not in {None, link.data.name}:
            yield _contradicts(node, "target_app", data.target_app, link.data.name)
        if (
            data.selector
            and isinstance(link.data, WorkloadData)
            and not matches(data.selector, pod_labels(link.data))
        ):
            yield _contradicts(node, "selector", _shown(data.selector), link.data.name)


def _autoscaler(node: WorkflowNode, data: HPANodeData, links: list[Link]) -> Iterator[Problem]:
    for link in links:
        if data.scales is None:
            continue
        kind, name = data.scales
        if name != link.data.name:
            yield _contradicts(node, "scale_target_name", name, link.data.name)
        elif kind != link.type.value:
            yield _contradicts(node, "scale_target_kind", kind, f"the {link.type.value} {name}")


def _ingress(node: WorkflowNode, data: IngressNodeData, links: list[Link]) -> Iterator[Problem]:
    by_path = {link.anchor: link.data for link in links}
    for i, path in enumerate(data.paths):
        service = by_path.get(path.id)
        if not isinstance(service, ServiceNodeData):
            continue
        if path.service_name not in {None, service.name}:
            yield _contradicts(node, "paths", i, "service_name", path.service_name, service.name)
        elif path.service_port not in {None, *service.port_keys()}:
            yield _contradicts(node, "paths", i, "service_port", path.service_port, service.name)


def _policy(
    node: WorkflowNode, data: NetworkPolicyNodeData, links: list[Link]
) -> Iterator[Problem]:
    for link in links:
        if (
            link.anchor == SUBJECT
            and data.pod_selector
            and isinstance(link.data, WorkloadData)
            and not matches(data.pod_selector, pod_labels(link.data))
        ):
            yield _contradicts(node, "pod_selector", _shown(data.pod_selector), link.data.name)


def _statefulset(scene: Scene, node: WorkflowNode, data: StatefulSetNodeData) -> Iterator[Problem]:
    wired = scene.nodes[node.id].data
    if isinstance(wired, StatefulSetNodeData) and data.service_name not in {
        None,
        wired.service_name,
    }:
        yield _contradicts(node, "service_name", data.service_name, wired.service_name)


def _contradicts(node: WorkflowNode, *path_and_values: str | int | None) -> Problem:
    *path, said, meant = path_and_values
    return at(
        node,
        *(step for step in path if step is not None),
        code=ProblemCode.EDGE_CONTRADICTS,
        severity=Severity.WARNING,
        says=f"This says {said}, but the edge leads to {meant}, and the edge decides: clear this "
        f"field, or remove the edge.",
    )


def _shown(selector: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in list(selector.items())[:5])
