"""CronJobs read back."""

from app.domain.importing.manifests.batch import read_batch
from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.mounts import link_mounts
from app.domain.importing.manifests.objects import Source
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Scene

_FIELDS = {
    "schedule": "schedule",
    "time_zone": "timeZone",
    "concurrency_policy": "concurrencyPolicy",
    "suspend": "suspend",
    "starting_deadline_seconds": "startingDeadlineSeconds",
    "successful_jobs_history_limit": "successfulJobsHistoryLimit",
    "failed_jobs_history_limit": "failedJobsHistoryLimit",
}


def read(form: Form, source: Source, scene: Scene) -> None:
    read_batch(form, source, scene, "spec", "jobTemplate", "spec")
    for name, key in _FIELDS.items():
        form.take(name, "spec", key)


READER = Reader(frozenset({("batch", "CronJob")}), read, link_mounts)
