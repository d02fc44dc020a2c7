"""What the API server writes into fields that nobody set, kind by kind (Kubernetes 1.36)."""

from collections.abc import Callable
from typing import Any

from app.sandbox.objects import Object, copied
from app.sandbox.resources import Resource

Defaulting = Callable[[Object], None]
_MODE = 420
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def fill(into: Object, **values: Any) -> None:
    """Set what is not set."""
    for name, value in values.items():
        if into.get(name) is None:
            into[name] = value


def pod_spec(spec: Object) -> None:
    """Of a pod, or of a pod template."""
    fill(
        spec,
        restartPolicy="Always",
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        terminationGracePeriodSeconds=30,
        securityContext={},
    )
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            _container(container)
            for port in container.get("ports") or () if spec.get("hostNetwork") else ():
                fill(port, hostPort=port.get("containerPort"))
    for volume in spec.get("volumes") or ():
        _volume(volume)
    for constraint in spec.get("topologySpreadConstraints") or ():
        fill(constraint, nodeAffinityPolicy="Honor", nodeTaintsPolicy="Ignore")


def _container(container: Object) -> None:
    image = str(container.get("image", ""))
    last = image.rpartition("/")[2]
    latest = "@" not in image and (":" not in last or last.endswith(":latest"))
    fill(
        container,
        imagePullPolicy="Always" if latest else "IfNotPresent",
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        resources={},
    )
    for port in container.get("ports") or ():
        fill(port, protocol="TCP")
    for name in _PROBES:
        probe = container.get(name)
        if probe:
            fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
            _check(probe)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _check(hook)
    for entry in container.get("env") or ():
        field = (entry.get("valueFrom") or {}).get("fieldRef")
        if field:
            fill(field, apiVersion="v1")


def _pod(obj: Object) -> None:
    """A pod asks for what it may use at most; templates are left as they were written."""
    spec = obj.setdefault("spec", {})
    pod_spec(spec)
    for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ())):
        limits = container["resources"].get("limits")
        if limits:
            fill(container["resources"], requests={})
            fill(container["resources"]["requests"], **limits)


def _check(check: Object) -> None:
    if check.get("httpGet"):
        fill(check["httpGet"], path="/", scheme="HTTP")
    if check.get("grpc"):
        fill(check["grpc"], service="")


def _volume(volume: Object) -> None:
    if len(volume) == 1:
        volume["emptyDir"] = {}
    for name in ("secret", "configMap", "projected", "downwardAPI"):
        if volume.get(name) is not None:
            fill(volume[name], defaultMode=_MODE)
    if volume.get("hostPath"):
        fill(volume["hostPath"], type="")
    for source in (volume.get("projected") or {}).get("sources") or ():
        if source.get("serviceAccountToken"):
            fill(source["serviceAccountToken"], expirationSeconds=3600)
    claim = (volume.get("ephemeral") or {}).get("volumeClaimTemplate")
    if claim:
        fill(claim.setdefault("spec", {}), volumeMode="Filesystem")


def _template(spec: Object) -> None:
    fill(spec, template={})
    fill(spec["template"], metadata={}, spec={})
    pod_spec(spec["template"]["spec"])


def _strategy(spec: Object, field: str, **rolling: Any) -> None:
    """How pods are replaced: one after the other."""
    fill(spec, **{field: {}})
    fill(spec[field], type="RollingUpdate")
    if spec[field]["type"] == "RollingUpdate":
        fill(spec[field], rollingUpdate={})
        fill(spec[field]["rollingUpdate"], **rolling)


def _deployment(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    _strategy(spec, "strategy", maxSurge="25%", maxUnavailable="25%")


def _replica_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    fill(spec, replicas=1)


def _stateful_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    fill(
        spec,
        replicas=1,
        revisionHistoryLimit=10,
        podManagementPolicy="OrderedReady",
        persistentVolumeClaimRetentionPolicy={},
    )
    fill(spec["persistentVolumeClaimRetentionPolicy"], whenDeleted="Retain", whenScaled="Retain")
    _strategy(spec, "updateStrategy", partition=0)
    for claim in spec.get("volumeClaimTemplates") or ():
        fill(claim, apiVersion="v1", kind="PersistentVolumeClaim", metadata={})
        _claim(claim)
        claim["status"] = {"phase": "Pending"}


def _daemon_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    fill(spec, revisionHistoryLimit=10)
    _strategy(spec, "updateStrategy", maxSurge=0, maxUnavailable=1)


def _job_spec(spec: Object) -> None:
    _template(spec)
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    indexed = spec.get("backoffLimitPerIndex") is not None
    fill(
        spec,
        parallelism=1,
        backoffLimit=2**31 - 1 if indexed else 6,
        completionMode="NonIndexed",
        suspend=False,
        manualSelector=False,
        podReplacementPolicy="Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed",
    )


def _job(obj: Object) -> None:
    _job_spec(obj.setdefault("spec", {}))


def _cron_job(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill(
        spec,
        concurrencyPolicy="Allow",
        suspend=False,
        successfulJobsHistoryLimit=3,
        failedJobsHistoryLimit=1,
    )
    template = spec.get("jobTemplate")
    if template:
        fill(template, metadata={}, spec={})
        inner = template["spec"]
        _template(inner)


def _service(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill(spec, type="ClusterIP", sessionAffinity="None")
    if spec["sessionAffinity"] == "ClientIP":
        fill(spec, sessionAffinityConfig={})
        fill(spec["sessionAffinityConfig"], clientIP={})
        fill(spec["sessionAffinityConfig"]["clientIP"], timeoutSeconds=10800)
    for port in spec.get("ports") or ():
        fill(port, protocol="TCP", targetPort=port.get("port"))
    if spec["type"] in ("NodePort", "LoadBalancer"):
        fill(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        fill(spec, allocateLoadBalancerNodePorts=True)
    if spec["type"] != "ExternalName":
        fill(spec, internalTrafficPolicy="Cluster")


def _claim(obj: Object) -> None:
    fill(obj.setdefault("spec", {}), volumeMode="Filesystem")


def _volume_object(obj: Object) -> None:
    fill(
        obj.setdefault("spec", {}), volumeMode="Filesystem", persistentVolumeReclaimPolicy="Retain"
    )
    fill(obj, status={})
    fill(obj["status"], phase="Pending")


def _network_policy(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill(spec, podSelector={})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for side in ("ingress", "egress"):
        for rule in spec.get(side) or ():
            for port in rule.get("ports") or ():
                fill(port, protocol="TCP")


_SCALING: Object = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ],
    },
    "scaleDown": {
        "selectPolicy": "Max",
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
}


def _autoscaler(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    fill(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior:
        for side, rules in _SCALING.items():
            fill(behavior, **{side: {}})
            fill(behavior[side], **copied(rules))


def _secret(obj: Object) -> None:
    fill(obj, type="Opaque")


def _storage_class(obj: Object) -> None:
    fill(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _priority_class(obj: Object) -> None:
    fill(obj, preemptionPolicy="PreemptLowerPriority")


def _role_binding(obj: Object) -> None:
    fill(obj.get("roleRef") or {}, apiGroup="rbac.authorization.k8s.io")
    for subject in obj.get("subjects") or ():
        group = "" if subject.get("kind") == "ServiceAccount" else "rbac.authorization.k8s.io"
        if group:
            fill(subject, apiGroup=group)


def _definition(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    names = spec.get("names") or {}
    if names.get("kind"):
        fill(names, singular=names["kind"].lower(), listKind=names["kind"] + "List")
    fill(spec, conversion={"strategy": "None"})


def _event(obj: Object) -> None:
    fill(obj, reportingComponent="", reportingInstance="", source={})


_OF_KIND: dict[tuple[str, str], Defaulting] = {
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "PersistentVolume"): _volume_object,
    ("", "Secret"): _secret,
    ("", "Event"): _event,
    ("apps", "Deployment"): _deployment,
    ("apps", "ReplicaSet"): _replica_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("batch", "Job"): _job,
    ("batch", "CronJob"): _cron_job,
    ("autoscaling", "HorizontalPodAutoscaler"): _autoscaler,
    ("networking.k8s.io", "NetworkPolicy"): _network_policy,
    ("storage.k8s.io", "StorageClass"): _storage_class,
    ("scheduling.k8s.io", "PriorityClass"): _priority_class,
    ("rbac.authorization.k8s.io", "RoleBinding"): _role_binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _role_binding,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _definition,
}


def default(resource: Resource, obj: Object) -> None:
    """Fill a built-in object's unset fields, in place."""
    defaulting = _OF_KIND.get((resource.group, resource.kind))
    if defaulting is not None:
        defaulting(obj)
