"""Secrets read back: the names of their values, never a value."""

from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.metadata import read_metadata
from app.domain.importing.manifests.objects import Source, mapping
from app.domain.importing.manifests.reader import Reader
from app.domain.importing.manifests.scene import Scene


def read(form: Form, source: Source, scene: Scene) -> None:
    read_metadata(form, source, scene)
    form.take("secret_type", "type")
    form.take("immutable", "immutable")
    for part in ("data", "stringData"):
        for key in mapping(form.object.get(part)):
            if all(entry["name"] != key for entry in form.values.get("keys", ())):
                form.add("keys", {"name": key}, part, key)


READER = Reader(frozenset({("", "Secret")}), read)
