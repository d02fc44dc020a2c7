"""CronJob: work that runs on a schedule, such as a nightly backup."""

import enum

from pydantic import Field

from app.domain.batch import BatchData, RestartPolicy
from app.domain.fields import Count, Flag, Schedule, ShortDnsLabel, TimeZone
from app.domain.node import NodeKind, NodeType, WorkflowNode


class ConcurrencyPolicy(enum.StrEnum):
    """What happens when a run is due and the one before still runs."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class CronJobNodeData(BatchData):
    """Work that runs on a schedule."""

    name: ShortDnsLabel = Field(
        description="Name of the CronJob, at most 52 characters: its Jobs append 11 to it."
    )
    schedule: Schedule = Field(
        description="Five fields (minute, hour, day of month, month, weekday 0-6), such as "
        "`0 2 * * *`, or @yearly, @monthly, @weekly, @daily, @hourly, `@every 1h30m`."
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


KIND = NodeKind(
    type=NodeType("cronjob"),
    label="CronJob",
    description="Work that runs on a schedule, such as a nightly backup.",
    category="workload",
    data=CronJobNodeData,
    node=CronJobNode,
    defaults={
        "schedule": "0 * * * *",
        "concurrency_policy": ConcurrencyPolicy.ALLOW,
        "suspend": False,
        "successful_jobs_history_limit": 3,
        "failed_jobs_history_limit": 1,
    },
)
