"""POST, PUT and PATCH: read what is wanted, let admission judge it, record who owns what, store."""

from typing import Any

from app.sandbox import admission, ownership, patches
from app.sandbox.admission import Candidate
from app.sandbox.admission.causes import forbidden, required
from app.sandbox.admission.causes import invalid as wrong
from app.sandbox.admission.immutable import FIXED
from app.sandbox.errors import (
    ApiError,
    Cause,
    bad_option,
    bad_request,
    conflict,
    invalid,
    not_found,
)
from app.sandbox.objects import Object
from app.sandbox.schemas import TypeSchema
from app.sandbox.store import stamp
from app.sandbox.web.body import (
    APPLY,
    JSON_PATCH,
    MERGE,
    PATCHES,
    STRATEGIC,
    content_type,
    unsupported,
)
from app.sandbox.web.call import Call


async def create(call: Call) -> Object:
    """POST: a new object, 409 when its name is taken."""
    value = _whole(call, await call.body())
    return _create(call, value)


async def replace(call: Call) -> Object:
    """PUT: another object in place of this one; 409 when it has changed since it was read."""
    value = _whole(call, await call.body())
    live = _live(call)
    if live is None:
        raise not_found(call.resource, call.target.name)
    if call.resource.custom and not _version(value):
        cause = wrong("metadata.resourceVersion", 0, "must be specified for an update")
        raise invalid(call.resource, call.target.name, [cause])
    return _update(call, live, value)


async def patch(call: Call) -> Object:
    """PATCH: what the body's media type says."""
    kind = content_type(call.request)
    body = await call.body()
    if kind == APPLY:
        return _apply(call, _object(body))
    if kind not in PATCHES:
        raise unsupported(PATCHES)
    if call.flag("force"):
        cause = forbidden("force", "may not be specified for non-apply patch")
        raise bad_option("PatchOptions", cause)
    live = _live(call)
    if live is None:
        raise not_found(call.resource, call.target.name)
    if kind == STRATEGIC and call.resource.custom:
        raise unsupported((JSON_PATCH, MERGE, APPLY))
    made = patched(live, kind, body, call.schema)
    return _update(call, live, _object(made), "patched")


def patched(live: Object, kind: str, body: Any, schema: TypeSchema) -> Any:
    """What a patch of a media type makes of an object."""
    try:
        if kind == JSON_PATCH:
            return patches.json_patch(live, body)
        if kind == STRATEGIC:
            return patches.strategic_merge_patch(live, _object(body), schema)
        return patches.merge_patch(live, _object(body))
    except patches.PatchError as error:
        raise ApiError(error.code, error.reason, str(error)) from error


def _create(call: Call, value: Object) -> Object:
    obj = recorded(call, None, _candidate(call, value, None).admitted())
    return call.cluster.store.create(call.resource, obj, dry_run=call.dry_run)


def _update(call: Call, live: Object, value: Object, origin: str = "sent") -> Object:
    obj = recorded(call, live, _candidate(call, value, live, origin).admitted())
    sub = call.target.subresource or None
    return call.cluster.store.update(call.resource, obj, subresource=sub, dry_run=call.dry_run)


def recorded(call: Call, live: Object | None, obj: Object) -> Object:
    """An object that says what of it whoever asks owns from now on."""
    return ownership.record_update(
        live,
        obj,
        manager=call.agent,
        schema=call.schema,
        now=stamp(call.cluster.store.now()),
        has_status=call.resource.has_status,
        subresource=call.target.subresource or None,
    )


def _apply(call: Call, config: Object) -> Object:
    """Server-side apply: reference of the rules is in `ownership`."""
    if not call.query.get("fieldManager"):
        cause = required("fieldManager", "is required for apply patch")
        raise bad_option("PatchOptions", cause)
    metadata = config.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise bad_request("metadata must be an object")
    if metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    live, sub = _live(call), call.target.subresource or None
    admission.same_kind(call.resource, config)
    admission.same_place(call.resource, config, call.target.namespace, call.target.name)
    _meant(call, live, metadata)
    placed = {**metadata, "name": call.target.name}
    if call.target.namespace:
        placed["namespace"] = call.target.namespace
    try:
        merged = ownership.apply(
            live,
            {**config, "metadata": placed},
            manager=call.agent,
            force=call.flag("force"),
            schema=call.schema,
            now=stamp(call.cluster.store.now()),
            has_status=call.resource.has_status,
            subresource=sub,
        )
    except ownership.TypedError as error:
        raise ApiError(500, "", str(error)) from error
    except ownership.Conflicts as error:
        causes = [Cause(c["reason"], c["field"], c["message"]) for c in error.causes]
        raise ApiError(409, "Conflict", str(error), causes=causes) from error
    obj = _candidate(call, merged, live, "applied").admitted()
    if live is None:
        call.created = True
        return call.cluster.store.create(call.resource, obj, dry_run=call.dry_run)
    return call.cluster.store.update(call.resource, obj, subresource=sub, dry_run=call.dry_run)


def _meant(call: Call, live: Object | None, metadata: Object) -> None:
    """Whether an apply meets what it was written for: 404, or 409 for another uid or version."""
    if live is None:
        if call.target.subresource:
            raise not_found(call.resource, call.target.name)
        admission.namespace_takes(
            call.cluster, call.resource, call.target.namespace, call.target.name
        )
        if uid := metadata.get("uid"):
            given = f"the provided object specified uid {uid}, and no existing object was found"
            raise conflict(call.resource, call.target.name, f"uid mismatch: {given}")
        return
    if metadata.get("uid") and metadata["uid"] != live["metadata"]["uid"]:
        cause = wrong("metadata.uid", str(metadata["uid"])[:63], FIXED)
        raise invalid(call.resource, call.target.name, [cause])
    version = metadata.get("resourceVersion")
    if version and version != live["metadata"]["resourceVersion"]:
        raise conflict(call.resource, call.target.name)


def _candidate(call: Call, value: Object, live: Object | None, origin: str = "sent") -> Candidate:
    return Candidate(
        cluster=call.cluster,
        resource=call.resource,
        schema=call.schema,
        value=value,
        namespace=call.target.namespace,
        name=call.target.name,
        live=live,
        subresource=call.target.subresource,
        validation=call.validation,
        origin=origin,
        warnings=call.warnings,
    )


def _live(call: Call) -> Object | None:
    return call.cluster.store.get(call.resource, call.target.namespace, call.target.name)


def _object(value: Any) -> Object:
    if not isinstance(value, dict):
        raise bad_request("the body of the request must be an object")
    return value


def _version(value: Object) -> Any:
    metadata = value.get("metadata")
    return metadata.get("resourceVersion") if isinstance(metadata, dict) else None


def _whole(call: Call, value: Any) -> Object:
    """A body that stands for a whole object; typed clients leave its kind to the path."""
    given = _object(value)
    if call.resource.custom:
        return given
    kind = {"apiVersion": call.resource.api_version, "kind": call.resource.kind}
    return kind | {key: item for key, item in given.items() if item or key not in kind}
