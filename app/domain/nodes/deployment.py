"""Deployment: a stateless application, any number of pods that are all alike."""

import enum
from collections.abc import Iterator
from typing import Any, Self

from pydantic import Field, model_validator

from app.domain.fields import Count, CountOrPercent, Positive
from app.domain.manifest import Manifest, Wave, given
from app.domain.node import DERIVED, NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.podtemplate import env_secret, pod_template
from app.domain.text import refuse_at
from app.domain.workload import ServingData

_DEADLINE = 600
"""Seconds that the cluster gives a rollout to move on, when nothing is said."""


class DeploymentStrategy(enum.StrEnum):
    """How new pods replace old ones: step by step, or all old ones first."""

    ROLLING_UPDATE = "RollingUpdate"
    RECREATE = "Recreate"


class DeploymentNodeData(ServingData):
    """A stateless application."""

    replicas: Count = Field(default=1, description="Number of pods; 0 stops the application.")
    strategy: DeploymentStrategy | None = Field(
        default=None, description="How new pods replace old ones; ROLLING_UPDATE when left out."
    )
    max_surge: CountOrPercent | None = Field(
        default=None, description="Pods on top during an update, as number or percentage; 25 %."
    )
    max_unavailable: CountOrPercent | None = Field(
        default=None, description="Pods missing during an update, as number or percentage; 25 %."
    )
    progress_deadline_seconds: Positive | None = Field(
        default=None, description="Seconds without progress after which a rollout has failed; 600."
    )
    linked_pvcs: list[str] = Field(
        default_factory=list,
        json_schema_extra=DERIVED,
        description="Ids of the claim nodes that edges lead from.",
    )

    @model_validator(mode="after")
    def _strategy_fits(self) -> Self:
        if self.strategy is DeploymentStrategy.RECREATE:
            refuse_at(
                ((name,), "RECREATE has no steps: leave it out.")
                for name in ("max_surge", "max_unavailable")
                if getattr(self, name) is not None
            )
        if self.max_surge in {0, "0%"} and self.max_unavailable in {0, "0%"}:
            refuse_at([(("max_unavailable",), "0 with a maxSurge of 0: no pod could be replaced.")])
        ready = self.min_ready_seconds or 0
        if self.progress_deadline_seconds is not None and self.progress_deadline_seconds <= ready:
            message = f"More than minReadySeconds, which is {ready}."
            refuse_at([(("progress_deadline_seconds",), message)])
        return self


class DeploymentNode(WorkflowNode):
    """A Deployment on the canvas."""

    type: NodeType = Field(default=NodeType("deployment"), description="The kind.")
    data: DeploymentNodeData = Field(description="What it is made of.")


def manifests(data: DeploymentNodeData, place: Place) -> Iterator[Manifest]:
    """The Deployment. An autoscaler's workload says nothing about its number of pods."""
    yield from env_secret(data, place)
    spec = given(
        {
            "replicas": None if place.is_scaled else data.replicas,
            "selector": {"matchLabels": place.selector},
            "strategy": _strategy(data),
            "minReadySeconds": data.min_ready_seconds,
            "revisionHistoryLimit": data.revision_history_limit,
            "progressDeadlineSeconds": _deadline(data),
            "template": pod_template(data, place),
        }
    )
    yield place.manifest("apps/v1", "Deployment", {"spec": spec}, wave=Wave.WORKLOADS)


def _strategy(data: DeploymentNodeData) -> dict[str, Any] | None:
    steps = given({"maxSurge": data.max_surge, "maxUnavailable": data.max_unavailable})
    if data.strategy is None and not steps:
        return None
    kind = data.strategy or DeploymentStrategy.ROLLING_UPDATE
    return given({"type": kind, "rollingUpdate": steps or None})


def _deadline(data: DeploymentNodeData) -> int | None:
    """The cluster's own deadline is too short for pods that take longer to count as ready."""
    ready = data.min_ready_seconds or 0
    if data.progress_deadline_seconds is None and ready >= _DEADLINE:
        return min(ready + _DEADLINE, 2**31 - 1)
    return data.progress_deadline_seconds


KIND = NodeKind(
    type=NodeType("deployment"),
    label="Deployment",
    description="A stateless application: any number of pods that are all alike.",
    category="workload",
    data=DeploymentNodeData,
    node=DeploymentNode,
    manifests=manifests,
    defaults={"replicas": 1, "port": 8080},
)
