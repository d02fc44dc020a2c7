"""Server-side apply, its dry run, and deletion of exactly the object that was meant.

Each is one call; plans, order and waiting are not decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.domain.errors import ClusterError, ClusterFault, Invalid
from app.kube.client import APPLY, KubeClient

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Applied:
    """The object as the cluster has it now, or would have it after a dry run.

    What a dry run invents for a new object (uid, times, addresses) is not what it will have.
    """

    object: Object
    created: bool
    warnings: list[str]


async def apply(
    client: KubeClient,
    manifest: Mapping[str, Any],
    *,
    manager: str = "kubeorch",
    force: bool = False,
    dry_run: bool = False,
    once: bool = False,
    seconds: float = 30.0,
) -> Applied:
    """Apply one manifest with strict validation.

    Sent `once`, what `created` says is true of whoever asks: a second try would find the object
    that the first one has made.

    Raises ClusterError: CONFLICT with a cause per field that somebody else owns, INVALID with the
    fields at fault, NOT_FOUND when the namespace or the kind isn't there.
    """
    params = {
        "fieldManager": manager,
        "force": "true" if force else "false",
        "fieldValidation": "Strict",
    }
    if dry_run:
        params["dryRun"] = "All"
    answer = await client.patch(
        await _path(client, manifest),
        manifest,
        content_type=APPLY,
        params=params,
        seconds=seconds,
        repeatable=not once,
    )
    return Applied(answer.body, answer.status == 201, answer.warnings)


async def read(
    client: KubeClient, manifest: Mapping[str, Any], *, seconds: float = 30.0
) -> Object | None:
    """The live object that a manifest names, or None; also when its kind is not served."""
    try:
        return (await client.get(await _path(client, manifest), seconds=seconds)).body
    except ClusterError as error:
        if error.fault is ClusterFault.NOT_FOUND:
            return None
        raise


async def delete(
    client: KubeClient,
    manifest: Mapping[str, Any],
    *,
    uid: str,
    propagation: Literal["Background", "Foreground", "Orphan"] = "Background",
    seconds: float = 30.0,
) -> bool:
    """Delete the object with this uid; False when it was gone already.

    It may live on for a while, until its finalizers are done. Raises ClusterError CONFLICT when
    another object has its name now.
    """
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": uid},
        # A Job's pods would be left behind without it.
        "propagationPolicy": propagation,
    }
    try:
        await client.delete(await _path(client, manifest), options, seconds=seconds)
    except ClusterError as error:
        if error.fault is ClusterFault.NOT_FOUND:
            return False
        raise
    return True


async def _path(client: KubeClient, manifest: Mapping[str, Any]) -> str:
    """Where the object is. Raises Invalid for a manifest that doesn't say."""
    named = manifest.get("metadata")
    named = named if isinstance(named, Mapping) else {}
    version, kind = manifest.get("apiVersion"), manifest.get("kind")
    name, namespace = named.get("name"), named.get("namespace")
    for field, text in (("apiVersion", version), ("kind", kind), ("metadata.name", name)):
        if not isinstance(text, str) or not text:
            raise Invalid.field((field,), "A manifest has to say this.")
    resource = await client.resources.find(str(version), str(kind))
    if resource.namespaced and not isinstance(namespace, str):
        raise Invalid.field(("metadata.namespace",), "An object of this kind needs a namespace.")
    return resource.path(namespace=namespace, name=str(name))
