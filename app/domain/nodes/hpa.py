"""HPA: changes the number of a workload's pods with their load."""

import enum
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from app.domain.fields import DnsLabel, DnsSubdomain, Percent, Positive
from app.domain.manifest import Manifest, Wave, given
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
from app.domain.text import refuse_at

Stabilization = Annotated[int, Field(strict=True, ge=0, le=3600)]


class ScaleTargetKind(enum.StrEnum):
    """What can be scaled."""

    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"


_KINDS = {"deployment": ScaleTargetKind.DEPLOYMENT, "statefulset": ScaleTargetKind.STATEFUL_SET}


class ScalingPolicyType(enum.StrEnum):
    """How the size of a step is meant."""

    PODS = "Pods"
    PERCENT = "Percent"


class ScalingPolicySelect(enum.StrEnum):
    """Which of several steps is taken; DISABLED: none, never scale this way."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


class ScalingPolicy(Value):
    """How far the number of pods may go in how much time."""

    type: ScalingPolicyType = Field(description="A number of pods, or a percentage.")
    value: Positive = Field(description="Size of the step, at least 1.")
    period_seconds: Annotated[int, Field(strict=True, ge=1, le=1800)] = Field(
        default=15, description="Seconds that the step takes, 1 to 1800."
    )


class HPANodeData(NodeData):
    """Changes the number of a workload's pods with their load."""

    one_edge: ClassVar[bool] = True

    name: DnsSubdomain = Field(description="Name of the autoscaler.")
    scale_target_kind: ScaleTargetKind | None = Field(
        default=None,
        description="Kind of the workload. An edge supplies it; without either, DEPLOYMENT.",
    )
    scale_target_name: DnsLabel | None = Field(
        default=None, description="Name of the workload. An edge supplies it."
    )
    min_replicas: Positive = Field(default=1, description="Never fewer pods, at least 1.")
    max_replicas: Positive = Field(description="Never more pods; not below `minReplicas`.")
    target_cpu_utilization: Percent | None = Field(
        default=None,
        description="CPU use to aim at, 1 to 100 % of the request. Without any target: 80 % CPU.",
    )
    target_memory_utilization: Percent | None = Field(
        default=None, description="Memory use to aim at, 1 to 100 % of the request."
    )
    scale_down_stabilization: Stabilization | None = Field(
        default=None, description="Seconds of lower load before pods go, 0 to 3600; 300."
    )
    scale_up_stabilization: Stabilization | None = Field(
        default=None, description="Seconds of higher load before pods come, 0 to 3600; 0."
    )
    scale_down_policies: list[ScalingPolicy] = Field(
        default_factory=list, max_length=10, description="How fast pods go; left out: 100 % / 15 s."
    )
    scale_up_policies: list[ScalingPolicy] = Field(
        default_factory=list,
        max_length=10,
        description="How fast pods come; left out: 100 % or 4 pods / 15 s, whichever is more.",
    )
    scale_down_select: ScalingPolicySelect | None = Field(
        default=None, description="Which of several steps down is taken; MAX when left out."
    )
    scale_up_select: ScalingPolicySelect | None = Field(
        default=None, description="Which of several steps up is taken; MAX when left out."
    )
    linked_target: str | None = Field(
        default=None,
        json_schema_extra=DERIVED,
        description="Id of the workload node that an edge leads to.",
    )

    @model_validator(mode="after")
    def _min_up_to_max(self) -> Self:
        if self.min_replicas > self.max_replicas:
            message = f"At most maxReplicas, which is {self.max_replicas}."
            refuse_at([(("min_replicas",), message)])
        return self

    @property
    def scales(self) -> tuple[str, str] | None:
        if self.scale_target_name is None:
            return None
        kind = self.scale_target_kind or ScaleTargetKind.DEPLOYMENT
        return kind.value.lower(), self.scale_target_name

    def out_label(self, link: Link) -> str:  # noqa: ARG002
        return f"{self.min_replicas} to {self.max_replicas} pods"

    def wired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        for link in outgoing:
            return self.having(
                scale_target_kind=_KINDS.get(link.type),
                scale_target_name=link.data.name,
                linked_target=link.node_id,
            )
        return self.having(linked_target=None)

    def unwired(self, outgoing: Sequence[Link], incoming: Sequence[Link]) -> Self:  # noqa: ARG002
        bare = self.having(linked_target=None)
        for link in outgoing:
            if (self.scale_target_kind or _KINDS.get(link.type)) == _KINDS.get(link.type):
                bare = bare.having(scale_target_kind=None)
            if self.scale_target_name == link.data.name:
                bare = bare.having(scale_target_name=None)
        return bare


class HPANode(WorkflowNode):
    """A HorizontalPodAutoscaler on the canvas."""

    type: NodeType = Field(default=NodeType("hpa"), description="The kind.")
    data: HPANodeData = Field(description="What it is made of.")


def manifests(data: HPANodeData, place: Place) -> Iterator[Manifest]:
    """The autoscaler; none without something to scale."""
    if data.scale_target_name is None:
        return
    target = {
        "apiVersion": "apps/v1",
        "kind": (data.scale_target_kind or ScaleTargetKind.DEPLOYMENT).value,
        "name": data.scale_target_name,
    }
    down = _rules(data.scale_down_stabilization, data.scale_down_policies, data.scale_down_select)
    up = _rules(data.scale_up_stabilization, data.scale_up_policies, data.scale_up_select)
    behavior = {name: rules for name, rules in (("scaleDown", down), ("scaleUp", up)) if rules}
    spec = given(
        {
            "scaleTargetRef": target,
            "minReplicas": data.min_replicas,
            "maxReplicas": data.max_replicas,
            "metrics": _metrics(data),
            "behavior": behavior or None,
        }
    )
    yield place.manifest(
        "autoscaling/v2", "HorizontalPodAutoscaler", {"spec": spec}, wave=Wave.ROUTES
    )


def _metrics(data: HPANodeData) -> list[dict[str, Any]]:
    wanted = {"cpu": data.target_cpu_utilization, "memory": data.target_memory_utilization}
    if not any(wanted.values()):
        wanted["cpu"] = 80
    return [
        {
            "type": "Resource",
            "resource": {
                "name": name,
                "target": {"type": "Utilization", "averageUtilization": percent},
            },
        }
        for name, percent in wanted.items()
        if percent is not None
    ]


def _rules(
    window: int | None, policies: Sequence[ScalingPolicy], select: ScalingPolicySelect | None
) -> dict[str, Any]:
    steps = [
        {"type": step.type.value, "value": step.value, "periodSeconds": step.period_seconds}
        for step in policies
    ]
    return given(
        {
            "stabilizationWindowSeconds": window,
            "selectPolicy": select,
            "policies": steps or None,
        }
    )


KIND = NodeKind(
    type=NodeType("hpa"),
    label="HorizontalPodAutoscaler",
    description="Changes the number of a workload's pods with their load.",
    category="scaling",
    data=HPANodeData,
    node=HPANode,
    manifests=manifests,
    defaults={
        "scale_target_kind": ScaleTargetKind.DEPLOYMENT,
        "min_replicas": 1,
        "max_replicas": 10,
        "target_cpu_utilization": 80,
    },
    connects_to=tuple(
        Connection(kind, "The number of the workload's pods follows their load.")
        for kind in ("deployment", "statefulset")
    ),
)
