"""Secret values: which are needed, which are there, and how they go in without being kept.

A Secret is written in two ways. Its frame (labels, type) is applied like everything else. Its
values go in by merge patch under a field manager of their own, because an apply of some keys would
delete the others; they are put there before the frame, so that a Secret whose type requires keys,
or that is immutable, can be made at all. Nothing here holds a value but the answer of `body`.
"""

import base64
import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.health.seen import listed, part, word
from app.domain.manifest import Manifest
from app.domain.nodes.secret import SecretType
from app.domain.planning.objects import Object, ObjectKey, owner_labels, uid_of, version_of

VALUES_MANAGER = "kubeorch-values"
"""The field manager that owns the values."""

_PLACEHOLDERS = {".dockerconfigjson": "{}"}
"""What a dry run carries for a required key when the empty text is not accepted."""


class ValuesMethod(enum.StrEnum):
    """How the values of a Secret go in."""

    CREATE = "create"
    """There is none: POST the object. A second one that was faster answers 409 AlreadyExists: look
    at it again, and patch it if it is ours."""
    PATCH = "patch"
    """Merge patch; the keys that are not mentioned stay. A 409 says that the Secret has changed
    since it was read: look at it again."""
    REPLACE = "replace"
    """Delete the one with the uid, wait until it is gone, then POST."""


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """The keys of one Secret, by name. `stale` are ours and not on the canvas any more; `present`
    are kept by a deploy; `unknown` were given and are nowhere on the canvas."""

    node_id: str
    key: ObjectKey
    needed: tuple[str, ...]
    present: tuple[str, ...]
    given: tuple[str, ...]
    missing: tuple[str, ...]
    stale: tuple[str, ...]
    unknown: tuple[str, ...] = ()


def secret_keys(
    manifest: Manifest, live: Object | None, given: Collection[str], *, replaced: bool = False
) -> SecretKeys:
    """What a Secret's manifest needs and what it gets.

    `live` is the Secret on the cluster, None when there is none; `given` are the names of the
    values that come with the deploy. One that is `replaced` keeps nothing.
    """
    data = part(live, "data")
    there = frozenset() if replaced else frozenset(data)
    needed = tuple(sorted(manifest.keys))
    known = frozenset(needed)
    return SecretKeys(
        node_id=manifest.node_id,
        key=ObjectKey.of_manifest(manifest),
        needed=needed,
        present=tuple(name for name in needed if name in there),
        given=tuple(name for name in needed if name in given),
        missing=tuple(name for name in needed if name not in there and name not in given),
        stale=() if replaced else tuple(sorted((_written(live) & frozenset(data)) - known)),
        unknown=tuple(sorted(frozenset(given) - known)),
    )


def _written(live: Object | None) -> frozenset[str]:
    """The keys whose values we put there, as the live object's managedFields say."""
    found: set[str] = set()
    for entry in listed(part(live, "metadata"), "managedFields"):
        if word(entry, "manager") == VALUES_MANAGER:
            fields = part(entry, "fieldsV1", "f:data")
            found.update(name.removeprefix("f:") for name in fields if name.startswith("f:"))
    return frozenset(found)


def is_frozen(live: Object | None) -> bool:
    """Whether no value of the live Secret can be changed any more."""
    return live is not None and live.get("immutable") is True


@dataclass(frozen=True, slots=True)
class ValuesWrite:
    """One write of values: which keys are set and which removed; the values come with `body`.

    `uid` and `version` (its resourceVersion) are those of the Secret that is patched or deleted,
    None when it is created.
    """

    key: ObjectKey
    method: ValuesMethod
    sets: tuple[str, ...]
    removes: tuple[str, ...] = ()
    uid: str | None = None
    version: str | None = None
    type: str = "Opaque"
    labels: tuple[tuple[str, str], ...] = ()

    def body(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The body of the request, with the values of `sets` in it: send it, and let it go.

        Raises KeyError, naming the key alone, for a value that is not there.
        """
        data: dict[str, Any] = {name: _encoded(values[name]) for name in self.sets}
        if self.method is ValuesMethod.PATCH:
            # The values are for the Secret that was looked at, and for no other of its name.
            meant = {"uid": self.uid, "resourceVersion": self.version}
            return {
                "metadata": {name: one for name, one in meant.items() if one is not None},
                "data": {**data, **dict.fromkeys(self.removes)},
            }
        metadata: dict[str, Any] = {"name": self.key.name, "labels": dict(self.labels)}
        if self.key.namespace is not None:
            metadata["namespace"] = self.key.namespace
        return {
            "apiVersion": self.key.api_version,
            "kind": self.key.kind,
            "metadata": metadata,
            "type": self.type,
            "data": data,
        }


def values_write(
    manifest: Manifest,
    live: Object | None,
    given: Collection[str],
    *,
    workflow_id: str,
    replaced: bool = False,
) -> ValuesWrite | None:
    """How the given values get into a Secret; None when nothing has to be written.

    Only for a Secret that is not there, is ours, or is handed over to us. A created one carries
    nothing but its type and the labels that never change, so that no later apply of the frame
    contradicts the manager of the values.
    """
    keys = secret_keys(manifest, live, given, replaced=replaced)
    if not keys.given and not keys.stale and not replaced:
        return None
    uid = uid_of(live)
    method = ValuesMethod.PATCH if uid is not None else ValuesMethod.CREATE
    if replaced and uid is not None:
        method = ValuesMethod.REPLACE
    return ValuesWrite(
        key=keys.key,
        method=method,
        sets=keys.given,
        removes=keys.stale,
        uid=uid,
        version=version_of(live),
        type=str(manifest.object.get("type") or SecretType.OPAQUE.value),
        labels=tuple(sorted(owner_labels(workflow_id).items())),
    )


def differing(live: Object | None, values: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the given values that the live Secret does not have already.

    What is the same need not be written: a deploy with the same values changes nothing. `live` is
    the Secret as the cluster sent it, with its values.
    """
    data = part(live, "data")
    return tuple(
        sorted(name for name, value in values.items() if data.get(name) != _encoded(value))
    )


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii")


def rehearsed(manifest: Manifest, live: Object | None) -> dict[str, Any]:
    """The object for a dry run: with placeholders for the keys that the type of a Secret requires.

    A frame without them would be refused when there is no Secret yet, or one of another type, that
    has to be made anew (`data[tls.crt]: Required value`); when the deploy comes to it, its values
    are there. Other objects stay as they are.
    """
    if not ObjectKey.of_manifest(manifest).is_secret:
        return manifest.object
    type_ = manifest.object.get("type", SecretType.OPAQUE.value)
    if live is not None and live.get("type") == type_:
        return manifest.object
    try:
        required = SecretType(type_).required_keys
    except ValueError:
        required = ()
    there = part(live, "data")
    lacking = [name for name in required if name not in there]
    if not lacking:
        return manifest.object
    data = {name: _encoded(_PLACEHOLDERS.get(name, "")) for name in lacking}
    return {**manifest.object, "data": data}
