"""What types the fields of a kind have: for ownership, patches, pruning and canonical values.

The built-in kinds stand in `types.json`, which `tests/sandbox/kubernetes_types.py` makes from the
OpenAPI specification of Kubernetes; custom kinds bring an `openAPIV3Schema`. How both become types
that can be merged follows kube-openapi's `schemaconv`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True, eq=False, repr=False)
class TypeSchema:
    """One type. A value may be what `scalar`, `items` and `mapping` allow: mostly one of the three.

    scalar    string, bytes, boolean, int32, int64, number, quantity, int-or-string, time, formatted
              (a string with a format), any; None: no scalar
    items     the type of a list's elements; None: no list
    listing   "atomic" (owned as a whole), "set" (of scalars), "map" (elements have `keys`)
    mapping   whether it may be a map: a struct (`fields`), a free map (`values`), or both
    values    the type of what `fields` does not name; None: unknown to server-side apply
    keeps     whether what `fields` does not name is stored; otherwise it is pruned
    atomic    a map that is owned and replaced as a whole
    defaults  of fields; for built-in kinds only of those that are merge keys
    patch     field -> (strategies, merge key or "") of strategic merge patches
    """

    scalar: str | None = None
    items: "TypeSchema | None" = None
    listing: str = "atomic"
    keys: tuple[str, ...] = ()
    mapping: bool = False
    fields: "dict[str, TypeSchema]" = field(default_factory=dict)
    values: "TypeSchema | None" = None
    keeps: bool = False
    atomic: bool = False
    required: tuple[str, ...] = ()
    defaults: Json = field(default_factory=dict)
    patch: dict[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)

    def of(self, name: str) -> "TypeSchema | None":
        """The type of a map's field; None: server-side apply does not know the field."""
        return self.fields.get(name, self.values)


# What has no type is merged by what it is: maps field by field, lists as a whole.
ANY = TypeSchema(scalar="any", mapping=True, keeps=True)
RAW = TypeSchema(scalar="any", mapping=True, keeps=True, atomic=True)
ANY.items, ANY.values = RAW, ANY
RAW.items, RAW.values = RAW, RAW
LEAVES = {"any": ANY, "raw": RAW, "object": TypeSchema(mapping=True, values=ANY, keeps=True)}


class Builtin:
    """The types of types.json, made when they are first asked for."""

    def __init__(self) -> None:
        table = json.loads((files("app.sandbox") / "types.json").read_text())
        self.kinds: dict[str, str] = table["kinds"]
        self.written: Json = table["types"]
        self.made: dict[str, TypeSchema] = {}

    def type(self, written: Any) -> TypeSchema:
        if not isinstance(written, str):
            return self.build(TypeSchema(), written)
        if written not in self.written:
            return LEAVES.get(written) or self.made.setdefault(written, TypeSchema(scalar=written))
        if written not in self.made:
            named = self.written[written]
            if isinstance(named, str):
                return self.type(named)
            self.made[written] = TypeSchema()  # before its fields: a type may hold itself
            self.build(self.made[written], named)
        return self.made[written]

    def build(self, made: TypeSchema, written: Json) -> TypeSchema:
        if "is" in written:  # a field may change whether the type that it names is atomic
            self.build(made, self.written[written["is"]])
            made.atomic = written["atomic"]
            return made
        if "items" in written:
            made.items = self.type(written["items"])
            made.keys = tuple(written.get("keys", ()))
            made.listing = "map" if made.keys else "set" if "set" in written else "atomic"
            return made
        made.mapping = True
        made.fields = {name: self.type(its) for name, its in written.get("fields", {}).items()}
        made.values = self.type(written["values"]) if "values" in written else None
        made.keeps = made.values is not None
        made.atomic = written.get("atomic", False)
        made.required = tuple(written.get("required", ()))
        made.defaults = written.get("defaults", {})
        for name, (strategies, merge_key) in written.get("patch", {}).items():
            made.patch[name] = (tuple(strategies.split(",")), merge_key)
        return made


@cache
def table() -> Builtin:
    return Builtin()


def builtin(api_version: str, kind: str) -> TypeSchema | None:
    """The type of a built-in kind, e.g. ("apps/v1", "Deployment"); None: Kubernetes has no such."""
    name = table().kinds.get(f"{api_version}/{kind}")
    return table().type(name) if name else None


def from_crd(schema: Json | None) -> TypeSchema:
    """The type of a custom resource by its version's `openAPIV3Schema`; None: anything goes."""
    made = custom(schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    if not made.mapping:
        made = TypeSchema(mapping=True, values=ANY, keeps=True)
    elif made is ANY:
        made = TypeSchema(scalar="any", items=RAW, mapping=True, values=ANY, keeps=True)
    return embedded(made)


def embedded(made: TypeSchema) -> TypeSchema:
    meta = table().type("meta.v1.ObjectMeta")
    string = TypeSchema(scalar="string")
    made.fields = {**made.fields, "apiVersion": string, "kind": string, "metadata": meta}
    return made


def custom(  # noqa: PLR0911 - a line per type
    schema: Json, preserve: bool = False
) -> TypeSchema:
    preserve = preserve or schema.get("x-kubernetes-preserve-unknown-fields") is True
    if schema.get("x-kubernetes-int-or-string") is True:
        return TypeSchema(scalar="int-or-string")
    match schema.get("type"):
        case "object":
            return custom_map(schema, preserve)
        case "array":
            return custom_list(schema, preserve)
        case "boolean":
            return TypeSchema(scalar="boolean")
        case "integer":
            return TypeSchema(scalar="int32" if schema.get("format") == "int32" else "int64")
        case "number":
            return TypeSchema(scalar="number")
        case "string":
            formats = {None: "string", "": "string", "byte": "bytes"}
            return TypeSchema(scalar=formats.get(schema.get("format"), "formatted"))
        case _:
            return ANY


def custom_map(schema: Json, preserve: bool) -> TypeSchema:
    fields: dict[str, Json] = schema.get("properties") or {}
    others = schema.get("additionalProperties")
    made = TypeSchema(
        mapping=True,
        fields={name: custom(its, preserve) for name, its in fields.items()},
        keeps=bool(others) or schema.get("x-kubernetes-preserve-unknown-fields") is True,
        atomic=schema.get("x-kubernetes-map-type") == "atomic",
        required=tuple(schema.get("required") or ()),
        defaults={name: its["default"] for name, its in fields.items() if "default" in its},
    )
    if isinstance(others, dict):
        made.values = custom(others, preserve)
    elif others or (others is None and (preserve or not fields)):
        made.values = ANY
    return embedded(made) if schema.get("x-kubernetes-embedded-resource") is True else made


def custom_list(schema: Json, preserve: bool) -> TypeSchema:
    listing = schema.get("x-kubernetes-list-type", "atomic")
    return TypeSchema(
        items=custom(schema.get("items") or {}, preserve),
        listing=listing,
        keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()) if listing == "map" else (),
    )


def unknown_fields(value: Any, schema: TypeSchema, at: str = "") -> Iterator[str]:
    """Where fields are that would be pruned: `spec.template.spec.containers[0].imagee`."""
    if isinstance(value, dict) and schema.mapping:
        for name, inner in value.items():
            path = f"{at}.{name}" if at else name
            known = schema.fields.get(name, schema.values if schema.keeps else None)
            if known:
                yield from unknown_fields(inner, known, path)
            elif not schema.keeps:
                yield path
    elif isinstance(value, list) and schema.items:
        for index, inner in enumerate(value):
            yield from unknown_fields(inner, schema.items, f"{at}[{index}]")


def prune(value: Any, schema: TypeSchema) -> Any:
    """A copy without the fields that the type does not know."""
    if isinstance(value, dict):
        kept = {}
        for name, inner in value.items():
            known = schema.fields.get(name, schema.values if schema.keeps else None)
            if known or schema.keeps or not schema.mapping:
                kept[name] = prune(inner, known or ANY)
        return kept
    if isinstance(value, list):
        return [prune(inner, schema.items or ANY) for inner in value]
    return value
