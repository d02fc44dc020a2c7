"""What may stand in a pod's spec, and in a pod template's."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.sandbox.admission import names
from app.sandbox.admission.causes import (
    choice,
    duplicate,
    forbidden,
    invalid,
    malformed,
    missing,
    one_of,
    required,
)
from app.sandbox.admission.numbers import at_least, port
from app.sandbox.admission.quantities import amount
from app.sandbox.errors import Cause
from app.sandbox.formats import data_key, dns_label, dns_subdomain, port_name

Spec = Mapping[str, Any]
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PULL = ("Always", "IfNotPresent", "Never")
_ENV = re.compile(r"[\x20-\x3c\x3e-\x7e]+")
_EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")


def spec(given: Spec, path: str, *, volumes_elsewhere: bool = False) -> Iterator[Cause]:
    """A pod spec. `volumes_elsewhere`: claims of a StatefulSet may be mounted too."""
    volumes = list(_named(given.get("volumes"), f"{path}.volumes"))
    yield from _volumes(given.get("volumes") or (), f"{path}.volumes")
    known = {volume.get("name") for volume in given.get("volumes") or ()}
    yield from volumes
    containers = given.get("containers") or ()
    if not containers:
        yield required(f"{path}.containers")
    seen: set[str] = set()
    for field in ("containers", "initContainers"):
        for i, container in enumerate(given.get(field) or ()):
            here = f"{path}.{field}[{i}]"
            if container.get("name") in seen:
                yield duplicate(f"{here}.name", container["name"])
            seen.add(container.get("name", ""))
            yield from _container(container, here, None if volumes_elsewhere else known)
            if field == "initContainers" and container.get("restartPolicy") != "Always":
                for name in one_of(container, ("livenessProbe", "readinessProbe", "startupProbe")):
                    why = "may not be set for init containers without restartPolicy=Always"
                    yield forbidden(f"{here}.{name}", why)
    yield from _ports_of_host(containers, f"{path}.containers")
    policy = given.get("restartPolicy")
    yield from choice(policy, ("Always", "OnFailure", "Never"), f"{path}.restartPolicy")
    if (grace := given.get("terminationGracePeriodSeconds")) is not None:
        yield from at_least(grace, 0, f"{path}.terminationGracePeriodSeconds")
    if (deadline := given.get("activeDeadlineSeconds")) is not None:
        yield from at_least(deadline, 1, f"{path}.activeDeadlineSeconds")
    yield from names.labels(given.get("nodeSelector"), f"{path}.nodeSelector")
    yield from _tolerations(given.get("tolerations") or (), f"{path}.tolerations")
    for name in ("serviceAccountName", "hostname", "subdomain"):
        check = dns_subdomain if name == "serviceAccountName" else dns_label
        if given.get(name):
            yield from malformed(check, given[name], f"{path}.{name}")


def _named(items: Any, path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for i, item in enumerate(items or ()):
        name = item.get("name", "")
        if not name:
            yield required(f"{path}[{i}].name")
        else:
            yield from malformed(dns_label, name, f"{path}[{i}].name")
        if name and name in seen:
            yield duplicate(f"{path}[{i}].name", name)
        seen.add(name)


def _volumes(volumes: Any, path: str) -> Iterator[Cause]:
    for i, volume in enumerate(volumes):
        sources = [key for key in volume if key != "name"]
        for extra in sources[1:]:
            yield forbidden(f"{path}[{i}].{extra}", "may not specify more than 1 volume type")
        checks = {
            "configMap": "name",
            "secret": "secretName",
            "persistentVolumeClaim": "claimName",
            "hostPath": "path",
        }
        for source, field in checks.items():
            if source in volume and not volume[source].get(field):
                yield required(f"{path}[{i}].{source}.{field}")


def _container(given: Spec, path: str, volumes: set[Any] | None) -> Iterator[Cause]:
    name, image = given.get("name", ""), given.get("image", "")
    if not name:
        yield required(f"{path}.name")
    else:
        yield from malformed(dns_label, name, f"{path}.name")
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    yield from choice(given.get("imagePullPolicy"), _PULL, f"{path}.imagePullPolicy")
    yield from _ports(given.get("ports") or (), f"{path}.ports")
    yield from _environment(given.get("env") or (), f"{path}.env")
    yield from _mounts(given, path, volumes)
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if given.get(probe) is not None:
            yield from _probe(given[probe], f"{path}.{probe}", probe)
    for hook in ("postStart", "preStop"):
        handler = (given.get("lifecycle") or {}).get(hook)
        if handler is not None:
            yield from _handler(handler, f"{path}.lifecycle.{hook}", (*_HANDLERS[:3], "sleep"))
    yield from resources(given.get("resources") or {}, f"{path}.resources")
    yield from _security(given.get("securityContext") or {}, f"{path}.securityContext")


def _ports(ports: Any, path: str) -> Iterator[Cause]:
    seen: set[str] = set()
    for i, each in enumerate(ports):
        here = f"{path}[{i}]"
        if each.get("name"):
            yield from malformed(port_name, each["name"], f"{here}.name")
            if each["name"] in seen:
                yield duplicate(f"{here}.name", each["name"])
            seen.add(each["name"])
        if not each.get("containerPort"):
            yield required(f"{here}.containerPort")
        else:
            yield from port(each["containerPort"], f"{here}.containerPort")
        if each.get("hostPort"):
            yield from port(each["hostPort"], f"{here}.hostPort")
        yield from choice(each.get("protocol"), ("TCP", "UDP", "SCTP"), f"{here}.protocol")


def _ports_of_host(containers: Any, path: str) -> Iterator[Cause]:
    seen: set[tuple[Any, ...]] = set()
    for i, container in enumerate(containers):
        for k, each in enumerate(container.get("ports") or ()):
            if each.get("hostPort"):
                key = (each["hostPort"], each.get("protocol"), each.get("hostIP", ""))
                if key in seen:
                    shown = f"{key[1]}/{key[2]}/{key[0]}"
                    yield duplicate(f"{path}[{i}].ports[{k}].hostPort", shown)
                seen.add(key)


def _environment(entries: Any, path: str) -> Iterator[Cause]:
    for i, entry in enumerate(entries):
        here, name = f"{path}[{i}]", entry.get("name", "")
        if not name:
            yield required(f"{here}.name")
        elif not _ENV.fullmatch(name):
            why = "a valid environment variable name must consist only of printable ASCII"
            yield invalid(f"{here}.name", name, f"{why} characters other than '='")
        source = entry.get("valueFrom")
        if source is None:
            continue
        kinds = one_of(source, ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"))
        if entry.get("value"):
            why = "may not be specified when `value` is not empty"
            yield invalid(f"{here}.valueFrom", "", why)
        if len(kinds) > 1:
            why = "may not have more than one field specified at a time"
            yield invalid(f"{here}.valueFrom", "", why)
        for kind in ("configMapKeyRef", "secretKeyRef"):
            reference = source.get(kind)
            if reference is not None and not reference.get("key"):
                yield required(f"{here}.valueFrom.{kind}.key")
            elif reference is not None:
                yield from malformed(data_key, reference["key"], f"{here}.valueFrom.{kind}.key")


def _mounts(given: Spec, path: str, volumes: set[Any] | None) -> Iterator[Cause]:
    seen: set[str] = set()
    for i, mount in enumerate(given.get("volumeMounts") or ()):
        here, name, where = f"{path}.volumeMounts[{i}]", mount.get("name"), mount.get("mountPath")
        if not name:
            yield required(f"{here}.name")
        elif volumes is not None and name not in volumes:
            yield missing(f"{here}.name", name)
        if not where:
            yield required(f"{here}.mountPath")
        elif where in seen:
            yield invalid(f"{here}.mountPath", where, "must be unique")
        seen.add(where or "")
        sub = mount.get("subPath") or ""
        if sub.startswith("/"):
            yield invalid(f"{here}.subPath", sub, "must be a relative path")
        elif ".." in sub.split("/"):
            yield invalid(f"{here}.subPath", sub, "must not contain '..'")


def _probe(probe: Spec, path: str, kind: str) -> Iterator[Cause]:
    yield from _handler(probe, path, _HANDLERS)
    lowest = {
        "initialDelaySeconds": 0,
        "timeoutSeconds": 1,
        "periodSeconds": 1,
        "successThreshold": 1,
        "failureThreshold": 1,
    }
    for field, least in lowest.items():
        yield from at_least(probe.get(field, least), least, f"{path}.{field}")
    if kind != "readinessProbe" and probe.get("successThreshold", 1) > 1:
        yield invalid(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def _handler(given: Spec, path: str, kinds: tuple[str, ...]) -> Iterator[Cause]:
    found = one_of(given, kinds)
    if not found:
        yield required(path, "must specify a handler type")
    for extra in found[1:]:
        yield forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    for kind in ("httpGet", "tcpSocket", "grpc"):
        if kind not in found:
            continue
        where = given[kind].get("port")
        if where is None:
            yield required(f"{path}.{kind}.port")
        elif isinstance(where, int):
            yield from port(where, f"{path}.{kind}.port")
        else:
            yield from malformed(port_name, where, f"{path}.{kind}.port")
    if "exec" in found and not given["exec"].get("command"):
        yield required(f"{path}.exec.command")


def resources(given: Spec, path: str) -> Iterator[Cause]:
    """Requests and limits."""
    limits, requests = given.get("limits") or {}, given.get("requests") or {}
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, text in amounts.items():
            if amount(text) < 0:
                why = "must be greater than or equal to 0"
                yield invalid(f"{path}.{field}[{name}]", text, why)
    for name, text in requests.items():
        if name in limits and amount(text) > amount(limits[name]):
            why = f"must be less than or equal to {name} limit of {limits[name]}"
            yield invalid(f"{path}.requests", text, why)


def _security(given: Spec, path: str) -> Iterator[Cause]:
    if given.get("allowPrivilegeEscalation") is False:
        if given.get("privileged"):
            why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            yield invalid(path, given, why)
        if "CAP_SYS_ADMIN" in ((given.get("capabilities") or {}).get("add") or ()):
            why = "cannot set `allowPrivilegeEscalation` to false and add CAP_SYS_ADMIN"
            yield invalid(path, given, why)


def _tolerations(tolerations: Any, path: str) -> Iterator[Cause]:
    for i, each in enumerate(tolerations):
        here, operator = f"{path}[{i}]", each.get("operator", "Equal")
        yield from choice(operator, ("Equal", "Exists", "Lt", "Gt"), f"{here}.operator")
        if operator == "Exists" and each.get("value"):
            why = "value must be empty when `operator` is 'Exists'"
            yield invalid(f"{here}.operator", each["value"], why)
        if not each.get("key") and operator != "Exists":
            why = "operator must be Exists when `key` is empty, which means match all values"
            yield invalid(f"{here}.operator", operator, why)
        if each.get("tolerationSeconds") is not None and each.get("effect") != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield invalid(f"{here}.effect", each.get("effect", ""), why)
        if each.get("effect"):
            yield from choice(each["effect"], _EFFECTS, f"{here}.effect")
