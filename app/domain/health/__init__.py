"""How an object on the cluster is doing, and why: pure, from what the API server said of it.

The rules are kstatus', so that what we call healthy is what others call so; where they differ, the
rule's file says how and why. A kind without a rule is judged by its conditions, so a new kind or an
operator's resource needs nothing here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from app.domain.health import (
    autoscaler,
    claim,
    cluster,
    daemonset,
    deployment,
    generic,
    jobs,
    network,
    pods,
    statefulset,
)
from app.domain.health.seen import Object, Seen, word
from app.domain.health.verdict import (
    Cause,
    CauseSeverity,
    Health,
    HealthState,
    Note,
    combined,
)

Rule = Callable[[Seen], Health]

RULES: Mapping[tuple[str, str], Rule] = {
    ("", "ConfigMap"): generic.there,
    ("", "Namespace"): cluster.namespace,
    ("", "PersistentVolumeClaim"): claim.claim,
    ("", "Pod"): pods.pod,
    ("", "Secret"): generic.there,
    ("", "Service"): network.service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): cluster.definition,
    ("apps", "DaemonSet"): daemonset.daemonset,
    ("apps", "Deployment"): deployment.deployment,
    ("apps", "ReplicaSet"): deployment.replica_set,
    ("apps", "StatefulSet"): statefulset.statefulset,
    ("autoscaling", "HorizontalPodAutoscaler"): autoscaler.autoscaler,
    ("batch", "CronJob"): jobs.cronjob,
    ("batch", "Job"): jobs.job,
    ("networking.k8s.io", "Ingress"): network.ingress,
}
"""The rule of an object by its API group and kind; the version does not matter."""


_COUNTING: frozenset[Rule] = frozenset(
    {daemonset.daemonset, deployment.deployment, jobs.job, statefulset.statefulset}
)


def health(
    obj: Object | None,
    *,
    now: datetime,
    related: Iterable[Object] = (),
    events: Iterable[Object] = (),
) -> Health:
    """The health of a live object, parsed JSON as the API server sent it; None when there is none.

    `related` are objects that belong to it, in any order: its pods, and where they are known the
    ReplicaSets of a Deployment, the Jobs of a CronJob, the EndpointSlices of a Service, the
    StorageClass of a claim. `events` are Events about it and its pods; they explain, and decide
    nothing. `now` has a zone. Any JSON is accepted, and no value of a Secret is ever looked at.
    """
    if obj is None:
        message = "It is not on the cluster."
        return Health(HealthState.MISSING, "NotFound", message)
    seen = Seen(obj, related, events, now)
    group = word(obj, "apiVersion").rpartition("/")[0]
    rule = RULES.get((group, word(obj, "kind")), generic.unknown_kind)
    verdict = generic.before_any_kind(seen)
    if verdict is None:
        verdict = rule(seen)
    elif rule in _COUNTING:
        counters = rule(seen)
        verdict = replace(verdict, ready=counters.ready, desired=counters.desired)
    return verdict if seen.wakes is None else replace(verdict, recheck_after=seen.wakes)


__all__ = [
    "RULES",
    "Cause",
    "CauseSeverity",
    "Health",
    "HealthState",
    "Note",
    "Object",
    "Rule",
    "Seen",
    "combined",
    "health",
]
