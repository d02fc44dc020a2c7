"""Where a node's objects go: their namespace, whose they are, and what else is on the canvas."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain import labels
from app.domain.manifest import Manifest, Wave
from app.domain.node import Link, NodeData, WorkflowNode


class Site:
    """A wired canvas with everything by name: what all its places have in common."""

    def __init__(
        self,
        nodes: Mapping[str, WorkflowNode],
        outgoing: Mapping[str, Sequence[Link]],
        *,
        workflow_id: str,
        workflow_name: str,
        namespace: str,
    ) -> None:
        self.nodes = nodes
        self.outgoing = outgoing
        self.namespace = namespace
        self.workflow = labels.of_id(workflow_id)
        self.workflow_id = workflow_id
        self.ids = {id_: labels.of_id(id_) for id_ in nodes}
        """The nodes' ids as label values."""
        self.part_of = labels.of_text(workflow_name) or self.workflow
        self._named: dict[tuple[str, str, str], WorkflowNode] = {}
        self._scaled: set[tuple[str, str, str]] = set()
        for node in nodes.values():
            where = self.where(node.data)
            self._named.setdefault((where, node.type.value, node.data.name), node)
            if (scaled := node.data.scales) is not None:
                self._scaled.add((where, *scaled))

    def where(self, data: NodeData) -> str:
        """The namespace of a node's objects."""
        return data.namespace or self.namespace

    def named(self, namespace: str, kind: str, name: str) -> WorkflowNode | None:
        """The node of a kind by its name."""
        return self._named.get((namespace, kind, name))

    def is_scaled(self, namespace: str, kind: str, name: str) -> bool:
        """Whether something on the canvas decides how many pods a workload has."""
        return (namespace, kind, name) in self._scaled

    def places(self) -> Iterator["Place"]:
        """A place for every node, in the canvas' order."""
        for node in self.nodes.values():
            yield Place(self, node)


class Place:
    """A node's place among the others."""

    __slots__ = ("namespace", "node", "site")

    def __init__(self, site: Site, node: WorkflowNode) -> None:
        self.site = site
        self.node = node
        self.namespace = site.where(node.data)

    @property
    def outgoing(self) -> Sequence[Link]:
        """The edges that start here."""
        return self.site.outgoing.get(self.node.id, ())

    @property
    def selector(self) -> dict[str, str]:
        """What finds the pods of this node, and stays the same whatever the node is called."""
        return self.selector_of(self.node.id)

    def selector_of(self, node_id: str) -> dict[str, str]:
        """What finds the pods of a node of this canvas."""
        return {labels.NODE_ID: self.site.ids[node_id], labels.WORKFLOW_ID: self.site.workflow}

    @property
    def is_scaled(self) -> bool:
        """Whether something else decides how many pods this workload has."""
        return self.site.is_scaled(self.namespace, self.node.type.value, self.node.data.name)

    def named(self, kind: str, name: str) -> WorkflowNode | None:
        """The node of a kind by its name, in this namespace."""
        return self.site.named(self.namespace, kind, name)

    def private_name(self, prefix: str) -> str:
        """A name for a further object of this node; the same whatever the node is called."""
        return f"{prefix}-{labels.digest(f'{self.site.workflow_id}/{self.node.id}', 16)}"

    def pod_labels(self) -> dict[str, str]:
        """The labels of pods. They are part of what is rolled out, so none is the workflow's."""
        data = self.node.data
        return _sorted(
            {labels.NAME: labels.of_name(data.name)},
            labels.of_pods(data.labels),
            {labels.APP: data.name, labels.MANAGED_BY: labels.MANAGER, **self.selector},
        )

    def manifest(
        self,
        api_version: str,
        kind: str,
        body: Mapping[str, Any],
        *,
        wave: Wave,
        name: str | None = None,
        namespaced: bool = True,
        keys: Sequence[str] = (),
    ) -> Manifest:
        """An object of this node: `body` is everything but its type and its metadata.

        With a `name` of its own it is a further object, without the node's annotations.
        """
        data = self.node.data
        metadata: dict[str, Any] = {"name": name or data.name}
        if namespaced:
            metadata["namespace"] = self.namespace
        metadata["labels"] = _sorted(
            {labels.NAME: labels.of_name(data.name), labels.PART_OF: self.site.part_of},
            data.labels,
            {labels.INSTANCE: self.site.workflow, labels.MANAGED_BY: labels.MANAGER},
            self.selector,
        )
        if data.annotations and name is None:
            metadata["annotations"] = dict(data.annotations)
        return Manifest(
            node_id=self.node.id,
            object={"apiVersion": api_version, "kind": kind, "metadata": metadata, **body},
            wave=wave,
            keys=tuple(keys),
        )


def _sorted(*parts: Mapping[str, str] | None) -> dict[str, str]:
    """Labels by their keys; a later part wins."""
    merged: dict[str, str] = {}
    for part in parts:
        merged.update(part or {})
    return dict(sorted(merged.items()))
