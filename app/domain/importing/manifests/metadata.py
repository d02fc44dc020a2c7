"""Name, namespace, labels and annotations, without what servers and workflows write there."""

import re
from collections.abc import Iterator, Mapping, Set

from pydantic import BaseModel, TypeAdapter, ValidationError

from app.domain import labels
from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.objects import Source, at, texts
from app.domain.importing.manifests.scene import Scene, pod_labels

WRITTEN = {
    # Holds the whole object, and so the values of a Secret.
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "control-plane.alpha.kubernetes.io/leader",
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "batch.kubernetes.io/job-tracking",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
}
"""Annotations that servers, controllers and kubectl write."""
_OF_JOBS = {
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
}
_UID = {"batch.kubernetes.io/controller-uid", "controller-uid"}
_OURS = {labels.MANAGED_BY, labels.NODE_ID, labels.WORKFLOW_ID}


def read_metadata(
    form: Form, source: Source, scene: Scene, pods: Mapping[str, str] | None = None
) -> None:
    """Fills in what every node has; `pods` are the labels of a workload's pods.

    A node has one set of labels for itself and its pods. Where the two differ, the pods' win:
    others find them by these.
    """
    form.take("name", "metadata", "name")
    if source.namespace != scene.namespace:
        form.take("namespace", "metadata", "namespace")
    own = _own(source, scene)
    carried = _carried(source, pods or {})
    if own or carried:
        form.put("labels", {**own, **carried}, "metadata", "labels")
    annotations = {
        key: text
        for key, text in texts(at(source.object, "metadata", "annotations")).items()
        if key not in WRITTEN
    }
    form.put("annotations", annotations or None, "metadata", "annotations")


def written_labels(source: Source) -> Set[str]:
    """The labels that the controller of Jobs writes, where it has: all of them or none."""
    return _OF_JOBS if source.kind == "Job" and _UID & pod_labels(source).keys() else frozenset()


def _own(source: Source, scene: Scene) -> dict[str, str]:
    """Labels of the object that no workflow has made."""
    kept = {
        key: text
        for key, text in source.labels.items()
        if key not in _OURS | written_labels(source) | {labels.INSTANCE}
    }
    if kept.get(labels.NAME) == labels.of_name(source.name):
        del kept[labels.NAME]
    if source.workflow is not None and kept.get(labels.PART_OF) in scene.part_of:
        del kept[labels.PART_OF]
    return kept


def _carried(source: Source, pods: Mapping[str, str]) -> dict[str, str]:
    """Labels of the pods that are not those of every pod of a workflow."""
    written = _OURS | written_labels(source) | {labels.APP}
    kept = {key: text for key, text in pods.items() if key not in written}
    if kept.get(labels.NAME) == labels.of_name(source.name):
        del kept[labels.NAME]
    return kept


def fitting_name(model: type[BaseModel], name: str) -> str:
    """The name, or one that is like it and that the kind takes; the name when there is none."""
    adapter = TypeAdapter[str](model.model_fields["name"].rebuild_annotation())
    for candidate in _candidates(name):
        try:
            return adapter.validate_python(candidate)
        except ValidationError:
            continue
    return name


def _candidates(name: str) -> Iterator[str]:
    plain = re.sub("[^a-z0-9]+", "-", name[:253].lower()).strip("-")
    yield from (name, plain[:63].strip("-"), plain[:52].strip("-"), f"n-{plain[:50].strip('-')}")
