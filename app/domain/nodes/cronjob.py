"""CronJob: work that runs on a schedule, such as a nightly backup."""

import enum
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from app.domain.batch import BatchData, RestartPolicy, job_spec
from app.domain.fields import Count, Flag, Schedule, ShortDnsLabel, TimeZone
from app.domain.manifest import Manifest, Wave, given
from app.domain.node import NodeKind, NodeType, WorkflowNode
from app.domain.place import Place
from app.domain.podtemplate import env_secret


class ConcurrencyPolicy(enum.StrEnum):
    """What happens when a run is due and the one before still runs."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class CronJobNodeData(BatchData):
    """Work that runs on a schedule."""

    appended: ClassVar[int] = 11

    name: ShortDnsLabel = Field(
        description="Name of the CronJob, at most 52 characters: its Jobs append 11 to it."
    )
    schedule: Schedule = Field(
        examples=["0 2 * * *"],
        description="Five fields (minute, hour, day of month, month, weekday 0-6), such as "
        "`0 2 * * *`, or @yearly, @monthly, @weekly, @daily, @hourly, `@every 1h30m`.",
    )
    time_zone: TimeZone | None = Field(
        default=None,
        description="IANA time zone of the schedule, such as `Europe/Berlin`; left out: that of "
        "the cluster's controller, mostly UTC.",
    )
    concurrency_policy: ConcurrencyPolicy = Field(
        default=ConcurrencyPolicy.ALLOW,
        description="Whether a run may begin while the one before still runs.",
    )
    suspend: Flag = Field(default=False, description="No run is started while this is true.")
    starting_deadline_seconds: Count | None = Field(
        default=None, description="Seconds that a run may start late before it is skipped."
    )
    successful_jobs_history_limit: Count | None = Field(
        default=None, description="Finished Jobs that are kept; 3 when left out."
    )
    failed_jobs_history_limit: Count | None = Field(
        default=None, description="Failed Jobs that are kept; 1 when left out."
    )
    restart_policy: RestartPolicy = Field(
        default=RestartPolicy.ON_FAILURE, description="What happens to a container that fails."
    )


class CronJobNode(WorkflowNode):
    """A CronJob on the canvas."""

    type: NodeType = Field(default=NodeType("cronjob"), description="The kind.")
    data: CronJobNodeData = Field(description="What it is made of.")


def manifests(data: CronJobNodeData, place: Place) -> Iterator[Manifest]:
    """The CronJob; the Jobs that it makes carry the labels of their pods."""
    yield from env_secret(data, place)
    job = job_spec(data, place)
    spec = given(
        {
            "schedule": data.schedule,
            "timeZone": data.time_zone,
            "concurrencyPolicy": data.concurrency_policy,
            "suspend": data.suspend,
            "startingDeadlineSeconds": data.starting_deadline_seconds,
            "successfulJobsHistoryLimit": data.successful_jobs_history_limit,
            "failedJobsHistoryLimit": data.failed_jobs_history_limit,
            "jobTemplate": {"metadata": {"labels": place.pod_labels()}, "spec": job},
        }
    )
    yield place.manifest("batch/v1", "CronJob", {"spec": spec}, wave=Wave.WORKLOADS)


KIND = NodeKind(
    type=NodeType("cronjob"),
    label="CronJob",
    description="Work that runs on a schedule, such as a nightly backup.",
    category="workload",
    data=CronJobNodeData,
    node=CronJobNode,
    manifests=manifests,
    defaults={
        "schedule": "0 * * * *",
        "concurrency_policy": ConcurrencyPolicy.ALLOW,
        "suspend": False,
        "successful_jobs_history_limit": 3,
        "failed_jobs_history_limit": 1,
    },
)
