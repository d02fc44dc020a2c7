"""Which object of a cluster is meant, and whose it is.

An object that is there already is never taken over silently: only what this workflow made before,
or what somebody hands over explicitly, is changed or deleted.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain import labels
from app.domain.health.seen import listed, part, word
from app.domain.manifest import Identity, Manifest

Object = Mapping[str, Any]
"""A Kubernetes object as parsed JSON."""

PRUNE = "kubeorch.io/prune"
"""An annotation: with the value `false` the object is never deleted by a deploy."""


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One object of a cluster, in the API version in which it is asked for.

    `api_version` is group and version (`apps/v1`, `v1`); `namespace` is None for an object of the
    whole cluster.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str

    @classmethod
    def of_manifest(cls, manifest: Manifest) -> "ObjectKey":
        return cls(manifest.api_version, manifest.kind, manifest.namespace, manifest.name)

    @classmethod
    def of(cls, obj: Object) -> "ObjectKey":
        """The key of an object as a cluster sent it. Items of lists carry no kind: fill it in."""
        metadata = part(obj, "metadata")
        return cls(
            word(obj, "apiVersion"),
            word(obj, "kind"),
            word(metadata, "namespace") or None,
            word(metadata, "name"),
        )

    @property
    def group(self) -> str:
        """The API group; empty for the core one."""
        return self.api_version.rpartition("/")[0]

    @property
    def identity(self) -> Identity:
        """What no two objects of a cluster share: without the version, which may change."""
        return (self.kind, self.group, self.namespace or "", self.name)

    @property
    def is_secret(self) -> bool:
        return self.kind == "Secret" and self.group == ""

    def __str__(self) -> str:
        """As sentences call it: `Deployment shop/web`."""
        return (
            f"{self.kind} {self.namespace}/{self.name}"
            if self.namespace
            else (f"{self.kind} {self.name}")
        )


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """An object that a deploy of this workflow has made, or was about to make.

    `uid` is None when the deploy ended before it was known. `node_id` is the node whose it was.
    `kept` is what stays though no node stands for it any more, such as a claim with its data.
    `of_cluster` is said of an object of the whole cluster: its manifest may name a namespace all
    the same, which the cluster ignores.
    """

    key: ObjectKey
    uid: str | None
    node_id: str | None = None
    kept: bool = field(default=False, compare=False)
    of_cluster: bool = field(default=False, compare=False)

    @property
    def place(self) -> str | None:
        """The namespace that it is in; None when it belongs to the whole cluster."""
        return None if self.of_cluster else self.key.namespace


class Owner(enum.StrEnum):
    """Whose a live object is."""

    OURS = "ours"
    """This workflow's."""
    OTHER_WORKFLOW = "other_workflow"
    """Another workflow's of KubeOrch, on this server or on another one."""
    SOMEBODY_ELSE = "somebody_else"
    """Another tool's or a controller's."""
    NOBODY = "nobody"
    """It carries no sign of anyone."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """`by` names the owner for people, as far as it is known; of another workflow it is empty, and
    `workflow` is the label that tells which, because not everybody may know its name."""

    owner: Owner
    by: str = ""
    workflow: str | None = None


_SIGNS: tuple[tuple[str, str, str], ...] = (
    ("annotations", "meta.helm.sh/release-name", "Helm"),
    ("annotations", "argocd.argoproj.io/tracking-id", "Argo CD"),
    ("labels", "argocd.argoproj.io/instance", "Argo CD"),
    ("labels", "kustomize.toolkit.fluxcd.io/name", "Flux"),
    ("labels", "helm.toolkit.fluxcd.io/name", "Flux"),
    ("labels", "kapp.k14s.io/app", "kapp"),
    ("labels", "applyset.kubernetes.io/part-of", "an ApplySet of kubectl"),
)
"""Where other tools write that an object is theirs: in which part of the metadata, under what."""


def owner_labels(workflow_id: str) -> dict[str, str]:
    """The labels by which an object is this workflow's; they never change while it lives."""
    workflow = labels.of_id(workflow_id)
    return {
        labels.INSTANCE: workflow,
        labels.MANAGED_BY: labels.MANAGER,
        labels.WORKFLOW_ID: workflow,
    }


def ownership(live: Object, workflow_id: str, *, made: str | None = None) -> Ownership:
    """Whose `live` is, seen from a workflow.

    `made` is the uid under which the inventory has it: an object that lost its labels is still
    ours, and one that carries another owner's sign is theirs in spite of it.
    """
    metadata = part(live, "metadata")
    if controller := _controller(metadata):
        return Ownership(Owner.SOMEBODY_ELSE, controller)
    carried = part(metadata, "labels")
    workflow = word(carried, labels.WORKFLOW_ID)
    if workflow and word(carried, labels.MANAGED_BY) == labels.MANAGER:
        if workflow == labels.of_id(workflow_id):
            return Ownership(Owner.OURS)
        return Ownership(Owner.OTHER_WORKFLOW, workflow=workflow)
    if tool := _tool(metadata):
        return Ownership(Owner.SOMEBODY_ELSE, tool)
    was_made = made == word(metadata, "uid")
    return Ownership(Owner.OURS if was_made else Owner.NOBODY)


def _controller(metadata: Object) -> str:
    """The object that controls this one and would undo what is done to it."""
    for reference in listed(metadata, "ownerReferences"):
        if reference.get("controller") is True:
            return f"{word(reference, 'kind')} {word(reference, 'name')}".strip()
    return ""


def _tool(metadata: Object) -> str:
    """The tool that says that the object is its own."""
    for where, sign, tool in _SIGNS:
        if word(part(metadata, where), sign):
            return tool
    managed_by = word(part(metadata, "labels"), labels.MANAGED_BY)
    return managed_by if managed_by != labels.MANAGER else ""


def is_kept(live: Object) -> bool:
    """Whether an annotation says that no deploy deletes it."""
    return word(part(live, "metadata", "annotations"), PRUNE).lower() == "false"


def is_terminating(live: Object) -> bool:
    """Whether it is being deleted already."""
    return bool(word(part(live, "metadata"), "deletionTimestamp"))


def name_of(live: Object) -> str:
    return word(part(live, "metadata"), "name")


def uid_of(live: Object | None) -> str | None:
    return (word(part(live, "metadata"), "uid") or None) if live is not None else None


def version_of(live: Object | None) -> str | None:
    """The resourceVersion: sent back as it came, never compared but for being the same."""
    return (word(part(live, "metadata"), "resourceVersion") or None) if live is not None else None
