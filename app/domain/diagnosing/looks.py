"""What checks look at beside the node's own objects, in the words of the Kubernetes API."""

import re
from collections.abc import Iterator, Mapping

from app.domain import labels
from app.domain.diagnosing.scene import Look, Subject
from app.domain.health.seen import Object, listed, part, word

_KEY = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_./]{0,316}")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_OPERATORS = {"In": "{} in ({})", "NotIn": "{} notin ({})", "Exists": "{}", "DoesNotExist": "!{}"}

API_VERSIONS = {
    "ConfigMap": "v1",
    "Secret": "v1",
    "ServiceAccount": "v1",
    "PersistentVolumeClaim": "v1",
    "Service": "v1",
}
"""Of the kinds that others name without saying the version."""


def named(kind: str, namespace: str | None, name: str) -> Look:
    """An object that another one names. Of what can hold values only the names are wanted."""
    quiet = kind in {"ConfigMap", "Secret"}
    return Look(API_VERSIONS[kind], kind, namespace, name, names_only=quiet)


def pods(namespace: str | None, selector: str) -> Look:
    return Look("v1", "Pod", namespace, labels=selector)


def ingress_classes() -> Look:
    return Look("networking.k8s.io/v1", "IngressClass", None)


def storage_classes() -> Look:
    return Look("storage.k8s.io/v1", "StorageClass", None)


def slices(namespace: str | None, service: str) -> Look:
    """The endpoints of a Service."""
    selector = f"kubernetes.io/service-name={service}"
    return Look("discovery.k8s.io/v1", "EndpointSlice", namespace, labels=selector)


def replica_sets(workload: Subject) -> Look:
    return Look("apps/v1", "ReplicaSet", workload.key.namespace, labels=_of_workload(workload))


def jobs(cronjob: Subject) -> Look:
    """The Jobs of a CronJob, by the labels that it gives them."""
    return Look("batch/v1", "Job", cronjob.key.namespace, labels=_of_workload(cronjob))


def pods_of(workload: Subject) -> Look:
    """The pods that a workload may have; whose they are, their owners say."""
    return pods(workload.key.namespace, _of_workload(workload))


def _of_workload(workload: Subject) -> str:
    if workload.key.kind == "CronJob":
        metadata = part(workload.spec, "jobTemplate", "spec", "template", "metadata")
        said = part(metadata, "labels")
        lasting = {key: said.get(key) for key in (labels.NODE_ID, labels.WORKFLOW_ID)}
        kept = {key: value for key, value in lasting.items() if isinstance(value, str)}
        return equal(kept or said)
    return of_selector(part(workload.spec, "selector"))


NOTHING = "kubeorch.io/none,!kubeorch.io/none"
"""A selector that no object fits."""


def equal(wanted: Mapping[str, object]) -> str:
    """The selector of objects with these labels; of nothing for none, or for odd ones."""
    terms = [f"{key}={value}" for key, value in wanted.items() if _is_label(key, value)]
    return ",".join(terms) if terms and len(terms) == len(wanted) else NOTHING


def of_selector(selector: Object) -> str:
    """A label selector of the API as text; the empty one, which fits everything, is ""."""
    said = part(selector, "matchLabels")
    terms = [equal(said)] if said else []
    for term in listed(selector, "matchExpressions"):
        terms.append(_expression(term))
    return ",".join(terms)


def _expression(term: Object) -> str:
    key, values = word(term, "key"), term.get("values")
    values = values if isinstance(values, list) else []
    form = _OPERATORS.get(word(term, "operator"))
    if form is None or not all(_is_label(key, value) for value in [*values, ""]):
        return NOTHING
    return form.format(key, ",".join(values))


def _is_label(key: str, value: object) -> bool:
    fits = isinstance(value, str) and _VALUE.fullmatch(value) is not None
    return fits and _KEY.fullmatch(key) is not None


def template(workload: Subject) -> Object:
    """The pod template of a workload."""
    if workload.key.kind == "CronJob":
        return part(workload.spec, "jobTemplate", "spec", "template")
    return part(workload.spec, "template")


def containers(pod: Object) -> Iterator[Object]:
    """The containers of a pod or a template, those that begin first among them."""
    spec = part(pod, "spec")
    yield from listed(spec, "initContainers")
    yield from listed(spec, "containers")
