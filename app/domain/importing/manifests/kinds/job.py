"""Jobs read back."""

from app.domain.importing.manifests.batch import read_batch
from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.mounts import link_mounts
from app.domain.importing.manifests.objects import Source
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Scene


def read(form: Form, source: Source, scene: Scene) -> None:
    read_batch(form, source, scene, "spec")


READER = Reader(frozenset({("batch", "Job")}), read, link_mounts)
