"""Deployments read back."""

from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.mounts import link_mounts
from app.domain.importing.manifests.objects import Source
from app.domain.importing.manifests.pods import read_pods
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Scene


def read(form: Form, source: Source, scene: Scene) -> None:
    read_pods(form, source, scene, serves=True)
    form.take("replicas", "spec", "replicas")
    form.take("strategy", "spec", "strategy", "type")
    form.take("max_surge", "spec", "strategy", "rollingUpdate", "maxSurge")
    form.take("max_unavailable", "spec", "strategy", "rollingUpdate", "maxUnavailable")
    form.take("min_ready_seconds", "spec", "minReadySeconds")
    form.take("revision_history_limit", "spec", "revisionHistoryLimit")
    form.take("progress_deadline_seconds", "spec", "progressDeadlineSeconds")


READER = Reader(frozenset({("apps", "Deployment")}), read, link_mounts)
