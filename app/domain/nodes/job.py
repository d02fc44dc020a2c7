"""Job: work that runs once and ends, such as a migration."""

from pydantic import Field

from app.domain.batch import BatchData, RestartPolicy
from app.domain.fields import DnsLabel
from app.domain.node import NodeKind, NodeType, WorkflowNode


class JobNodeData(BatchData):
    """Work that runs once and ends."""

    name: DnsLabel = Field(
        description="Name of the Job, at most 63 characters: its pods carry it as a label."
    )


class JobNode(WorkflowNode):
    """A Job on the canvas."""

    type: NodeType = Field(default=NodeType("job"), description="The kind.")
    data: JobNodeData = Field(description="What it is made of.")


KIND = NodeKind(
    type=NodeType("job"),
    label="Job",
    description="Work that runs once and ends, such as a migration.",
    category="workload",
    data=JobNodeData,
    node=JobNode,
    defaults={
        "completions": 1,
        "parallelism": 1,
        "backoff_limit": 6,
        "restart_policy": RestartPolicy.NEVER,
    },
)
