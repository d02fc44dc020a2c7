"""The pod template of a workload read back into the node's fields.

The inverse of `app.domain.podtemplate`. A node has one container; where a pod has several, it is
the one that is called as the workload, else the first.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from app.domain.importing.imported import ImportCode
from app.domain.importing.manifests.form import Form
from app.domain.importing.manifests.metadata import read_metadata
from app.domain.importing.manifests.mounts import read_mounts
from app.domain.importing.manifests.objects import Path, Source, at, items, mapping, shown
from app.domain.importing.manifests.scene import Scene, main_container, pod_labels, template_of
from app.domain.importing.secrecy import is_secret
from app.domain.naming import api_name
from app.domain.workload import MAIN_PORT_NAME

_ENV_SECRET = re.compile("env-[0-9a-f]{16}")
_POD = {
    "service_account_name": "serviceAccountName",
    "automount_service_account_token": "automountServiceAccountToken",
    "node_selector": "nodeSelector",
    "priority_class_name": "priorityClassName",
    "termination_grace_period_seconds": "terminationGracePeriodSeconds",
}
_SECURITY = {
    "run_as_user": "runAsUser",
    "run_as_group": "runAsGroup",
    "run_as_non_root": "runAsNonRoot",
    "read_only_root_filesystem": "readOnlyRootFilesystem",
    "allow_privilege_escalation": "allowPrivilegeEscalation",
    "privileged": "privileged",
}
_INHERITED = ("run_as_user", "run_as_group", "run_as_non_root")
"""What a container takes from its pod when it says nothing itself."""
_PROBES = {
    "liveness_probe": "livenessProbe",
    "readiness_probe": "readinessProbe",
    "startup_probe": "startupProbe",
}
_AMOUNTS = {"cpu": "cpu", "memory": "memory", "ephemeral_storage": "ephemeral-storage"}


def read_pods(
    form: Form, source: Source, scene: Scene, *, serves: bool, disks: Collection[str] = ()
) -> None:
    """Fills in what all workloads share; `serves` says that the kind has a main port."""
    template = template_of(source)
    read_metadata(form, source, scene, pod_labels(source))
    pod = (*template, "spec")
    for name, key in _POD.items():
        form.take(name, *pod, key)
    if serves:
        form.take("host_network", *pod, "hostNetwork")
    _names(form, "image_pull_secrets", (*pod, "imagePullSecrets"))
    for i, toleration in items(at(form.object, *pod, "tolerations")):
        form.add("tolerations", _spelled(toleration), *pod, "tolerations", str(i))
    main = main_container(at(form.object, *pod, "containers"), source.name)
    container = (*pod, "containers", str(main))
    _container(form, source, scene, container, serves=serves)
    _security(form, pod, container)
    read_mounts(form, pod, container, disks)


def _names(form: Form, name: str, path: Path) -> None:
    """A list of references as a list of names."""
    names = (item.get("name") for _, item in items(at(form.object, *path)))
    found = list(dict.fromkeys(name for name in names if isinstance(name, str)))
    form.put(name, found or None, *path)


def _spelled(value: Mapping[str, Any]) -> dict[str, Any]:
    """Keys as Python has them, one level deep."""
    return {re.sub("([A-Z])", r"_\1", key).lower(): item for key, item in value.items()}


def _container(form: Form, source: Source, scene: Scene, path: Path, *, serves: bool) -> None:
    container = mapping(at(form.object, *path))
    for name, key in (
        ("image", "image"),
        ("image_pull_policy", "imagePullPolicy"),
        ("command", "command"),
        ("args", "args"),
    ):
        form.put(name, container.get(key), *path, key)
    _ports(form, source, container, (*path, "ports"), serves=serves)
    _environment(form, source, scene, container, (*path, "env"))
    sides = {
        side: amounts
        for side in ("limits", "requests")
        if (amounts := _amounts(at(container, "resources", side)))
    }
    form.put("resources", sides or None, *path, "resources")
    for name, key in _PROBES.items():
        form.put(name, _probe(container.get(key)), *path, key)


def _amounts(given: Any) -> dict[str, Any]:
    """Amounts as texts: `cpu: 1` is a number in YAML."""
    return {
        name: str(amount) if isinstance(amount, int | float) else amount
        for name, key in _AMOUNTS.items()
        if not isinstance(amount := mapping(given).get(key), bool | None)
    }


def _ports(
    form: Form, source: Source, container: Mapping[str, Any], path: Path, *, serves: bool
) -> None:
    listed = list(items(container.get("ports")))
    names = [port.get("name") for _, port in listed]
    mirrored = form.values.get("host_network") is True and source.workflow is None
    for i, port in listed:
        host = port.get("hostPort")
        if mirrored and host == port.get("containerPort"):
            host = None  # the server writes it there
        unnamed = port.get("name") is None and (source.workflow is None or MAIN_PORT_NAME in names)
        plain = port.get("protocol") in (None, "TCP") and not host
        if serves and i == 0 and plain and (unnamed or port.get("name") == MAIN_PORT_NAME):
            form.put("port", port.get("containerPort"), *path, "0", "containerPort")
            continue
        made = {
            "name": port.get("name"),
            "protocol": port.get("protocol"),
            "port": port.get("containerPort"),
            "host_port": host or None,
        }
        form.add("container_ports", made, *path, str(i))


def _environment(
    form: Form, source: Source, scene: Scene, container: Mapping[str, Any], path: Path
) -> None:
    plain: dict[str, Any] = {}
    for i, variable in items(container.get("env")):
        name, here = variable.get("name"), (*path, str(i))
        if not isinstance(name, str):
            continue
        secret, config = (
            at(variable, "valueFrom", key) for key in ("secretKeyRef", "configMapKeyRef")
        )
        if isinstance(secret, Mapping):
            form.add("env_keys", {"name": name}, *here)
            if not _is_own(secret, name):
                form.changed[here] = (
                    f"The value of {shown(name)} is given when the workflow deploys, and kept in a "
                    "Secret of the node's own."
                )
        elif isinstance(config, Mapping):
            found = scene.object("ConfigMap", source, config.get("name"))
            value = at(found.object, "data", str(config.get("key"))) if found else None
            if isinstance(value, str):
                plain[name] = value
                form.changed[here] = "The value is copied from the ConfigMap: it does not follow."
            elif not config.get("optional"):
                says = f"The source has no ConfigMap {shown(config.get('name'))} with this key."
                form.firm.append((ImportCode.MISSING, (*here, "valueFrom"), says))
        elif variable.get("valueFrom") is None:
            value = variable.get("value")
            if source.workflow is None and isinstance(value, str) and is_secret(name, value):
                form.add("env_keys", {"name": name}, *here)
                form.changed[here] = (
                    f"The value of {shown(name)} looks secret: it is not stored, and is given when "
                    "the workflow deploys."
                )
            else:
                plain[name] = "" if value is None else value
                form.origins["env", name] = here
    form.put("env", plain or None, *path)


def _is_own(reference: Mapping[str, Any], name: str) -> bool:
    """Whether a workflow has made the reference, for a variable of this name."""
    called = reference.get("name")
    return (
        isinstance(called, str)
        and _ENV_SECRET.fullmatch(called) is not None
        and reference.get("key") == name
    )


def _probe(probe: Any) -> dict[str, Any] | None:
    if not isinstance(probe, Mapping):
        return None
    made = _spelled(probe)
    http = made.get("http_get")
    if isinstance(http, Mapping):
        http = _spelled(http)
        if isinstance(http.get("http_headers"), list):
            http["http_headers"] = {
                str(header.get("name")): header.get("value")
                for _, header in items(http["http_headers"])
            }
        made["http_get"] = http
    return made


def _security(form: Form, pod: Path, container: Path) -> None:
    """The container's own context, with what its pod says for all."""
    own = mapping(at(form.object, *container, "securityContext"))
    shared = mapping(at(form.object, *pod, "securityContext"))
    made = {name: own[key] for name, key in _SECURITY.items() if own.get(key) is not None}
    for name in _INHERITED:
        value = shared.get(api_name(name))
        if value is not None and name not in made:
            made[name] = value
            form.changed[*pod, "securityContext", api_name(name)] = "The container says it now."
    if shared.get("fsGroup") is not None:
        made["fs_group"] = shared["fsGroup"]
    for side in ("add", "drop"):
        names = at(own, "capabilities", side)
        if names:
            made[f"{side}_capabilities"] = names
    form.put("security_context", made or None, *container, "securityContext")
