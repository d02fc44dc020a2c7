"""As much OpenAPI as clients look at: which kinds may be patched with which query parameters.

kubectl asks here whether `fieldValidation` and `dryRun` exist before it uses them. Releases before
1.24 read version 2 as protobuf and no other way, so the same few lines are written in that too.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

from app.sandbox.resources import Registry, Resource

PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
PROTOBUF_SENT = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""As servers call it since an `@` was found to be no part of a media type; Go refuses one."""
PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force")


def index(registry: Registry) -> dict[str, Any]:
    """`/openapi/v3`: where each group's document is."""
    found = {}
    for group, versions in registry.groups().items():
        for version in versions:
            path = f"apis/{group}/{version}" if group else f"api/{version}"
            kinds = sorted(r.qualified for r in registry if r.group == group)
            digest = hashlib.sha256(" ".join(kinds).encode()).hexdigest()[:32]
            found[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": found}


def third(registry: Registry, group: str, version: str) -> dict[str, Any] | None:
    """`/openapi/v3/apis/<group>/<version>`; None when nothing is served there."""
    found = [r for r in registry if (r.group, r.version) == (group, version)]
    if not found:
        return None
    paths = _paths(found, {"schema": {"type": "string", "uniqueItems": True}})
    return {"openapi": "3.0.0", "info": _info(), "paths": paths, "components": {"schemas": {}}}


def second(registry: Registry) -> dict[str, Any]:
    """`/openapi/v2` as JSON."""
    paths = _paths(registry, {"type": "string", "uniqueItems": True})
    return {"swagger": "2.0", "info": _info(), "paths": paths, "definitions": {}}


def _paths(resources: Iterable[Resource], text: dict[str, Any]) -> dict[str, Any]:
    """Each resource's PATCH, with parameters of a type."""
    parameters = [{"name": name, "in": "query", **text} for name in PARAMETERS]
    return {
        _path(resource): {
            "patch": {
                "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": _kind(resource),
            }
        }
        for resource in resources
    }


def second_as_protobuf(registry: Registry) -> bytes:
    """`/openapi/v2` as the message `openapi.v2.Document`: field numbers are gnostic's."""
    info = _info()
    paths = b"".join(_field(2, _path_item(resource)) for resource in registry)
    title = _text(1, info["title"]) + _text(2, info["version"])
    return _text(1, "2.0") + _field(2, title) + _field(8, paths)


def _path_item(resource: Resource) -> bytes:
    parameters = b""
    for name in PARAMETERS:
        # Operation.parameters → Parameter.non_body_parameter → query_parameter_sub_schema
        query = _text(2, "query") + _text(4, name) + _text(6, "string")
        parameters += _field(8, _field(1, _field(2, _field(3, query))))
    kind = _kind(resource)
    yaml = "".join(f'{key}: "{value}"\n' for key, value in kind.items())
    extension = _text(1, "x-kubernetes-group-version-kind") + _field(2, _text(2, yaml))
    operation = parameters + _field(13, extension)
    return _text(1, _path(resource)) + _field(2, _field(8, operation))


def _field(number: int, message: bytes) -> bytes:
    """A length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(message)) + message


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _path(resource: Resource) -> str:
    prefix = f"/apis/{resource.group}" if resource.group else "/api"
    within = "/namespaces/{namespace}" if resource.namespaced else ""
    return f"{prefix}/{resource.version}{within}/{resource.plural}/{{name}}"


def _kind(resource: Resource) -> dict[str, str]:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _info() -> dict[str, str]:
    return {"title": "Kubernetes (sandbox)", "version": "v1.36.0"}
