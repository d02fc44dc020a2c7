"""Which checks an object of a kind goes through; one table of kinds."""

from collections.abc import Callable, Iterator

from app.sandbox.admission import custom, definitions, names, networking, storage, workloads
from app.sandbox.errors import Cause
from app.sandbox.objects import Object
from app.sandbox.resources import Resource

_OF_KIND: dict[tuple[str, str], Callable[[Object], Iterator[Cause]]] = {
    ("", "ConfigMap"): storage.config_map,
    ("", "PersistentVolumeClaim"): storage.claim,
    ("", "Pod"): workloads.pod,
    ("", "Secret"): storage.secret,
    ("", "Service"): networking.service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definitions.definition,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): workloads.autoscaler,
    ("batch", "CronJob"): workloads.cron_job,
    ("batch", "Job"): workloads.job,
    ("networking.k8s.io", "Ingress"): networking.ingress,
    ("networking.k8s.io", "IngressClass"): networking.ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): networking.network_policy,
    ("policy", "PodDisruptionBudget"): workloads.disruption_budget,
    ("storage.k8s.io", "StorageClass"): storage.storage_class,
}


def validate(resource: Resource, obj: Object) -> Iterator[Cause]:
    """Everything that is wrong with a defaulted object."""
    yield from names.metadata(resource, obj["metadata"])
    if resource.schema is not None:
        yield from custom.conforms(obj, resource.schema)
    check = _OF_KIND.get((resource.group, resource.kind))
    if check is not None:
        yield from check(obj)
