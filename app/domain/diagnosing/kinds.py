"""The families of kinds that checks are for, by API group and kind."""

GroupKind = tuple[str, str]

CLAIM: GroupKind = ("", "PersistentVolumeClaim")
CONFIG: frozenset[GroupKind] = frozenset({("", "ConfigMap"), ("", "Secret")})
SERVICE: GroupKind = ("", "Service")
INGRESS: GroupKind = ("networking.k8s.io", "Ingress")
POLICY: GroupKind = ("networking.k8s.io", "NetworkPolicy")
AUTOSCALER: GroupKind = ("autoscaling", "HorizontalPodAutoscaler")

WORKLOADS: frozenset[GroupKind] = frozenset(
    {
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("batch", "CronJob"),
        ("batch", "Job"),
    }
)
ONCE: frozenset[GroupKind] = frozenset({("batch", "CronJob"), ("batch", "Job")})
"""Their pods run until they are done."""
OF_THEIR_OWN: frozenset[GroupKind] = CONFIG | {CLAIM, SERVICE, INGRESS, POLICY, AUTOSCALER}
"""Kinds that nothing rolls out: other checks say how they are."""
