"""Trouble on purpose: which containers fail, how, and in whose words.

An image whose name contains `missing`, `crash` or `oom` fails so (`unschedulable` is the
scheduler's); so does every container of a pod with the annotation `sandbox/fail`. What a pod names
and the cluster lacks is a trouble too, which heals when it appears.
"""

import enum
from collections.abc import Iterator

from app.sandbox.counting import FAIL
from app.sandbox.store import Object
from app.sandbox.world import World


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
    asked = str((pod["metadata"].get("annotations") or {}).get(FAIL, ""))
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


def missing_variable(world: World, pod: Object, container: Object) -> str:
    """What the kubelet says of a ConfigMap or Secret that a variable comes from; "" is well."""
    namespace = str(pod["metadata"]["namespace"])
    for source in container.get("envFrom") or ():
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if found := _missing(world, namespace, kind, source.get(field), None):
                return found
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            asked = source.get(field)
            if found := _missing(world, namespace, kind, asked, (asked or {}).get("key")):
                return found
    return ""


def _missing(world: World, namespace: str, kind: str, asked: Object | None, key: str | None) -> str:
    if not asked or asked.get("optional"):
        return ""
    name = str(asked.get("name", ""))
    live = world.get(kind, namespace, name)
    if live is None:
        return f'{kind.lower()} "{name}" not found'
    if key is None or key in {**(live.get("data") or {}), **(live.get("binaryData") or {})}:
        return ""
    return f"couldn't find key {key} in {kind} {namespace}/{name}"


def missing_volumes(world: World, pod: Object) -> Iterator[str]:
    """What the kubelet says of volumes whose source is not there."""
    namespace = str(pod["metadata"]["namespace"])
    for volume in pod["spec"].get("volumes") or ():
        for field, kind, key in (
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", "secretName"),
        ):
            asked = volume.get(field)
            if not asked or asked.get("optional"):
                continue
            name = str(asked.get(key, ""))
            if world.get(kind, namespace, name) is None:
                what = f'{kind.lower()} "{name}" not found'
                yield f'MountVolume.SetUp failed for volume "{volume["name"]}" : {what}'


def named(pod: Object) -> set[tuple[str, str]]:
    """The ConfigMaps and Secrets that a pod names, by kind and name."""
    found = set()
    spec = pod["spec"]
    for container in [*spec["containers"], *(spec.get("initContainers") or ())]:
        sources = [*(container.get("envFrom") or ())]
        sources += [each.get("valueFrom") or {} for each in container.get("env") or ()]
        for source in sources:
            for field, kind in (
                ("configMapRef", "ConfigMap"),
                ("configMapKeyRef", "ConfigMap"),
                ("secretRef", "Secret"),
                ("secretKeyRef", "Secret"),
            ):
                if source.get(field):
                    found.add((kind, str(source[field].get("name", ""))))
    for volume in spec.get("volumes") or ():
        if volume.get("configMap"):
            found.add(("ConfigMap", str(volume["configMap"].get("name", ""))))
        if volume.get("secret"):
            found.add(("Secret", str(volume["secret"].get("secretName", ""))))
    return found
