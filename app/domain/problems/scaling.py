"""Autoscalers and amounts of compute."""

from collections.abc import Iterator

from app.domain import quantity
from app.domain.node import NodeData, WorkflowNode
from app.domain.nodes.deployment import DeploymentNodeData
from app.domain.nodes.hpa import HPANodeData, ScaleTargetKind
from app.domain.nodes.persistentvolumeclaim import PersistentVolumeClaimNodeData
from app.domain.nodes.plugin import PluginNodeData
from app.domain.nodes.statefulset import StatefulSetNodeData
from app.domain.problems.scene import Problem, ProblemCode, Scene, Severity, at
from app.domain.workload import WorkloadData

_TYPES = {ScaleTargetKind.DEPLOYMENT: "deployment", ScaleTargetKind.STATEFUL_SET: "statefulset"}


def targets(scene: Scene) -> Iterator[Problem]:
    """An autoscaler has a target of its own, whose use can be measured."""
    scaled: dict[str, str] = {}
    for node, data in scene.each(HPANodeData):
        if data.scale_target_name is None:
            yield at(
                node,
                "scale_target_name",
                code=ProblemCode.REFERENCE_MISSING,
                severity=Severity.ERROR,
                says=f"{data.name} scales nothing: connect it to a Deployment or a StatefulSet.",
            )
            continue
        kind = data.scale_target_kind or ScaleTargetKind.DEPLOYMENT
        target = scene.nodes.get(data.linked_target or "")
        target = target or scene.named(_TYPES[kind], data.scale_target_name, data)
        if target is None:
            yield at(
                node,
                "scale_target_name",
                code=ProblemCode.REFERENCE_DANGLING,
                severity=Severity.WARNING,
                says=f"No {kind.value} on the canvas is called {data.scale_target_name}: connect "
                f"the autoscaler to its workload, unless it is on the cluster already.",
            )
            continue
        first = scaled.setdefault(target.id, data.name)
        if first != data.name:
            yield at(
                node,
                "scale_target_name",
                code=ProblemCode.SCALED_TWICE,
                severity=Severity.ERROR,
                says=f"{first} scales {target.data.name} already: remove one of the autoscalers.",
            )
        yield from _workload(data, target)


def rivals(scene: Scene) -> Iterator[Problem]:
    """A plugin's scaler makes an autoscaler of its own, and two of them undo each other's work."""
    scaled: dict[str, str] = {}
    for _, data in scene.each(HPANodeData):
        if (target := _target(scene, data)) is not None:
            scaled.setdefault(target.id, data.name)
    for node, scaler in scene.each(PluginNodeData):
        if (target := _target(scene, scaler)) is None:
            continue
        first = scaled.setdefault(target.id, scaler.name)
        if first != scaler.name:
            yield at(
                node,
                "fields",
                code=ProblemCode.SCALED_TWICE,
                severity=Severity.ERROR,
                says=f"{first} scales {target.data.name} already: remove one of the autoscalers.",
            )


def _target(scene: Scene, data: NodeData) -> WorkflowNode | None:
    """The workload on the canvas whose number of pods a node decides."""
    return scene.named(*data.scales, data) if data.scales is not None else None


def _workload(data: HPANodeData, target: WorkflowNode) -> Iterator[Problem]:
    if isinstance(target.data, DeploymentNodeData | StatefulSetNodeData):
        replicas = target.data.replicas
        if replicas == 0:
            yield at(
                target,
                "replicas",
                code=ProblemCode.REPLICAS_IGNORED,
                severity=Severity.WARNING,
                says=f"With 0 replicas the autoscaler {data.name} rests: write at least 1.",
            )
        elif replicas != 1:
            yield at(
                target,
                "replicas",
                code=ProblemCode.REPLICAS_IGNORED,
                severity=Severity.INFO,
                says=f"The autoscaler {data.name} decides the number of pods, from "
                f"{data.min_replicas} to {data.max_replicas}; {replicas} is not applied.",
            )
    if not isinstance(target.data, WorkloadData):
        return
    resources = target.data.resources
    asked = [r for r in (resources.requests, resources.limits) if r] if resources else []
    cpu_by_default = data.target_memory_utilization is None
    for name, wanted in (
        ("cpu", data.target_cpu_utilization is not None or cpu_by_default),
        ("memory", data.target_memory_utilization is not None),
    ):
        if wanted and not any(getattr(amounts, name) for amounts in asked):
            yield at(
                target,
                "resources",
                "requests",
                name,
                code=ProblemCode.REQUESTS_MISSING,
                severity=Severity.WARNING,
                says=f"The autoscaler {data.name} measures {name} against the request, and there "
                f"is none: write one.",
            )


def limits(scene: Scene) -> Iterator[Problem]:
    """Amounts that are allowed, but hardly meant."""
    for node, data in scene.each(WorkloadData):
        for side in ("requests", "limits"):
            amounts = getattr(data.resources, side, None)
            if amounts is None:
                continue
            if amounts.memory and quantity.amount(amounts.memory) < 2**20:
                says = f"{amounts.memory} of memory is less than 1Mi"
                yield _unlikely(node, "resources", side, "memory", says=says)
            if amounts.cpu and quantity.amount(amounts.cpu) >= 1000:
                says = f"{amounts.cpu} means that many CPU cores"
                yield _unlikely(node, "resources", side, "cpu", says=says)


def disks(scene: Scene) -> Iterator[Problem]:
    """Disks that hold nothing: `10m` is a hundredth of a byte."""
    for node, claim in scene.each(PersistentVolumeClaimNodeData):
        yield from _disk(node, claim.storage, "storage")
    for node, data in scene.each(StatefulSetNodeData):
        for i, template in enumerate(data.volume_claim_templates):
            yield from _disk(node, template.storage, "volume_claim_templates", i, "storage")


def _disk(node: WorkflowNode, storage: str, *path: str | int) -> Iterator[Problem]:
    if quantity.amount(storage) < 2**20:
        yield _unlikely(node, *path, says=f"{storage} of disk is less than 1Mi")


_SUGGESTIONS = {"memory": "128Mi", "cpu": "500m", "storage": "10Gi"}


def _unlikely(node: WorkflowNode, *path: str | int, says: str) -> Problem:
    suggestion = f"such as {_SUGGESTIONS[str(path[-1])]}"
    return at(
        node,
        *path,
        code=ProblemCode.QUANTITY_UNLIKELY,
        severity=Severity.WARNING,
        says=f"{says}: write an amount {suggestion}, if that is not meant.",
    )
