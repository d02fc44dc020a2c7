"""ConfigMaps read back."""

from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.metadata import read_metadata
from app.domain.importing.manifests.objects import Source
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Scene


def read(form: Form, source: Source, scene: Scene) -> None:
    read_metadata(form, source, scene)
    form.take("data", "data")
    form.take("binary_data", "binaryData")
    form.take("immutable", "immutable")


READER = Reader(frozenset({("", "ConfigMap")}), read)
