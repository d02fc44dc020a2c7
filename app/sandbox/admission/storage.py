"""What may stand in claims, classes, ConfigMaps and Secrets."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from app.sandbox.admission import names
from app.sandbox.admission.causes import (
    forbidden,
    invalid,
    required,
    too_long,
    unsupported,
)
from app.sandbox.admission.numbers import amount
from app.sandbox.errors import Cause
from app.sandbox.store import Object

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_LARGEST = 1024 * 1024


def claim(obj: Object) -> Iterator[Cause]:
    """A PersistentVolumeClaim."""
    yield from claim_spec(obj["spec"], "spec")


def claim_spec(spec: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """The spec of a claim, or of a StatefulSet's claim template."""
    modes = spec.get("accessModes") or []
    if not modes:
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    for mode in modes:
        if mode not in _MODES:
            yield unsupported(f"{path}.accessModes", mode, _MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        why = "may not use ReadWriteOncePod with other access modes"
        yield forbidden(f"{path}.accessModes", why)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield required(f"{path}.resources[storage]")
    elif amount(storage) <= 0:
        yield invalid(f"{path}.resources[storage]", storage, "must be greater than zero")
    name = spec.get("storageClassName")
    if name and (wrong := names.dns_subdomain(name)):
        yield invalid(f"{path}.storageClassName", name, wrong)
    if spec.get("volumeMode") not in ("Filesystem", "Block"):
        yield unsupported(f"{path}.volumeMode", spec.get("volumeMode"), ("Block", "Filesystem"))


def config_map(obj: Object) -> Iterator[Cause]:
    """A ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for field, entries in (("data", data), ("binaryData", binary)):
        yield from _keys(entries, field)
    for key in data.keys() & binary.keys():
        yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    size = sum(len(value.encode()) for value in data.values())
    if size + sum(len(base64.b64decode(value)) for value in binary.values()) > _LARGEST:
        yield too_long("", _LARGEST)


_NEEDED = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def secret(obj: Object) -> Iterator[Cause]:
    """A Secret. No message repeats a value."""
    data = obj.get("data") or {}
    yield from _keys(data, "data")
    if sum(len(base64.b64decode(value)) for value in data.values()) > _LARGEST:
        yield too_long("data", _LARGEST)
    for key in _NEEDED.get(obj["type"], ()):
        if key not in data:
            yield required(f"data[{key}]")
        elif key.startswith(".docker") and not _is_json(data[key]):
            yield invalid(f"data[{key}]", "<secret contents redacted>", "must be valid json")


def _is_json(encoded: str) -> bool:
    try:
        return isinstance(orjson.loads(base64.b64decode(encoded)), dict)
    except orjson.JSONDecodeError:
        return False


def _keys(entries: Mapping[str, Any], field: str) -> Iterator[Cause]:
    for key in entries:
        if why := names.data_key(key):
            yield invalid(f"{field}[{key}]", key, why)


def storage_class(obj: Object) -> Iterator[Cause]:
    """A StorageClass."""
    if not obj.get("provisioner"):
        yield required("provisioner")
    if obj["reclaimPolicy"] not in ("Delete", "Retain"):
        yield unsupported("reclaimPolicy", obj["reclaimPolicy"], ("Delete", "Retain"))
    modes = ("Immediate", "WaitForFirstConsumer")
    if obj["volumeBindingMode"] not in modes:
        yield unsupported("volumeBindingMode", obj["volumeBindingMode"], modes)
