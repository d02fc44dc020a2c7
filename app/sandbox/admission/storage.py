"""What may stand in claims, classes, ConfigMaps and Secrets."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from app.sandbox.admission.causes import choice, forbidden, invalid, malformed, required, too_long
from app.sandbox.admission.quantities import amount
from app.sandbox.errors import Cause
from app.sandbox.formats import data_key, dns_subdomain
from app.sandbox.objects import Object

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
        yield from choice(mode, _MODES, f"{path}.accessModes")
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        why = "may not use ReadWriteOncePod with other access modes"
        yield forbidden(f"{path}.accessModes", why)
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        yield required(f"{path}.resources[storage]")
    elif amount(storage) <= 0:
        yield invalid(f"{path}.resources[storage]", storage, "must be greater than zero")
    name = spec.get("storageClassName")
    if name:
        yield from malformed(dns_subdomain, name, f"{path}.storageClassName")
    yield from choice(spec.get("volumeMode"), ("Block", "Filesystem"), f"{path}.volumeMode")


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
        yield from malformed(data_key, key, f"{field}[{key}]")


def storage_class(obj: Object) -> Iterator[Cause]:
    """A StorageClass."""
    if not obj.get("provisioner"):
        yield required("provisioner")
    yield from choice(obj["reclaimPolicy"], ("Delete", "Retain"), "reclaimPolicy")
    modes = ("Immediate", "WaitForFirstConsumer")
    yield from choice(obj["volumeBindingMode"], modes, "volumeBindingMode")
