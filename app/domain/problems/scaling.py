"""Autoscalers and amounts of compute."""

from collections.abc import Iterator

from app.domain import quantity
from app.domain.node import WorkflowNode
from app.domain.nodes.deployment import DeploymentNodeData
from app.domain.nodes.hpa import HPANodeData, ScaleTargetKind
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
                yield _unlikely(
                    node, side, "memory", f"{amounts.memory} of memory is less than 1Mi"
                )
            if amounts.cpu and quantity.amount(amounts.cpu) >= 1000:
                yield _unlikely(node, side, "cpu", f"{amounts.cpu} means that many CPU cores")


def _unlikely(node: WorkflowNode, side: str, name: str, says: str) -> Problem:
    suggestion = "such as 128Mi" if name == "memory" else "such as 500m"
    return at(
        node,
        "resources",
        side,
        name,
        code=ProblemCode.QUANTITY_UNLIKELY,
        severity=Severity.WARNING,
        says=f"{says}: write an amount {suggestion}, if that is not meant.",
    )
