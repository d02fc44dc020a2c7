"""What there is: groups, their versions, and the resources of each."""

from typing import Any

from app.sandbox.cluster import VERSION
from app.sandbox.resources import Registry, Resource


def version() -> dict[str, str]:
    """`/version`."""
    return {
        "major": "1",
        "minor": "36",
        "gitVersion": VERSION,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": "linux/amd64",
    }


def core(address: str) -> dict[str, Any]:
    """`/api`."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def groups(registry: Registry) -> dict[str, Any]:
    """`/apis`."""
    names = {**registry.groups(), **{name: ["v1"] for name in REVIEWS}}
    found = [_group(name, versions) for name, versions in names.items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(registry: Registry, name: str) -> dict[str, Any] | None:
    """`/apis/<group>`; None when there is none."""
    versions = ["v1"] if name in REVIEWS else registry.groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resources(registry: Registry, group_: str, version_: str) -> dict[str, Any] | None:
    """`/api/v1`, `/apis/<group>/<version>`; None when nothing is served there."""
    found = [r for r in registry if (r.group, r.version) == (group_, version_)]
    if not found and group_ not in REVIEWS:
        return None
    listed = [entry for resource in found for entry in _entries(resource)]
    listed += [
        {
            "name": kind.lower() + "s",
            "singularName": kind.lower(),
            "namespaced": False,
            "kind": kind,
            "verbs": ["create"],
        }
        for kind in REVIEWS.get(group_, ())
    ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group_}/{version_}" if group_ else version_,
        "resources": listed,
    }


REVIEWS: dict[str, tuple[str, ...]] = {
    "authentication.k8s.io": ("SelfSubjectReview", "TokenReview"),
    "authorization.k8s.io": ("SelfSubjectAccessReview", "SelfSubjectRulesReview"),
}
"""Questions that are asked by creating an object which is never stored."""

_VERBS = {"log": ["get"], "exec": ["create", "get"], "finalize": ["update"]}
_KINDS = {"scale": ("autoscaling", "v1", "Scale"), "exec": ("", "v1", "PodExecOptions")}


def _entries(resource: Resource) -> list[dict[str, Any]]:
    own: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        own["shortNames"] = list(resource.short_names)
    if resource.categories:
        own["categories"] = list(resource.categories)
    entries = [own]
    for name in resource.subresources:
        entry: dict[str, Any] = {
            "name": f"{resource.plural}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": _VERBS.get(name, ["get", "patch", "update"]),
        }
        if name in _KINDS:
            entry["group"], entry["version"], entry["kind"] = _KINDS[name]
        entries.append(entry)
    return entries
