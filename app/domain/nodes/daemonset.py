"""DaemonSet: one pod on every node of the cluster, such as a log collector."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from app.domain.fields import CountOrPercent, Flag
from app.domain.manifest import Manifest, Wave, given
from app.domain.node import NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.podtemplate import env_secret, pod_template
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


def manifests(data: DaemonSetNodeData, place: Place) -> Iterator[Manifest]:
    """The DaemonSet."""
    yield from env_secret(data, place)
    steps = given({"maxUnavailable": data.max_unavailable})
    pod = {"hostPID": data.host_pid or None, "hostIPC": data.host_ipc or None}
    spec = given(
        {
            "selector": {"matchLabels": place.selector},
            "updateStrategy": given({"type": data.update_strategy, "rollingUpdate": steps or None}),
            "minReadySeconds": data.min_ready_seconds,
            "revisionHistoryLimit": data.revision_history_limit,
            "template": pod_template(data, place, pod=pod),
        }
    )
    yield place.manifest("apps/v1", "DaemonSet", {"spec": spec}, wave=Wave.WORKLOADS)


KIND = NodeKind(
    type=NodeType("daemonset"),
    label="DaemonSet",
    description="One pod on every node of the cluster, such as a log collector.",
    category="workload",
    data=DaemonSetNodeData,
    node=DaemonSetNode,
    manifests=manifests,
    defaults={"port": 8080, "update_strategy": UpdateStrategy.ROLLING_UPDATE},
)
