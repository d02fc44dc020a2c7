"""The fields of work that ends, read back. The inverse of `app.domain.batch`."""

from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.objects import Source
from app.domain.importing.manifests.pods import read_pods
from app.domain.importing.manifests.scene import Scene, template_of

_FIELDS = {
    "completions": "completions",
    "parallelism": "parallelism",
    "completion_mode": "completionMode",
    "backoff_limit": "backoffLimit",
    "active_deadline_seconds": "activeDeadlineSeconds",
    "ttl_seconds_after_finished": "ttlSecondsAfterFinished",
}


def read_batch(form: Form, source: Source, scene: Scene, *job: str) -> None:
    """Fills in what Jobs and CronJobs share; `job` leads to the spec of the Job."""
    read_pods(form, source, scene, serves=False)
    for name, key in _FIELDS.items():
        form.take(name, *job, key)
    form.take("restart_policy", *template_of(source), "spec", "restartPolicy")
