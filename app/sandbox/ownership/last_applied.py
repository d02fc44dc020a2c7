"""The annotation in which `kubectl apply` remembers what it applied, client-side.

When kubectl goes over to server-side apply, its own values of before are no conflicts, and the
annotation is kept up, so that it may go back. Follows apimachinery's `lastAppliedManager`.
"""

import json

from app.sandbox.objects import Object
from app.sandbox.ownership.differences import compare, field_set
from app.sandbox.ownership.fieldset import ESCAPES, FieldSet
from app.sandbox.ownership.managed import Conflict
from app.sandbox.ownership.typed import mistakes
from app.sandbox.schemas import TypeSchema

KUBECTL = "kubectl"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
MAX_ANNOTATIONS = 256 * 1024  # bytes, keys and values together


def foreign(conflicts: list[Conflict], live: Object, schema: TypeSchema) -> list[Conflict]:
    """The conflicts over fields that kubectl did not apply, or that others changed since."""
    mine = still_applied(live, schema)
    owned = set(mine)
    return [conflict for conflict in conflicts if conflict.path not in owned]


def still_applied(live: Object, schema: TypeSchema) -> FieldSet:
    """The paths of the annotation's object whose values are still the live ones."""
    try:
        last = json.loads(annotations(live).get(ANNOTATION, ""))
    except (ValueError, TypeError):
        return FieldSet()
    if not isinstance(last, dict) or last.get("apiVersion") != live.get("apiVersion"):
        return FieldSet()
    if any(mistakes(last, schema)) or any(mistakes(live, schema)):
        return FieldSet()
    since = compare(last, live, schema)
    return field_set(last, schema) - since.modified - since.added - since.removed


def with_last_applied(obj: Object, config: Object) -> Object:
    """With the annotation renewed, if there is one. Without it when it grows too large."""
    if not annotations(obj).get(ANNOTATION):
        return obj
    meta = dict(config.get("metadata") or {})
    if "annotations" in meta:
        meta["annotations"] = {k: v for k, v in annotations(config).items() if k != ANNOTATION}
    applied = {**config, "metadata": meta}
    text = json.dumps(applied, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    renewed = {**annotations(obj), ANNOTATION: text.translate(ESCAPES) + "\n"}
    if sum(len(f"{key}{value}".encode()) for key, value in renewed.items()) > MAX_ANNOTATIONS:
        del renewed[ANNOTATION]
    return {**obj, "metadata": {**obj["metadata"], "annotations": renewed}}


def annotations(obj: Object) -> dict[str, str]:
    found = (obj.get("metadata") or {}).get("annotations")
    return found if isinstance(found, dict) else {}
