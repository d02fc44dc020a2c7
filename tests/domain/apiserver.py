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

from app.domain import quantity

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

_LABEL = r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?"
_NAMES = {
    "Service": r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?",
    "CronJob": r"[a-z0-9](?:[-a-z0-9]{0,50}[a-z0-9])?",
    "StatefulSet": _LABEL,
}
_SUBDOMAIN = r"(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?"
_KEY = (
    rf"(?:{_SUBDOMAIN[len('(?=.{1,253}$)') :]}/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"
)


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
    if not re.fullmatch(_NAMES.get(obj["kind"], _SUBDOMAIN), metadata["name"]):
        yield f"metadata.name: {metadata['name']}"
    if not re.fullmatch(_LABEL, metadata.get("namespace", "none")):
        yield f"metadata.namespace: {metadata['namespace']}"
    yield from _labels(metadata["labels"])


def _rules(obj: dict[str, Any]) -> Iterator[str]:
    yield from _metadata(obj)
    spec = obj.get("spec", {})
    if "template" in spec:
        yield from _template(spec["template"], obj["kind"])
    if "jobTemplate" in spec:
        yield from _labels(spec["jobTemplate"]["metadata"]["labels"])
        yield from _template(spec["jobTemplate"]["spec"]["template"], "Job")
    if obj["kind"] in {"Deployment", "StatefulSet", "DaemonSet"}:
        chosen = spec["selector"]["matchLabels"]
        if not chosen or not chosen.items() <= spec["template"]["metadata"]["labels"].items():
            yield "spec.selector: not the labels of the template"
    match obj["kind"]:
        case "Service":
            yield from _service(spec)
        case "Ingress":
            yield from _ingress(spec)
        case "NetworkPolicy":
            yield from _policy(spec)


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


def _labels(labels: dict[str, str]) -> Iterator[str]:
    for key, value in labels.items():
        if not re.fullmatch(_KEY, key) or not re.fullmatch(_VALUE, value):
            yield f"label {key}={value}"


def _unique(items: list[Any], what: str) -> Iterator[str]:
    seen: list[Any] = []
    for item in items:
        if item in seen:
            yield f"{what}: {item} twice"
        seen.append(item)


def _template(template: dict[str, Any], kind: str) -> Iterator[str]:
    yield from _labels(template["metadata"]["labels"])
    spec = template["spec"]
    (container,) = spec["containers"]
    if ("restartPolicy" in spec) != (kind == "Job"):
        yield "restartPolicy"
    volumes = [volume["name"] for volume in spec.get("volumes", [])]
    yield from _unique(volumes, "volumes")
    mounts = [*container.get("volumeMounts", []), *container.get("volumeDevices", [])]
    provided = (
        [] if kind == "StatefulSet" else [m["name"] for m in mounts if m["name"] not in volumes]
    )
    yield from (f"volumeMounts: no volume {name}" for name in provided)
    yield from (f"volume {n}" for n in volumes if not re.fullmatch(_LABEL, n))
    paths = [(m.get("mountPath") or m["devicePath"]).rstrip("/") for m in mounts]
    yield from _unique(paths, "mountPath")
    ports = container.get("ports", [])
    yield from _unique([(p["containerPort"], p["protocol"]) for p in ports], "ports")
    yield from _unique([p["name"] for p in ports if "name" in p], "port names")
    yield from _unique(
        [(p["hostPort"], p["protocol"]) for p in ports if "hostPort" in p], "hostPort"
    )
    if spec.get("hostNetwork"):
        yield from (
            "hostPort" for p in ports if p.get("hostPort", p["containerPort"]) != p["containerPort"]
        )
    yield from _unique([entry["name"] for entry in container.get("env", [])], "env")
    yield from _unique([s["name"] for s in spec.get("imagePullSecrets", [])], "imagePullSecrets")
    for amounts in container.get("resources", {}).values():
        for amount in amounts.values():
            if quantity.canonical(amount) != amount:
                yield f"{amount} is not how the server writes it"


def _service(spec: dict[str, Any]) -> Iterator[str]:
    ports = spec.get("ports", [])
    yield from _unique([(p["port"], p["protocol"]) for p in ports], "ports")
    if len(ports) > 1:
        yield from _unique([p.get("name") for p in ports], "port names")
        yield from ("a port without a name" for p in ports if "name" not in p)
    yield from (f"port {p['name']}" for p in ports if not re.fullmatch(_LABEL, p.get("name", "a")))
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and spec["type"] != "ExternalName":
        yield "ports: none"


def _ingress(spec: dict[str, Any]) -> Iterator[str]:
    if not spec["rules"]:
        yield "rules: none"
    for rule in spec["rules"]:
        if not rule["http"]["paths"]:
            yield "paths: none"
        for path in rule["http"]["paths"]:
            port = path["backend"]["service"]["port"]
            if len(port) != 1 or not path["path"].startswith("/"):
                yield f"path {path}"


def _policy(spec: dict[str, Any]) -> Iterator[str]:
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(side, []):
            if rule.get(peers) == [] or {} in rule.get(peers, []):
                yield f"{side}: allows everybody without saying so"
            if side.capitalize() not in spec["policyTypes"]:
                yield f"{side}: not ruled"
