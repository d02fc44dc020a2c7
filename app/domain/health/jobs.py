"""Jobs and CronJobs.

Beyond kstatus, which takes a Job for current as soon as it runs: a run waits until the Job is done,
and a Job that was suspended is told apart from one that is finished.
"""

from app.domain.health.seen import Seen, number, part, said, time, word
from app.domain.health.verdict import Health, HealthState, Note
from app.domain.health.workloads import explained, is_owned, own_pods, youngest

_FAILURES = {
    "BackoffLimitExceeded": "The job failed more often than it may.",
    "DeadlineExceeded": "The job ran longer than it may.",
    "PodFailurePolicy": "A pod failed in a way that ends the job.",
    "FailedIndexes": "Some indexes of the job failed.",
    "MaxFailedIndexesExceeded": "More indexes of the job failed than may.",
}


def job(seen: Seen) -> Health:
    """A Job; related are its pods. `ready` and `desired` count completions."""
    done = number(seen.status, "succeeded")
    want = number(seen.spec, "completions", number(seen.spec, "parallelism", 1) or 1)
    return explained(seen, _ladder(seen, done, want), own_pods(seen), serves=False)


def _ladder(seen: Seen, done: int, want: int) -> Health:
    if seen.holds("Failed"):
        condition = seen.condition("Failed")
        reason = word(condition, "reason") or "JobFailed"
        says = _FAILURES.get(reason)
        if says is None:
            says = f"The job failed{f': {words}' if (words := said(condition)) else ''}."
        message = f"{says} {_attempts(seen, done, want)}"
        return Health(HealthState.ERROR, reason, message, done, want)
    if seen.holds("Complete"):
        message = f"The job is done: {done} of {want} completed."
        return Health(HealthState.HEALTHY, "Completed", message, done, want)
    if seen.spec.get("suspend") is True and seen.holds("Suspended"):
        message = "The job is suspended: it goes on when suspend is taken off."
        return Health(HealthState.SUSPENDED, "JobSuspended", message, done, want)
    if not word(seen.status, "startTime"):
        return Health(
            HealthState.PENDING, "JobNotStarted", "The job has not started yet.", done, want
        )
    if seen.spec.get("parallelism") == 0 and number(seen.status, "active") == 0:
        message = "The job may run no pods: its parallelism is 0."
        return Health(HealthState.SUSPENDED, "NoParallelism", message, done, want)
    message = f"The job runs: {_attempts(seen, done, want)}"
    return Health(HealthState.PENDING, "JobRunning", message, done, want)


def _attempts(seen: Seen, done: int, want: int) -> str:
    failed = number(seen.status, "failed")
    more = f", {failed} {'attempt' if failed == 1 else 'attempts'} failed" if failed else ""
    return f"{done} of {want} completed{more}."


def cronjob(seen: Seen) -> Health:
    """A CronJob; related are its Jobs. Its runs don't make it healthy or not: they are noted."""
    if seen.spec.get("suspend") is True:
        message = "Suspended: it starts no jobs until suspend is taken off."
        return Health(HealthState.SUSPENDED, "CronJobSuspended", message)
    last = word(seen.status, "lastScheduleTime")
    message = f"Scheduled; it last ran at {last}." if last else "Scheduled; it has not run yet."
    return Health(HealthState.HEALTHY, "Scheduled", message).noting(*_last_run(seen))


def _last_run(seen: Seen) -> list[Note]:
    newest = youngest(job for job in seen.of_kind("Job") if is_owned(job, seen.uid))
    if newest is None:
        return []
    run = Seen(newest, (), (), seen.now)
    if not run.holds("Failed"):
        return []
    ended = time(run.condition("Failed"), "lastTransitionTime")
    when = f" at {ended:%Y-%m-%d %H:%M} UTC" if ended is not None else ""
    reason = word(run.condition("Failed"), "reason") or "JobFailed"
    name = word(part(newest, "metadata"), "name")
    return [Note("LastRunFailed", f"The last job, {name}, failed{when} ({reason}).")]
