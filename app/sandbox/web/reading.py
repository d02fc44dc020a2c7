"""GET: an object, or a list by selectors and in pages, each list of one moment's state."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from app.sandbox import selectors
from app.sandbox.errors import ApiError, Cause, bad_request, expired, not_found
from app.sandbox.objects import Object
from app.sandbox.resources import Resource
from app.sandbox.store import Store
from app.sandbox.web.call import Call

Matches = Callable[[Object], bool]

TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter."
)


def one(call: Call) -> Object:
    """The object that the path names; 404 when there is none."""
    found = call.cluster.store.get(call.resource, call.target.namespace, call.target.name)
    if found is None:
        raise not_found(call.resource, call.target.name)
    return presented(call.resource, found)


def presented(resource: Resource, obj: Object) -> Object:
    """An object as the asked-for version of its group shows it."""
    if obj["apiVersion"] == resource.api_version:
        return obj
    return {**obj, "apiVersion": resource.api_version}


def matcher(call: Call) -> Matches:
    """What the two selectors of the query, and a name in the path, let through."""
    labels = call.query.get("labelSelector", "")
    fields = call.query.get("fieldSelector", "")
    resource, name = call.resource, call.target.name
    try:
        by_label = selectors.parse_labels(labels) if labels else None
        by_field = (
            selectors.parse_fields(fields, resource.api_version, resource.kind, resource.selectable)
            if fields
            else None
        )
    except selectors.SelectorError as error:
        raise bad_request(str(error)) from error

    def matches(obj: Object) -> bool:
        metadata = obj["metadata"]
        return (
            (not name or metadata["name"] == name)
            and (by_label is None or by_label.matches(metadata.get("labels")))
            and (by_field is None or by_field.matches(obj))
        )

    return matches


def several(call: Call) -> Object:
    """The list that the query asks for, or its next page."""
    store, resource = call.cluster.store, call.resource
    matches = matcher(call)
    limit = call.number("limit") or 0
    wanted = call.version(call.query.get("resourceVersion"))
    version, start = store.version, None
    if token := call.query.get("continue"):
        version, start = _place(token)
        try:
            everything = _at(store, resource, call.target.namespace, version)
        except ApiError as error:
            raise expired(TOO_OLD) from error
    else:
        if wanted > store.version:
            raise _too_large(wanted, store.version)
        everything = store.list(resource, call.target.namespace)
    found = [obj for obj in everything if (start is None or _key(obj) > start) and matches(obj)]
    metadata: Object = {"resourceVersion": str(version)}
    if 0 < limit < len(found):
        metadata["continue"] = _token(version, _key(found[limit - 1]))
        if not (call.query.get("labelSelector") or call.query.get("fieldSelector")):
            metadata["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    return listed(resource, metadata, found)


def listed(resource: Resource, metadata: Object, objects: list[Object]) -> Object:
    """A list; its items say neither kind nor version."""
    own = ("kind", "apiVersion")
    items = [{key: value for key, value in each.items() if key not in own} for each in objects]
    kind, version = f"{resource.kind}List", resource.api_version
    return {"kind": kind, "apiVersion": version, "metadata": metadata, "items": items}


def _key(obj: Mapping[str, Any]) -> tuple[str, str]:
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _at(store: Store, resource: Resource, namespace: str, version: int) -> list[Object]:
    """The objects as they were at a version: today's, with every later write undone."""
    found = {_key(obj): obj for obj in store.list(resource, namespace)}
    for event in reversed(store.since(version)):
        if event.resource != resource:
            continue
        key = _key(event.object)
        if namespace and key[0] != namespace:
            continue
        if event.previous is None:
            found.pop(key, None)
        else:
            found[key] = event.previous
    return [found[key] for key in sorted(found)]


def _token(version: int, last: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([version, *last])).decode().rstrip("=")


def _place(token: str) -> tuple[int, tuple[str, str]]:
    try:
        version, namespace, name = orjson.loads(base64.urlsafe_b64decode(token + "=" * 3))
        return int(version), (str(namespace), str(name))
    except (ValueError, TypeError) as error:
        raise bad_request("continue key is not valid") from error


def _too_large(wanted: int, current: int) -> ApiError:
    message = f"Too large resource version: {wanted}, current: {current}"
    cause = Cause("ResourceVersionTooLarge", "", "Too large resource version")
    return ApiError(504, "Timeout", f"Timeout: {message}", causes=[cause], retry_after=1)
