"""The pod template of the workload kinds, from the fields that they share."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain import quantity
from app.domain.manifest import Manifest, Wave, given
from app.domain.mounting import Mounts
from app.domain.place import Place
from app.domain.pod import ContainerPort, Probe, ResourceList, SecurityContext, Toleration
from app.domain.workload import ServingData, WorkloadData

_ENV_PREFIX = "env"


def env_secret_name(place: Place) -> str:
    """The Secret that keeps the values of `envKeys`: `env-` and a digest of workflow and node.

    It is the same whatever the workload is called, so that a rename loses no value.
    """
    return place.private_name(_ENV_PREFIX)


def env_secret(data: WorkloadData, place: Place) -> Iterator[Manifest]:
    """The frame of that Secret, without values, when there are `envKeys`."""
    if data.env_keys:
        yield place.manifest(
            "v1",
            "Secret",
            {"type": "Opaque"},
            wave=Wave.PREREQUISITES,
            name=env_secret_name(place),
            keys=[entry.name for entry in data.env_keys],
        )


def pod_template(
    data: WorkloadData,
    place: Place,
    *,
    pod: Mapping[str, Any] | None = None,
    disks: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Labels and spec of a workload's pods.

    `pod` are further fields of the pod's spec; `disks` are volumes that the workload itself
    provides, each with its path.
    """
    mounts = Mounts.of(data, place, disks)
    host_network = isinstance(data, ServingData) and data.host_network
    security = data.security_context
    spec = given(
        {
            **(pod or {}),
            "serviceAccountName": data.service_account_name,
            "automountServiceAccountToken": data.automount_service_account_token,
            "hostNetwork": host_network or None,
            # Pods in their node's network find Services by name only with this policy.
            "dnsPolicy": "ClusterFirstWithHostNet" if host_network else None,
            "imagePullSecrets": [{"name": name} for name in data.image_pull_secrets] or None,
            "nodeSelector": dict(data.node_selector) if data.node_selector else None,
            "tolerations": [_toleration(t) for t in data.tolerations] or None,
            "priorityClassName": data.priority_class_name,
            "terminationGracePeriodSeconds": data.termination_grace_period_seconds,
            "securityContext": {"fsGroup": security.fs_group}
            if security is not None and security.fs_group is not None
            else None,
            "containers": [_container(data, place, mounts)],
            "volumes": mounts.volumes or None,
        }
    )
    return {"metadata": {"labels": place.pod_labels()}, "spec": spec}


def _container(data: WorkloadData, place: Place, mounts: Mounts) -> dict[str, Any]:
    listens = list(data.listens())
    main = listens[0].port if listens else None
    return given(
        {
            "name": data.name,
            "image": data.image,
            "imagePullPolicy": data.image_pull_policy,
            "command": list(data.command) or None,
            "args": list(data.args) or None,
            "ports": [_port(port) for port in listens] or None,
            "env": _env(data, place) or None,
            "envFrom": mounts.env_from or None,
            "resources": _resources(data),
            "volumeMounts": mounts.mounts or None,
            "volumeDevices": mounts.devices or None,
            "livenessProbe": _probe(data.liveness_probe, main),
            "readinessProbe": _probe(data.readiness_probe, main),
            "startupProbe": _probe(data.startup_probe, main),
            "securityContext": _security(data.security_context),
        }
    )


def _env(data: WorkloadData, place: Place) -> list[dict[str, Any]]:
    """Secret values come first, so that `$(NAME)` in the others can stand for them."""
    secret = env_secret_name(place) if data.env_keys else ""
    kept = [
        {
            "name": entry.name,
            "valueFrom": {"secretKeyRef": {"name": secret, "key": entry.name}},
        }
        for entry in data.env_keys
    ]
    return [*kept, *({"name": name, "value": value} for name, value in (data.env or {}).items())]


def _port(port: ContainerPort) -> dict[str, Any]:
    return given(
        {
            "name": port.name,
            "containerPort": port.port,
            "hostPort": port.host_port,
            "protocol": port.protocol,
        }
    )


def _resources(data: WorkloadData) -> dict[str, Any] | None:
    if data.resources is None:
        return None
    sides = {
        "limits": _amounts(data.resources.limits),
        "requests": _amounts(data.resources.requests),
    }
    return {side: amounts for side, amounts in sides.items() if amounts} or None


def _amounts(amounts: ResourceList | None) -> dict[str, str]:
    if amounts is None:
        return {}
    return {
        name: quantity.canonical(amount)
        for name, amount in (
            ("cpu", amounts.cpu),
            ("memory", amounts.memory),
            ("ephemeral-storage", amounts.ephemeral_storage),
        )
        if amount is not None
    }


def _toleration(toleration: Toleration) -> dict[str, Any]:
    return given(
        {
            "key": toleration.key,
            "operator": toleration.operator,
            "value": toleration.value,
            "effect": toleration.effect,
            "tolerationSeconds": toleration.toleration_seconds,
        }
    )


def _probe(probe: Probe | None, main: int | None) -> dict[str, Any] | None:
    """A probe; none when it asks at the workload's port and there is no such port."""
    if probe is None:
        return None
    handler = _handler(probe, main)
    if handler is None:
        return None
    return given(
        {
            **handler,
            "initialDelaySeconds": probe.initial_delay_seconds,
            "periodSeconds": probe.period_seconds,
            "timeoutSeconds": probe.timeout_seconds,
            "successThreshold": probe.success_threshold,
            "failureThreshold": probe.failure_threshold,
        }
    )


def _handler(probe: Probe, main: int | None) -> dict[str, Any] | None:
    if probe.exec is not None:
        return {"exec": {"command": list(probe.exec.command)}}
    if (http := probe.http_get) is not None:
        headers = [{"name": k, "value": v} for k, v in (http.http_headers or {}).items()]
        check = {
            "path": http.path,
            "port": http.port or main,
            "scheme": http.scheme,
            "host": http.host,
            "httpHeaders": headers or None,
        }
        return {"httpGet": given(check)} if check["port"] is not None else None
    if (tcp := probe.tcp_socket) is not None:
        port = tcp.port or main
        return {"tcpSocket": {"port": port}} if port is not None else None
    if (grpc := probe.grpc) is not None and (number := grpc.port or main) is not None:
        return {"grpc": given({"port": number, "service": grpc.service})}
    return None


def _security(security: SecurityContext | None) -> dict[str, Any] | None:
    if security is None:
        return None
    capabilities = {
        "add": list(security.add_capabilities),
        "drop": list(security.drop_capabilities),
    }
    context = given(
        {
            "runAsUser": security.run_as_user,
            "runAsGroup": security.run_as_group,
            "runAsNonRoot": security.run_as_non_root,
            "readOnlyRootFilesystem": security.read_only_root_filesystem,
            "allowPrivilegeEscalation": security.allow_privilege_escalation,
            "privileged": security.privileged,
            "capabilities": {side: names for side, names in capabilities.items() if names} or None,
        }
    )
    return context or None
