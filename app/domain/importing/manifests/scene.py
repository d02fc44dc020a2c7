"""All objects of a source together: who is who, and what refers to whom."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain import labels
from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.objects import Source, at, items, texts
from app.domain.node import NodeData, NodeType
from app.domain.storage import VolumeMode
from app.domain.workload import WorkloadData

WORKLOADS = {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"}
"""The Kubernetes kinds that nodes run pods by."""
_GROUPS = {"apps", "batch"}


class Arrow(NamedTuple):
    """An edge to be: its ends, and the handle where it starts."""

    source: str
    target: str
    handle: str | None = None


@dataclass(slots=True)
class Reading:
    """An object that has become a node."""

    source: Source
    node_id: str
    type: NodeType
    data: NodeData
    form: Form
    folded: list[Source] = field(default_factory=list)
    """Further objects that the node makes by itself."""


def template_of(source: Source) -> tuple[str, ...]:
    """Where a workload has the template of its pods."""
    if source.kind == "CronJob":
        return ("spec", "jobTemplate", "spec", "template")
    return ("spec", "template")


def main_container(containers: object, name: str) -> int:
    """Which of several containers is the node's: the one called as the workload, else the first."""
    listed = [i for i, container in items(containers) if container.get("name") == name]
    return listed[0] if listed else next((i for i, _ in items(containers)), 0)


def is_workload(source: Source) -> bool:
    return source.group in _GROUPS and source.kind in WORKLOADS


def pod_labels(source: Source) -> dict[str, str]:
    return texts(at(source.object, *template_of(source), "metadata", "labels"))


class Scene:
    """Indexes over the sources of one text, and over the nodes that they have become."""

    def __init__(self, found: Sequence[Source]) -> None:
        self.sources = found
        self.namespace = _most(source.namespace for source in found)
        """Where objects go that name no namespace; None when the source leaves it open."""
        self.workflow = _most(source.workflow for source in found if source.workflow)
        """The id of the workflow that made the objects, or most of them."""
        self.part_of = {
            source.labels[labels.PART_OF]
            for source in found
            if source.workflow is not None
            and is_workload(source)
            and labels.PART_OF in source.labels
            and labels.PART_OF not in pod_labels(source)
        }
        """Values of `part-of` that a workflow's name has made: pods never carry those."""
        self.readings: dict[str, Reading] = {}
        self._named: dict[tuple[str | None, str, str], Reading] = {}
        self._owners: dict[tuple[str, str | None], Reading] = {}
        self._pods: list[tuple[Reading, Mapping[str, str]]] = []
        self._objects: dict[tuple[str, str | None, str], Source] = {}
        for source in found:
            self._objects.setdefault((source.kind, self.where(source), source.name), source)

    def where(self, source: Source) -> str | None:
        """The namespace that the object goes to."""
        return source.namespace or self.namespace

    def add(self, reading: Reading) -> None:
        self.readings[reading.node_id] = reading
        where = self.where(reading.source)
        self._named.setdefault((where, reading.type.value, reading.source.name), reading)
        if reading.source.workflow is not None:
            self._owners.setdefault((reading.source.workflow, reading.source.node), reading)
        if isinstance(reading.data, WorkloadData):
            self._pods.append((reading, pod_labels(reading.source)))

    def remove(self, reading: Reading) -> None:
        """Takes a node away that nothing can refer to yet."""
        del self.readings[reading.node_id]

    def object(self, kind: str, beside: Source, name: object) -> Source | None:
        """An object by its kind and name, in the namespace of another one."""
        return self._objects.get((kind, self.where(beside), str(name)))

    def named(self, kind: str, beside: Source, name: str) -> Reading | None:
        """A node by its kind's word and the name in the source, beside another object."""
        return self._named.get((self.where(beside), kind, name))

    def device(self, name: str) -> Reading | None:
        """A claim of a raw device by its name, wherever it is."""
        return next(
            (
                reading
                for reading in self.readings.values()
                if reading.source.name == name
                and getattr(reading.data, "volume_mode", None) is VolumeMode.BLOCK
            ),
            None,
        )

    def owner(self, selector: Mapping[str, str]) -> Reading | None:
        """The node that a workflow's own selector means."""
        if selector.keys() != {labels.NODE_ID, labels.WORKFLOW_ID}:
            return None
        return self._owners.get((selector[labels.WORKFLOW_ID], selector[labels.NODE_ID]))

    def selected(
        self, selector: Mapping[str, str], by: Source, namespace: str | None = None
    ) -> list[Reading]:
        """The workloads whose pods a selector finds, as the object that has it means it.

        A workflow's own selector that is to follow a node names that node; any other one that a
        workflow has made was written by somebody, and stays as it is.
        """
        if by.workflow is not None:
            owner = self.owner(selector)
            return [owner] if owner is not None else []
        if not selector:
            return []
        where = namespace or self.where(by)
        return [
            reading
            for reading, carried in self._pods
            if self.where(reading.source) == where and selector.items() <= carried.items()
        ]


def _most(values: Iterable[str | None]) -> str | None:
    """The value that is there most often, the first of several."""
    counted = Counter(values)
    return max(counted, key=lambda value: counted[value], default=None)
