"""The types of custom kinds, which bring an `openAPIV3Schema`."""

from app.sandbox.schemas.built_in import table
from app.sandbox.schemas.schema import ANY, RAW, Json, TypeSchema


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
