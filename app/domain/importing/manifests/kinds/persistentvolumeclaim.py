"""PersistentVolumeClaims read back."""

from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.metadata import read_metadata
from app.domain.importing.manifests.objects import Source, at
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Scene

_BOUND = ("metadata", "annotations", "pv.kubernetes.io/bind-completed")


def read(form: Form, source: Source, scene: Scene) -> None:
    read_metadata(form, source, scene)
    form.take("storage_class_name", "spec", "storageClassName")
    form.take("access_modes", "spec", "accessModes")
    form.take("volume_mode", "spec", "volumeMode")
    storage = at(form.object, "spec", "resources", "requests", "storage")
    if isinstance(storage, int) and not isinstance(storage, bool):
        storage = str(storage)
    form.put("storage", storage, "spec", "resources", "requests", "storage")
    if at(form.object, *_BOUND) is None:
        form.take("volume_name", "spec", "volumeName")
    else:
        says = "The volume belongs to the claim that was exported: a new claim gets its own."
        form.reasons["spec", "volumeName"] = says


READER = Reader(frozenset({("", "PersistentVolumeClaim")}), read)
