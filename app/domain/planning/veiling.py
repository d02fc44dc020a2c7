"""Secrets without their values: what is kept tells which keys there are, and which would change."""

from collections.abc import Mapping
from typing import Any

from app.domain.planning.objects import Object, ObjectKey

BEFORE, AFTER = "*** (before)", "*** (after)"
"""What stands for a secret value; always as wide, so that no length is told."""
HIDDEN = "***"
"""What stands for a secret value that stays as it is."""

VALUES = ("data", "stringData")
"""The fields of a Secret that hold values."""
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Where kubectl writes the whole object, of a Secret with its values."""


def veiled(before: Object | None, after: Object | None) -> tuple[Object | None, Object | None]:
    """Two states of an object without secret values: where they differ, so do their stand-ins.

    Other kinds than Secrets are answered as they are. Either may be None.
    """
    if not any(obj is not None and ObjectKey.of(obj).is_secret for obj in (before, after)):
        return before, after
    fields = {name: (_texts(before, name), _texts(after, name)) for name in VALUES}
    return (
        _with_values(
            before, {name: _veil(old, new, BEFORE) for name, (old, new) in fields.items()}
        ),
        _with_values(after, {name: _veil(new, old, AFTER) for name, (old, new) in fields.items()}),
    )


def _texts(obj: Object | None, name: str) -> Mapping[str, Any]:
    found = obj.get(name) if obj is not None else None
    return found if isinstance(found, Mapping) else {}


def _veil(own: Mapping[str, Any], other: Mapping[str, Any], mask: str) -> dict[str, str]:
    return {key: HIDDEN if key in other and other[key] == own[key] else mask for key in own}


def _with_values(obj: Object | None, values: Mapping[str, Mapping[str, str]]) -> Object | None:
    if obj is None:
        return None
    made = {name: value for name, value in obj.items() if name not in VALUES}
    made |= {name: found for name, found in values.items() if found}
    metadata = made.get("metadata")
    if isinstance(metadata, Mapping):
        annotations = metadata.get("annotations")
        if isinstance(annotations, Mapping):
            kept = {name: value for name, value in annotations.items() if name != _LAST_APPLIED}
            made["metadata"] = {**metadata, "annotations": kept}
    return made
