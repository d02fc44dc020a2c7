"""Job: work that runs once and ends, such as a migration."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from app.domain.batch import BatchData, CompletionMode, RestartPolicy, job_spec
from app.domain.fields import DnsLabel
from app.domain.manifest import Manifest, Wave
from app.domain.node import NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.podtemplate import env_secret
from app.domain.text import refuse_at


class JobNodeData(BatchData):
    """Work that runs once and ends."""

    name: DnsLabel = Field(
        description="Name of the Job, at most 63 characters: its pods carry it as a label."
    )

    @model_validator(mode="after")
    def _pod_names_fit(self) -> Self:
        if self.completion_mode is CompletionMode.INDEXED and self.completions is not None:
            most = 62 - len(str(self.completions - 1))
            if len(self.name) > most:
                message = f"At most {most} characters: an indexed job's pods append their number."
                refuse_at([(("name",), message)])
        return self


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
