"""PodDisruptionBudget: how many pods a workload keeps while nodes are emptied."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from app.domain.fields import CountOrPercent, DnsSubdomain
from app.domain.manifest import Manifest, Wave, given
from app.domain.node import Connection, NodeData, NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.text import refuse_at


class PodDisruptionBudgetNodeData(NodeData):
    """How many pods a workload keeps while nodes of the cluster are emptied."""

    name: DnsSubdomain = Field(description="Name of the budget.")
    min_available: CountOrPercent | None = Field(default=None, description="Pods that stay.")
    max_unavailable: CountOrPercent | None = Field(default=None, description="Pods that may go.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.min_available is None) == (self.max_unavailable is None):
            refuse_at([(("min_available",), "Write either minAvailable or maxUnavailable.")])
        return self


class PodDisruptionBudgetNode(WorkflowNode):
    """A PodDisruptionBudget on the canvas."""

    type: NodeType = Field(default=NodeType("poddisruptionbudget"), description="The kind.")
    data: PodDisruptionBudgetNodeData = Field(description="What it is made of.")


def manifests(data: PodDisruptionBudgetNodeData, place: Place) -> Iterator[Manifest]:
    """The budget; none without a workload."""
    for link in place.outgoing:
        spec = given(
            {
                "minAvailable": data.min_available,
                "maxUnavailable": data.max_unavailable,
                "selector": {"matchLabels": place.selector_of(link.node_id)},
            }
        )
        yield place.manifest("policy/v1", "PodDisruptionBudget", {"spec": spec}, wave=Wave.ROUTES)
        return


KIND = NodeKind(
    type=NodeType("poddisruptionbudget"),
    label="PodDisruptionBudget",
    description="How many pods a workload keeps while nodes are emptied.",
    category="scaling",
    data=PodDisruptionBudgetNodeData,
    node=PodDisruptionBudgetNode,
    manifests=manifests,
    defaults={"min_available": 1},
    connects_to=tuple(
        Connection(kind, "The budget is about the workload's pods.")
        for kind in ("deployment", "statefulset")
    ),
)
