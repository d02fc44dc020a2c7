"""DaemonSets read back."""

from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.mounts import link_mounts
from app.domain.importing.manifests.objects import Source
from app.domain.importing.manifests.pods import read_pods
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Scene


def read(form: Form, source: Source, scene: Scene) -> None:
    read_pods(form, source, scene, serves=True)
    form.take("update_strategy", "spec", "updateStrategy", "type")
    form.take("max_unavailable", "spec", "updateStrategy", "rollingUpdate", "maxUnavailable")
    form.take("min_ready_seconds", "spec", "minReadySeconds")
    form.take("revision_history_limit", "spec", "revisionHistoryLimit")
    form.take("host_pid", "spec", "template", "spec", "hostPID")
    form.take("host_ipc", "spec", "template", "spec", "hostIPC")


READER = Reader(frozenset({("apps", "DaemonSet")}), read, link_mounts)
