"""Deployment: a stateless application, any number of pods that are all alike."""

import enum
from typing import Self

from pydantic import Field, model_validator

from app.domain.fields import Count, CountOrPercent, Positive
from app.domain.node import DERIVED, NodeKind, NodeType, WorkflowNode
from app.domain.text import refuse_at
from app.domain.workload import ServingData


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
        return self


class DeploymentNode(WorkflowNode):
    """A Deployment on the canvas."""

    type: NodeType = Field(default=NodeType("deployment"), description="The kind.")
    data: DeploymentNodeData = Field(description="What it is made of.")


KIND = NodeKind(
    type=NodeType("deployment"),
    label="Deployment",
    description="A stateless application: any number of pods that are all alike.",
    category="workload",
    data=DeploymentNodeData,
    node=DeploymentNode,
    defaults={"replicas": 1, "port": 8080},
)
