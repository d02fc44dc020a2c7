"""DaemonSet: one pod on every node of the cluster, such as a log collector."""

from typing import Self

from pydantic import Field, model_validator

from app.domain.fields import CountOrPercent, Flag
from app.domain.node import NodeKind, NodeType, WorkflowNode
from app.domain.text import refuse_at
from app.domain.workload import ServingData, UpdateStrategy


class DaemonSetNodeData(ServingData):
    """One pod on every node of the cluster."""

    update_strategy: UpdateStrategy = Field(
        default=UpdateStrategy.ROLLING_UPDATE, description="How new pods replace old ones."
    )
    max_unavailable: CountOrPercent | None = Field(
        default=None,
        description="Pods missing during an update, as number or percentage; 1 when left out.",
    )
    host_pid: Flag = Field(default=False, description="Pods see the processes of their node.")
    host_ipc: Flag = Field(
        default=False, description="Pods share their node's inter-process communication."
    )

    @model_validator(mode="after")
    def _strategy_fits(self) -> Self:
        if self.max_unavailable is None:
            return self
        if self.update_strategy is UpdateStrategy.ON_DELETE:
            refuse_at([(("max_unavailable",), "ON_DELETE has no steps: leave it out.")])
        if self.max_unavailable in {0, "0%"}:
            refuse_at([(("max_unavailable",), "At least 1: with 0 no pod could be replaced.")])
        return self


class DaemonSetNode(WorkflowNode):
    """A DaemonSet on the canvas."""

    type: NodeType = Field(default=NodeType("daemonset"), description="The kind.")
    data: DaemonSetNodeData = Field(description="What it is made of.")


KIND = NodeKind(
    type=NodeType("daemonset"),
    label="DaemonSet",
    description="One pod on every node of the cluster, such as a log collector.",
    category="workload",
    data=DaemonSetNodeData,
    node=DaemonSetNode,
    defaults={"port": 8080, "update_strategy": UpdateStrategy.ROLLING_UPDATE},
)
