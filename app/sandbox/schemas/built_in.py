"""The types of the built-in kinds, which `types.json` holds.

`tests/sandbox/kubernetes_types.py` makes it from the OpenAPI specification of Kubernetes.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from app.sandbox.schemas.schema import ANY, RAW, Json, TypeSchema

LEAVES = {"any": ANY, "raw": RAW, "object": TypeSchema(mapping=True, values=ANY, keeps=True)}


class Builtin:
    """The types of types.json, made when they are first asked for."""

    def __init__(self) -> None:
        table = json.loads((files("app.sandbox.schemas") / "types.json").read_text())
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
