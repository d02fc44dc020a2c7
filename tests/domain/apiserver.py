"""What an API server with strict field validation would say of an object.

The schemas are those of the real releases. They know fields and types, but not what a name may be
or that a mount needs its volume; those rules are written down here, after the server's own.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.domain.apirules import LABEL, OF_KIND, SUBDOMAIN, labels

OLDEST = "1.30"
_SCHEMAS = resources.files("kubernetes_validate") / "kubernetes-json-schema"
NEWEST = max(
    (
        folder.name.split(".")[0][1:] + "." + folder.name.split(".")[1]
        for folder in _SCHEMAS.iterdir()
        if folder.name.endswith("-local-strict")
    ),
    key=lambda version: int(version.split(".")[1]),
)

_NAMES = {
    "Service": r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?",
    "CronJob": r"[a-z0-9](?:[-a-z0-9]{0,50}[a-z0-9])?",
    "StatefulSet": LABEL,
}


def refusals(obj: dict[str, Any], version: str) -> list[str]:
    """Everything that is wrong with an object, for a version such as `1.30`."""
    validator = _validator(version, obj["apiVersion"], obj["kind"])
    found = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in (validator.iter_errors(obj) if validator else ())
    ]
    return found or list(_rules(obj) if validator else _metadata(obj))


@cache
def _validator(version: str, api_version: str, kind: str) -> Draft202012Validator | None:
    """None for a custom resource: its schema is on the cluster alone."""
    if "." in api_version and not api_version.startswith("networking.k8s.io/"):
        return None
    folder = _SCHEMAS / f"v{version}.0-local-strict"
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = json.loads((folder / f"{kind.lower()}-{group}.json").read_text())
    return Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> Registry:
    text = (_SCHEMAS / f"v{version}.0-local-strict" / "_definitions.json").read_text()
    return Resource.from_contents(json.loads(text)) @ Registry()


def _metadata(obj: dict[str, Any]) -> Iterator[str]:
    yield from _plain(obj, "")
    metadata = obj["metadata"]
    if not re.fullmatch(_NAMES.get(obj["kind"], SUBDOMAIN), metadata["name"]):
        yield f"metadata.name: {metadata['name']}"
    if not re.fullmatch(LABEL, metadata.get("namespace", "none")):
        yield f"metadata.namespace: {metadata['namespace']}"
    yield from labels(metadata["labels"])


def _rules(obj: dict[str, Any]) -> Iterator[str]:
    yield from _metadata(obj)
    yield from OF_KIND.get(obj["kind"], lambda _: ())(obj)


def _plain(value: Any, path: str) -> Iterator[str]:
    """Only what JSON has, exactly, and nothing that says nothing."""
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                yield f"{path}: key {key!r}"
            yield from _plain(item, f"{path}.{key}")
    elif type(value) is list:
        for i, item in enumerate(value):
            yield from () if item is None else _plain(item, f"{path}.{i}")
    elif type(value) not in {str, int, bool, float}:
        yield f"{path}: {value!r}"
