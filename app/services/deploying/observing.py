"""What a cluster says of manifests: each object as it is, and what applying it would come to.

Live objects are read by lists, so an object may have changed by the time of its dry run: then it is
looked at again by itself.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

from app.domain import labels
from app.domain.errors import ClusterError, ClusterFault, Invalid
from app.domain.manifest import Manifest
from app.domain.planning import InventoryEntry, Leftover, ObjectKey, Observed
from app.domain.planning.conflicts import conflicts
from app.domain.planning.secretkeys import rehearsed
from app.kube import paths
from app.kube.applying import Applied, apply, read
from app.kube.client import KubeClient
from app.kube.gathering import all_of, enough_for, gather
from app.kube.listing import items, pages
from app.services.deploying.faults import about, is_of_the_cluster

Object = Mapping[str, Any]

_ATTEMPTS = 5
"""How often an object is looked at that changes while it is looked at."""


async def observe(
    client: KubeClient, manifests: Sequence[Manifest], *, at_once: int
) -> list[Observed]:
    """What the cluster says of each manifest of a workflow, in their order.

    What it says against a single object is that one's `refusal`. Raises ClusterError when it can't
    be asked at all.
    """
    client = client.within(enough_for(len(manifests)))
    lives = await _lives(client, manifests, at_once=at_once)
    gate = asyncio.Semaphore(at_once)

    async def ask(manifest: Manifest) -> Observed:
        async with gate:
            known = None if lives is None else (lives.get(ObjectKey.of_manifest(manifest)),)
            return await observe_one(client, manifest, known=known)

    return await all_of(ask(manifest) for manifest in manifests)


async def live_objects(
    client: KubeClient, manifests: Sequence[Manifest], *, at_once: int
) -> list[Object | None]:
    """What is there of each manifest, in their order. Raises ClusterError."""
    client = client.within(enough_for(len(manifests)))
    lives = await _lives(client, manifests, at_once=at_once)
    if lives is None:
        return await all_of(read(client, manifest.object) for manifest in manifests)
    return [lives.get(ObjectKey.of_manifest(manifest)) for manifest in manifests]


async def observe_one(
    client: KubeClient, manifest: Manifest, *, known: tuple[Object | None] | None = None
) -> Observed:
    """What the cluster says of one manifest. Raises ClusterError when it can't be asked.

    `known` is the live object, or that there is none, as it was a moment ago.
    """
    try:
        for _ in range(_ATTEMPTS):
            live = known[0] if known is not None else await read(client, manifest.object)
            known = None
            seen = await _rehearse(client, manifest, live)
            if seen is not None and not seen.is_torn:
                return seen
    except ClusterError as error:
        if is_of_the_cluster(error):
            raise
        return Observed(manifest, refusal=error)
    except Invalid as error:
        return Observed(manifest, refusal=ClusterError(ClusterFault.INVALID, error.message))
    restless = "Somebody on the cluster changes it all the time."
    return Observed(manifest, refusal=ClusterError(ClusterFault.UNAVAILABLE, restless))


async def _rehearse(client: KubeClient, manifest: Manifest, live: Object | None) -> Observed | None:
    """What a dry run makes of the live object; None when that has come or gone meanwhile."""
    obj = rehearsed(manifest, live)
    applied, refusal = await _tried(client, obj)
    if applied is not None and applied.created is not (live is None):
        return None
    if refusal is not None and refusal.status == 409:
        if live is None or not conflicts(refusal):
            return None
        applied, worse = await _tried(client, obj, force=True)
        refusal = worse or refusal
    if applied is None:
        return Observed(manifest, live, refusal=refusal)
    return Observed(manifest, live, applied.object, refusal, tuple(applied.warnings))


async def _tried(
    client: KubeClient, obj: Object, *, force: bool = False
) -> tuple[Applied | None, ClusterError | None]:
    """What a dry run answers, or why it is refused."""
    try:
        return await apply(client, obj, manager=labels.MANAGER, force=force, dry_run=True), None
    except ClusterError as error:
        if is_of_the_cluster(error):
            raise
        return None, error


async def _lives(
    client: KubeClient, manifests: Sequence[Manifest], *, at_once: int
) -> Mapping[ObjectKey, Object | None] | None:
    """The live objects; None when they are to be read one by one, to see which of them refuses."""
    keys = [ObjectKey.of_manifest(manifest) for manifest in manifests]
    ids = {m.object["metadata"].get("labels", {}).get(labels.WORKFLOW_ID) for m in manifests}
    try:
        return await gather(client, keys, selector=_selector(ids), at_once=at_once)
    except ClusterError as error:
        if is_of_the_cluster(error):
            raise
    except Invalid:
        pass
    return None


def _selector(workflows: set[str | None]) -> str:
    """What the objects of workflows are found by, given the values of their labels."""
    (only,) = workflows if len(workflows) == 1 else (None,)
    ours = f"{labels.MANAGED_BY}={labels.MANAGER}"
    return f"{ours},{labels.WORKFLOW_ID}={only}" if only else ours


async def look_at_left(
    client: KubeClient, entries: Sequence[InventoryEntry], *, workflow_id: str, at_once: int
) -> list[Leftover]:
    """What is on the cluster of objects that the canvas does not have any more, in their order.

    Raises ClusterError.
    """
    client = client.within(enough_for(len(entries)))
    selector = _selector({labels.of_id(workflow_id)})
    keys = [entry.key for entry in entries]
    lives = await about(
        "What the canvas does not have any more could not be looked at",
        gather(client, keys, selector=selector, at_once=at_once),
    )
    namespaces = {
        key.namespace for key, live in lives.items() if live is not None and _makes_claims(key)
    }
    claims = {
        namespace: await about(
            f"The claims in {namespace} could not be looked at", _claims(client, namespace)
        )
        for namespace in sorted(filter(None, namespaces))
    }
    return [
        Leftover(
            entry,
            lives[entry.key],
            claims.get(entry.key.namespace or "", ()) if _makes_claims(entry.key) else (),
        )
        for entry in entries
    ]


def _makes_claims(key: ObjectKey) -> bool:
    return (key.group, key.kind) == ("apps", "StatefulSet")


async def _claims(client: KubeClient, namespace: str) -> tuple[Object, ...]:
    """The claims of a namespace. Items of lists don't say what they are."""
    path = paths.resource("v1", "persistentvolumeclaims", namespace=namespace)
    kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    found: list[Object] = []
    async with aclosing(pages(client, path)) as listed:
        async for page in listed:
            found += [{**claim, **kind} for claim in items(page)]
    return tuple(found)
