"""Makes app/sandbox/schemas/types.json anew from the OpenAPI schemas of Kubernetes.

    python -m tests.sandbox.kubernetes_types

The facts (fields, their types, merge keys) are those of the OpenAPI specification of Kubernetes,
as the development dependency `kubernetes-validate` carries it; that is why this stands beside the
tests and not in the application. `test_schemas.py` holds the file against what this makes.

The specification of this form leaves out defaults. Only the defaults of fields that are merge keys
matter here: a required one is empty (as Go's zero value), and so is a LocalObjectReference's name;
`protocol` is TCP.
"""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

VERSION = "1.36"
TABLE = Path(__file__).parents[2] / "app" / "sandbox" / "schemas" / "types.json"
SOURCE = f"OpenAPI specification of Kubernetes {VERSION} (Apache-2.0); made by {__spec__.name}"

STABLE = re.compile(r"v[0-9]+")
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
LEAVES = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "time",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw",
}
FORMATS = {"byte": "bytes", "int32": "int32", "int64": "int64", "double": "number"}
ZEROS = {"string": "", "int32": 0, "int64": 0}

Json = dict[str, Any]


def definitions() -> Json:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{VERSION}.0-local"
    read: Json = json.loads((folder / "_definitions.json").read_text())["$defs"]
    return read


def short(name: str) -> str:
    """`io.k8s.api.core.v1.PodSpec` -> `core.v1.PodSpec`: unique, and readable in a diff."""
    return ".".join(name.split(".")[-3:])


class Table:
    """What is reachable from the stable kinds, in the form that app/sandbox/schemas reads."""

    def __init__(self, defs: Json) -> None:
        self.defs = defs
        self.types: dict[str, Any] = {}
        self.kinds: dict[str, str] = {}
        for name, definition in defs.items():
            for known in definition.get("x-kubernetes-group-version-kind", ()):
                self.kind(name, definition, known)

    def kind(self, name: str, definition: Json, known: Json) -> None:
        meta = definition.get("properties", {}).get("metadata", {}).get("$ref", "")
        if STABLE.fullmatch(known["version"]) and meta.endswith(META):
            group = known["group"] + "/" if known["group"] else ""
            self.kinds[f"{group}{known['version']}/{known['kind']}"] = self.reference(name)

    def reference(self, name: str) -> str:
        if name in LEAVES:
            return LEAVES[name]
        if short(name) not in self.types:
            self.types[short(name)] = None  # a type may hold itself
            self.types[short(name)] = self.type(self.defs[name])
        return short(name)

    def type(self, schema: Json) -> Any:
        if "$ref" in schema:
            name = self.reference(schema["$ref"].rsplit("/", 1)[1])
            relation = schema.get("x-kubernetes-map-type")
            return {"is": name, "atomic": relation == "atomic"} if relation else name
        kinds = schema.get("type", [])
        kind = kinds if isinstance(kinds, str) else next(iter(kinds), None)
        if kind is None or (
            kind == "object" and not {*schema} & {"properties", "additionalProperties"}
        ):
            return "any" if kind is None else "object"
        if kind == "object":
            return self.mapping(schema)
        if kind == "array":
            return self.listing(schema)
        return FORMATS.get(schema.get("format", ""), kind)

    def mapping(self, schema: Json) -> Json:
        made: Json = {}
        if "additionalProperties" in schema:
            made["values"] = self.type(schema["additionalProperties"])
        for field, its in sorted(schema.get("properties", {}).items()):
            made.setdefault("fields", {})[field] = self.type(its)
            if strategy := its.get("x-kubernetes-patch-strategy"):
                merge_key = its.get("x-kubernetes-patch-merge-key", "")
                made.setdefault("patch", {})[field] = [strategy, merge_key]
        if required := schema.get("required"):
            made["required"] = sorted(required)
        if schema.get("x-kubernetes-map-type") == "atomic":
            made["atomic"] = True
        return made

    def listing(self, schema: Json) -> Json:
        made: Json = {"items": self.type(schema["items"])}
        listing = schema.get("x-kubernetes-list-type", "atomic")
        if listing == "set":
            made["set"] = True
        if listing == "map":
            made["keys"] = sorted(schema["x-kubernetes-list-map-keys"])
            self.key_defaults(made["items"], made["keys"])
        return made

    def key_defaults(self, item: str, keys: list[str]) -> None:
        struct = self.types[item]
        for key in keys:
            if key == "protocol":
                struct.setdefault("defaults", {})[key] = "TCP"
            elif key in struct.get("required", ()) or item == "core.v1.LocalObjectReference":
                struct.setdefault("defaults", {})[key] = ZEROS[struct["fields"][key]]

    def text(self) -> str:
        """One line a type, so that a new version of Kubernetes reads well in a diff."""

        def lines(entries: Json) -> str:
            return ",\n".join(
                f"{json.dumps(name)}:{json.dumps(entries[name], separators=(',', ':'))}"
                for name in sorted(entries)
            )

        return (
            f'{{"source":{json.dumps(SOURCE)},\n"kinds":{{\n{lines(self.kinds)}\n}},\n'
            f'"types":{{\n{lines(self.types)}\n}}}}\n'
        )


if __name__ == "__main__":
    TABLE.write_text(Table(definitions()).text())
