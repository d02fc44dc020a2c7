"""The fields of work that ends, shared by Job and CronJob."""

import enum
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from app.domain.fields import Count, Positive
from app.domain.manifest import given
from app.domain.place import Place
from app.domain.podtemplate import pod_template
from app.domain.text import refuse_at
from app.domain.workload import WorkloadData


class RestartPolicy(enum.StrEnum):
    """What happens to a container that fails: NEVER makes a new pod, ON_FAILURE restarts it."""

    NEVER = "Never"
    ON_FAILURE = "OnFailure"


class CompletionMode(enum.StrEnum):
    """Whether the pods of a job are alike, or each has an index of its own."""

    NON_INDEXED = "NonIndexed"
    INDEXED = "Indexed"


class BatchData(WorkloadData):
    """Pods that run until they are done."""

    appended: ClassVar[int] = 0
    """How many characters the name of a job has on top of the node's."""

    completions: Positive | None = Field(
        default=None, description="How many pods have to succeed; 1 when left out."
    )
    parallelism: Count | None = Field(
        default=None, description="How many pods may run at once; 1 when left out, 0 pauses."
    )
    backoff_limit: Count | None = Field(
        default=None, description="Failures before the job counts as failed; 6 when left out."
    )
    active_deadline_seconds: Positive | None = Field(
        default=None, description="Seconds after which the job is ended as failed; none by default."
    )
    ttl_seconds_after_finished: Count | None = Field(
        default=None, description="Seconds after its end when the job is deleted; never by default."
    )
    completion_mode: CompletionMode | None = Field(
        default=None, description="NON_INDEXED when left out."
    )
    restart_policy: RestartPolicy = Field(
        default=RestartPolicy.NEVER, description="What happens to a container that fails."
    )

    @model_validator(mode="after")
    def _indexed_fits(self) -> Self:
        if self.completion_mode is not CompletionMode.INDEXED:
            return self
        if self.completions is None:
            refuse_at([(("completions",), "An indexed job needs a number of completions.")])
        else:
            longest = 62 - self.appended - len(str(self.completions - 1))
            if len(self.name) > longest:
                says = f"At most {longest} characters: an indexed job's pods append their number."
                refuse_at([(("name",), says)])
        most = 100_000 if (self.completions or 0) <= 100_000 else 10_000
        if (self.parallelism or 0) > most:
            refuse_at([(("parallelism",), f"At most {most} for an indexed job of this size.")])
        return self


def job_spec(data: BatchData, place: Place) -> dict[str, Any]:
    """The spec of a Job, or of the Jobs that a CronJob makes. Its selector is the cluster's."""
    return given(
        {
            "completions": data.completions,
            "parallelism": data.parallelism,
            "completionMode": data.completion_mode,
            "backoffLimit": data.backoff_limit,
            "activeDeadlineSeconds": data.active_deadline_seconds,
            "ttlSecondsAfterFinished": data.ttl_seconds_after_finished,
            "template": pod_template(data, place, pod={"restartPolicy": data.restart_policy.value}),
        }
    )
