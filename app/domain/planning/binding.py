"""What a plan is bound by: digests of manifests and of what is on the cluster.

Of a live object it is the content that counts, what changes are told by. Its resourceVersion grows
with every status, so that a plan of pods that are starting would be stale before it is read.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from app.domain.manifest import Manifest
from app.domain.planning.changes import comparable, is_empty
from app.domain.planning.objects import Object, ObjectKey
from app.domain.planning.veiling import VALUES, veiled


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value, in hexadecimal digits; the same in whatever order keys are."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_manifest(manifest: Manifest) -> str:
    """What stands for a manifest: its object without values of Secrets, and the keys' names."""
    obj = manifest.object
    if ObjectKey.of_manifest(manifest).is_secret:
        obj = {name: value for name, value in obj.items() if name not in VALUES}
    return digest_of([obj, sorted(manifest.keys)])


_CONTROLLERS = (
    "autoscaling.alpha.kubernetes.io/",
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "volume.kubernetes.io/",
)
"""Beginnings of annotations that the cluster's own controllers write in their own time."""


def state_of(live: Object | None, manifest: Object) -> str:
    """What stands for the content of a live object; empty when there is none.

    It is what is compared, without values of Secrets and without what moves by itself: what
    controllers write, a claim's volume, and the number of pods where the manifest leaves it to
    others. It is the same of a Secret with and without its values.
    """
    seen, _ = veiled(live, None)
    if seen is None:
        return ""
    content = comparable(seen)
    metadata = content.get("metadata")
    if isinstance(metadata, Mapping) and isinstance(metadata.get("annotations"), Mapping):
        told = {
            name: value
            for name, value in metadata["annotations"].items()
            if not name.startswith(_CONTROLLERS)
        }
        content["metadata"] = {**metadata, "annotations": told}
    spec, asked = content.get("spec"), manifest.get("spec")
    if isinstance(spec, Mapping):
        stated = asked if isinstance(asked, Mapping) else {}
        left = {name for name in ("replicas", "volumeName") if name not in stated}
        content["spec"] = {name: value for name, value in spec.items() if name not in left}
    return digest_of(_said(content))


def _said(value: Any) -> Any:
    """A value without the fields that say nothing, as changes see it."""
    if isinstance(value, Mapping):
        return {name: _said(one) for name, one in value.items() if not is_empty(one)}
    return value
