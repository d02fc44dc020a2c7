"""Trouble on purpose: which containers fail, how, and in whose words.

An image whose name contains `missing`, `crash` or `oom` fails so (`unschedulable` is the
scheduler's); so does every container of a pod with the annotation `sandbox/fail`. What a pod names
and the cluster lacks is a trouble too, which heals when it appears.
"""

import enum
from collections.abc import Iterator
from typing import NamedTuple

from app.sandbox.objects import Object, annotations_of
from app.sandbox.world import World
from app.sandbox.world.pods import FAIL


class Trouble(enum.Enum):
    """How a container fails."""

    PULL = "pull"
    CRASH = "crash"
    OOM = "oom"
    READINESS = "readiness"


_BY_IMAGE = {
    "missing": Trouble.PULL,
    "does-not-exist": Trouble.PULL,
    "crash": Trouble.CRASH,
    "oom": Trouble.OOM,
}
_BY_ANNOTATION = {
    "pull": Trouble.PULL,
    "crash": Trouble.CRASH,
    "fail": Trouble.CRASH,
    "oom": Trouble.OOM,
    "readiness": Trouble.READINESS,
}


def of_container(pod: Object, container: Object) -> Trouble | None:
    """How a container of a pod fails, if it does."""
    asked = str(annotations_of(pod).get(FAIL, ""))
    if asked in _BY_ANNOTATION:
        return _BY_ANNOTATION[asked]
    image = str(container.get("image", ""))
    return next((trouble for word, trouble in _BY_IMAGE.items() if word in image), None)


def pull_error(image: str) -> str:
    """What containerd says of an image that the registry does not have."""
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": failed to '
        f'resolve reference "{image}": {image}: not found'
    )


class Source(NamedTuple):
    """A ConfigMap or Secret that a pod names; `key` None: all of it."""

    kind: str
    name: str
    key: str | None
    optional: bool


_VARIABLES = (
    ("configMapRef", "ConfigMap"),
    ("secretRef", "Secret"),
    ("configMapKeyRef", "ConfigMap"),
    ("secretKeyRef", "Secret"),
)
_VOLUMES = (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName"))


def _of_variables(container: Object) -> Iterator[Source]:
    froms = [*(container.get("envFrom") or ())]
    froms += [each.get("valueFrom") or {} for each in container.get("env") or ()]
    for each in froms:
        for field, kind in _VARIABLES:
            if asked := each.get(field):
                optional = bool(asked.get("optional"))
                yield Source(kind, str(asked.get("name", "")), asked.get("key"), optional)


def _of_volumes(pod: Object) -> Iterator[tuple[str, Source]]:
    """With the name of the volume."""
    for volume in pod["spec"].get("volumes") or ():
        for field, kind, name in _VOLUMES:
            if asked := volume.get(field):
                optional = bool(asked.get("optional"))
                yield volume["name"], Source(kind, str(asked.get(name, "")), None, optional)


def _lacks(world: World, namespace: str, source: Source) -> str:
    """What the kubelet says of a source that is not there; "" is well."""
    kind, name, key, optional = source
    if optional:
        return ""
    live = world.get(kind, namespace, name)
    if live is None:
        return f'{kind.lower()} "{name}" not found'
    if key is None or key in {**(live.get("data") or {}), **(live.get("binaryData") or {})}:
        return ""
    return f"couldn't find key {key} in {kind} {namespace}/{name}"


def missing_variable(world: World, pod: Object, container: Object) -> str:
    """What the kubelet says of a ConfigMap or Secret that a variable comes from; "" is well."""
    namespace = str(pod["metadata"]["namespace"])
    said = (_lacks(world, namespace, source) for source in _of_variables(container))
    return next(filter(None, said), "")


def missing_volumes(world: World, pod: Object) -> Iterator[str]:
    """What the kubelet says of volumes whose source is not there."""
    namespace = str(pod["metadata"]["namespace"])
    for volume, source in _of_volumes(pod):
        if what := _lacks(world, namespace, source):
            yield f'MountVolume.SetUp failed for volume "{volume}" : {what}'


def named(pod: Object) -> set[tuple[str, str]]:
    """The ConfigMaps and Secrets that a pod names, by kind and name."""
    spec = pod["spec"]
    containers = [*spec["containers"], *(spec.get("initContainers") or ())]
    sources = [source for container in containers for source in _of_variables(container)]
    sources += [source for _, source in _of_volumes(pod)]
    return {(source.kind, source.name) for source in sources}
