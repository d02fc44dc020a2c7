"""What may stand in a CustomResourceDefinition: names, versions, structural schemas."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.sandbox.admission.causes import (
    duplicate,
    forbidden,
    invalid,
    malformed,
    required,
    unsupported,
)
from app.sandbox.errors import Cause
from app.sandbox.formats import dns_subdomain, service_name
from app.sandbox.objects import Object

Schema = Mapping[str, Any]
_STRUCTURAL = ("object", "array", "string", "integer", "number", "boolean")


def definition(obj: Object) -> Iterator[Cause]:
    """A CustomResourceDefinition."""
    spec = obj.get("spec") or {}
    given = spec.get("names") or {}
    group, plural = spec.get("group", ""), given.get("plural", "")
    if not group:
        yield required("spec.group")
    else:
        yield from malformed(dns_subdomain, group, "spec.group")
    if obj["metadata"]["name"] != f"{plural}.{group}":
        why = 'must be spec.names.plural+"."+spec.group'
        yield invalid("metadata.name", obj["metadata"]["name"], why)
    for field in ("plural", "kind"):
        if not given.get(field):
            yield required(f"spec.names.{field}")
        for why in service_name(given[field].lower()) if given.get(field) else ():
            yield invalid(f"spec.names.{field}", given[field], why)
    if spec.get("scope") not in ("Cluster", "Namespaced"):
        yield unsupported("spec.scope", spec.get("scope", ""), ("Cluster", "Namespaced"))
    yield from _versions(spec.get("versions") or [])


def _versions(versions: list[Object]) -> Iterator[Cause]:
    if sum(bool(each.get("storage")) for each in versions) != 1:
        why = "must have exactly one version marked as storage version"
        yield invalid("spec.versions", [each.get("name") for each in versions], why)
    seen: set[str] = set()
    for i, version in enumerate(versions):
        path = f"spec.versions[{i}]"
        if not version.get("name"):
            yield required(f"{path}.name")
        else:
            yield from malformed(service_name, version["name"], f"{path}.name")
        if version.get("name") in seen:
            yield duplicate(f"{path}.name", version["name"])
        seen.add(version.get("name", ""))
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is None:
            yield required(f"{path}.schema.openAPIV3Schema", "schemas are required")
            continue
        unread = list(_written(schema, f"{path}.schema.openAPIV3Schema"))
        yield from unread or _structural(schema, f"{path}.schema.openAPIV3Schema")


_WRITTEN: dict[str, type | tuple[type, ...]] = {
    "type": str,
    "pattern": str,
    "format": str,
    "properties": dict,
    "items": dict,
    "not": dict,
    "additionalProperties": (dict, bool),
    "required": list,
    "enum": list,
    "allOf": list,
    "anyOf": list,
    "oneOf": list,
    "minimum": (int, float),
    "maximum": (int, float),
    "multipleOf": (int, float),
    "minLength": int,
    "maxLength": int,
    "minItems": int,
    "maxItems": int,
    "minProperties": int,
    "maxProperties": int,
    "x-kubernetes-list-type": str,
    "x-kubernetes-map-type": str,
    "x-kubernetes-list-map-keys": list,
}
_OF_TEXTS = ("required", "x-kubernetes-list-map-keys")


def _written(schema: Any, path: str) -> Iterator[Cause]:
    """Whether every keyword of a schema has the type that it should have."""
    if not isinstance(schema, dict):
        yield invalid(path, schema, "must be an object")
        return
    for keyword, kind in _WRITTEN.items():
        value = schema.get(keyword)
        if value is None:
            continue
        texts = value if keyword in _OF_TEXTS and isinstance(value, list) else ()
        if not (isinstance(value, kind) and all(isinstance(each, str) for each in texts)):
            yield invalid(f"{path}.{keyword}", value, "has a wrong type")
            return
    inner = [(f"{path}.properties[{n}]", s) for n, s in (schema.get("properties") or {}).items()]
    for keyword in ("items", "not", "additionalProperties"):
        if isinstance(schema.get(keyword), Mapping):
            inner.append((f"{path}.{keyword}", schema[keyword]))
    for keyword in ("allOf", "anyOf", "oneOf"):
        choices: list[Any] = list(schema.get(keyword) or ())
        inner += [(f"{path}.{keyword}[{i}]", each) for i, each in enumerate(choices)]
    for where, each in inner:
        yield from _written(each, where)


def _structural(schema: Schema, path: str, depth: int = 0) -> Iterator[Cause]:
    """A schema says the type of everything; fields are either declared or free, not both."""
    free = schema.get("x-kubernetes-int-or-string") or schema.get(
        "x-kubernetes-preserve-unknown-fields"
    )
    if not schema.get("type") and not free:
        yield required(f"{path}.type", "must not be empty for specified object fields")
    elif schema.get("type") and schema["type"] not in _STRUCTURAL:
        yield unsupported(f"{path}.type", schema["type"], _STRUCTURAL)
    if depth == 0 and schema.get("type") not in (None, "object"):
        yield invalid(f"{path}.type", schema["type"], "must be object at the root")
    if schema.get("properties") and schema.get("additionalProperties"):
        yield forbidden(
            f"{path}.additionalProperties",
            "additionalProperties and properties are mutual exclusive",
        )
    if schema.get("type") == "array" and not schema.get("items"):
        yield required(f"{path}.items", "must be specified")
    if schema.get("x-kubernetes-list-type") == "map" and not schema.get(
        "x-kubernetes-list-map-keys"
    ):
        why = 'must not be empty if x-kubernetes-list-type is "map"'
        yield required(f"{path}.x-kubernetes-list-map-keys", why)
    for name, inner in (schema.get("properties") or {}).items():
        if depth == 0 and name in ("metadata", "apiVersion", "kind"):
            continue
        yield from _structural(inner, f"{path}.properties[{name}]", depth + 1)
    for field in ("items", "additionalProperties"):
        if isinstance(schema.get(field), Mapping):
            yield from _structural(schema[field], f"{path}.{field}", depth + 1)
