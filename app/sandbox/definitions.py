"""CustomResourceDefinitions at work: they become resources, and take their objects with them.

The API server does this by itself, without controllers; so does this. What a definition is becomes
served as soon as it is stored, and its conditions follow in the same breath.
"""

import asyncio
import logging

from app.sandbox.cluster import Cluster
from app.sandbox.objects import Object, copied, is_leaving
from app.sandbox.resources import Resource
from app.sandbox.store import stamp

GROUP = "apiextensions.k8s.io"
log = logging.getLogger(__name__)
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


async def running(cluster: Cluster) -> None:
    """Keep the registry as the definitions say, until cancelled."""
    kind = cluster.registry.of("CustomResourceDefinition", GROUP)
    version = cluster.store.version
    while True:
        for definition in cluster.store.list(kind):
            try:
                _keep(cluster, kind, definition)
            except Exception:
                # One that cannot be served must not keep the others from it.
                log.exception("a definition cannot be served")
        _forget(cluster, kind)
        version = await _changed(cluster, version)


def _keep(cluster: Cluster, kind: Resource, definition: Object) -> None:
    if is_leaving(definition):
        _clean(cluster, kind, definition)
    elif not _established(definition):
        _establish(cluster, kind, definition)


async def _changed(cluster: Cluster, version: int) -> int:
    """Wait for a write that concerns definitions or custom resources."""
    while True:
        newest = await cluster.store.beyond(version)
        events = cluster.store.since(max(version, cluster.store.oldest))
        version = newest
        if any(e.resource.group == GROUP or e.resource.custom for e in events):
            return version
        await asyncio.sleep(0)


def _established(definition: Object) -> bool:
    status = definition.get("status") or {}
    observed = status.get("observedGeneration")
    return bool(observed == definition["metadata"].get("generation"))


def served(definition: Object) -> list[Resource]:
    """The resources that a definition makes, the storage version first."""
    spec = definition["spec"]
    names = spec["names"]
    made = []
    for version in sorted(spec["versions"], key=lambda each: not each.get("storage")):
        if not version.get("served"):
            continue
        subresources = tuple(
            n for n in ("status", "scale") if n in (version.get("subresources") or {})
        )
        made.append(
            Resource(
                spec["group"],
                version["name"],
                names["plural"],
                names.get("singular", names["kind"].lower()),
                names["kind"],
                namespaced=spec["scope"] == "Namespaced",
                short_names=tuple(names.get("shortNames") or ()),
                subresources=subresources,
                scale_paths=_scale_paths(version),
                categories=tuple(names.get("categories") or ()),
                generation=True,
                schema=version["schema"]["openAPIV3Schema"],
                selectable=tuple(
                    each["jsonPath"] for each in version.get("selectableFields") or ()
                ),
            )
        )
    return made


def _scale_paths(version: Object) -> tuple[str, str, str]:
    scale = (version.get("subresources") or {}).get("scale") or {}
    names = ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    spec, status, selector = (str(scale.get(name, "")).removeprefix(".") for name in names)
    return spec, status, selector


def _establish(cluster: Cluster, kind: Resource, definition: Object) -> None:
    spec = definition["spec"]
    keep = {each.version for each in served(definition)}
    for old in list(cluster.registry):
        same = (old.group, old.plural) == (spec["group"], spec["names"]["plural"])
        if old.custom and same and old.version not in keep:
            cluster.registry.remove(old.group, old.version, old.plural)
    for resource in served(definition):
        cluster.registry.add(resource)
    changed = copied(definition)
    finalizers = changed["metadata"].setdefault("finalizers", [])
    if CLEANUP not in finalizers:
        finalizers.append(CLEANUP)
        changed = copied(cluster.store.update(kind, changed))
    now = stamp(cluster.store.now())
    stored = next(each["name"] for each in spec["versions"] if each.get("storage"))
    before = (definition.get("status") or {}).get("storedVersions", [])
    changed["status"] = {
        "acceptedNames": spec["names"],
        "storedVersions": [*before, *([] if stored in before else [stored])],
        "observedGeneration": changed["metadata"]["generation"],
        "conditions": [
            {
                "type": "NamesAccepted",
                "status": "True",
                "lastTransitionTime": now,
                "reason": "NoConflicts",
                "message": "no conflicts found",
            },
            {
                "type": "Established",
                "status": "True",
                "lastTransitionTime": now,
                "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted",
            },
        ],
    }
    cluster.store.update(kind, changed, subresource="status")


def _clean(cluster: Cluster, kind: Resource, definition: Object) -> None:
    """Delete every object of the kind; the definition goes when the last one has gone."""
    resources = served(definition)
    left: list[Object] = []
    for resource in resources[:1]:
        for obj in cluster.store.list(resource):
            metadata = obj["metadata"]
            if "deletionTimestamp" not in metadata:
                cluster.store.delete(resource, metadata.get("namespace"), metadata["name"])
        left = cluster.store.list(resource)
    finalizers = definition["metadata"].get("finalizers") or []
    if not left and CLEANUP in finalizers:
        changed = copied(definition)
        changed["metadata"]["finalizers"] = [each for each in finalizers if each != CLEANUP]
        cluster.store.update(kind, changed)


def _forget(cluster: Cluster, kind: Resource) -> None:
    """Serve no longer what has no definition any more."""
    known = {d["metadata"]["name"] for d in cluster.store.list(kind)}
    for resource in list(cluster.registry):
        if resource.custom and resource.qualified not in known:
            cluster.registry.remove(resource.group, resource.version, resource.plural)
