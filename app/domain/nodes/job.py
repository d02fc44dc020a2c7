"""Job: work that runs once and ends, such as a migration."""

from collections.abc import Iterator

from pydantic import Field

from app.domain.batch import BatchData, RestartPolicy, job_spec
from app.domain.fields import DnsLabel
from app.domain.manifest import Manifest, Wave
from app.domain.node import NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.podtemplate import env_secret


class JobNodeData(BatchData):
    """Work that runs once and ends."""

    name: DnsLabel = Field(
        description="Name of the Job, at most 63 characters: its pods carry it as a label."
    )


class JobNode(WorkflowNode):
    """A Job on the canvas."""

    type: NodeType = Field(default=NodeType("job"), description="The kind.")
    data: JobNodeData = Field(description="What it is made of.")


def manifests(data: JobNodeData, place: Place) -> Iterator[Manifest]:
    """The Job."""
    yield from env_secret(data, place)
    yield place.manifest("batch/v1", "Job", {"spec": job_spec(data, place)}, wave=Wave.WORKLOADS)


KIND = NodeKind(
    type=NodeType("job"),
    label="Job",
    description="Work that runs once and ends, such as a migration.",
    category="workload",
    data=JobNodeData,
    node=JobNode,
    manifests=manifests,
    defaults={
        "completions": 1,
        "parallelism": 1,
        "backoff_limit": 6,
        "restart_policy": RestartPolicy.NEVER,
    },
)
