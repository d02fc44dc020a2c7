"""`/scale`: how many pods a workload wants, apart from everything else it says."""

from collections.abc import Mapping
from typing import Any

from app.sandbox import schemas
from app.sandbox.admission import shapes
from app.sandbox.admission.causes import invalid as wrong
from app.sandbox.errors import bad_request, invalid
from app.sandbox.objects import Object, at, with_at
from app.sandbox.web.body import content_type
from app.sandbox.web.call import Call
from app.sandbox.web.reading import one
from app.sandbox.web.writing import patched, recorded

_SCALE = schemas.builtin("autoscaling/v1", "Scale") or schemas.ANY


def read(call: Call) -> Object:
    """The Scale of the object that the path names."""
    return _scale(call, one(call))


def _scale(call: Call, obj: Object) -> Object:
    metadata = obj["metadata"]
    spec, status, selector = call.resource.scale_paths
    replicas = at(obj, spec)
    labels = at(obj, selector) if selector else _selector(at(obj, "spec.selector") or {})
    shown = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: metadata[name] for name in shown if name in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {"replicas": at(obj, status) or 0, **({"selector": labels} if labels else {})},
    }


def _selector(selector: Mapping[str, Any]) -> str:
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for rule in selector.get("matchExpressions") or ():
        listed = ",".join(rule.get("values") or ())
        words = {"In": f"{rule['key']} in ({listed})", "NotIn": f"{rule['key']} notin ({listed})"}
        words |= {"Exists": rule["key"], "DoesNotExist": f"!{rule['key']}"}
        parts.append(words.get(rule["operator"], ""))
    return ",".join(parts)


async def write(call: Call) -> Object:
    """PUT or PATCH: set the number of replicas."""
    live, body = one(call), await call.body()
    before = _scale(call, live)
    if not isinstance(body, (dict, list)):
        raise bad_request("the body of the request must be an object")
    after = body
    if call.request.method == "PATCH":
        after = patched(before, content_type(call.request), body, _SCALE)
    wrong_types = list(shapes.mistakes(after, _SCALE))
    if wrong_types or not isinstance(after, dict):
        found = wrong_types[0] if wrong_types else "the body of the request must be an object"
        raise bad_request(f'Scale in version "v1" cannot be handled as a Scale: {found}')
    replicas = (after.get("spec") or {}).get("replicas") or 0
    if replicas < 0:
        why = "must be greater than or equal to 0"
        raise invalid(call.resource, call.target.name, [wrong("spec.replicas", replicas, why)])
    changed = with_at(live, call.resource.scale_paths[0], replicas)
    version = (after.get("metadata") or {}).get("resourceVersion")
    if version:
        changed["metadata"]["resourceVersion"] = version
    changed = recorded(call, live, changed)
    return _scale(call, call.cluster.store.update(call.resource, changed, dry_run=call.dry_run))
