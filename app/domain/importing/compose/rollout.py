"""How many pods there are, where they run, and how new ones replace old ones."""

import re
from typing import Any

from app.domain.importing.compose.part import Part

_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "x86": "386",
    "i386": "386",
    "armhf": "arm",
    "armv7l": "arm",
}
_CONSTRAINT = re.compile(r"\s*([\w.\-/]+)\s*==\s*([\w.\-]+)\s*")
_CONSTRAINTS = {
    "node.hostname": "kubernetes.io/hostname",
    "node.platform.os": "kubernetes.io/os",
    "node.platform.arch": "kubernetes.io/arch",
}


def read_replicas(service: Part, deploy: Part | None) -> int | None:
    """The number of pods; `deploy` goes over `scale`."""
    scale = service.get("scale")
    replicas = deploy.get("replicas") if deploy is not None else None
    own = scale.count() if scale is not None else None
    count = replicas.count() if replicas is not None else None
    if scale is not None and own is not None and count not in {None, own}:
        scale.ignored("What deploy says of replicas goes over it.")
    return own if count is None else count


def read_node_selector(service: Part, deploy: Part | None) -> dict[str, tuple[str, Part]]:
    """The labels of cluster nodes that run the pods."""
    made: dict[str, tuple[str, Part]] = {}
    platform = service.get("platform")
    text = platform.text() if platform is not None else None
    if platform is not None and text:
        system, *rest = text.lower().split("/")
        if system in {"linux", "windows"}:
            made["kubernetes.io/os"] = (system, platform)
        if rest:
            made["kubernetes.io/arch"] = (_ARCHITECTURES.get(rest[0], rest[0]), platform)
    placement = deploy.section("placement") if deploy is not None else None
    constraints = placement.get("constraints") if placement is not None else None
    for part in constraints.items() if constraints is not None else ():
        match = _CONSTRAINT.fullmatch(part.text() or "")
        key = match[1] if match else ""
        label = _CONSTRAINTS.get(key) or key.removeprefix("node.labels.")
        if match is None or (label == key and key not in _CONSTRAINTS):
            part.ignored("Only 'node.labels.<label> == <value>' becomes a node selector.")
            continue
        value = match[2]
        value = _ARCHITECTURES.get(value, value) if key == "node.platform.arch" else value
        made[label] = (value, part)
    return made


def read_update(kind: str, deploy: Part | None, *, is_alone: bool) -> dict[str, tuple[Any, Part]]:
    """The fields that say how pods are replaced. `is_alone`: two would fight over a disk."""
    update = deploy.get("update_config") if deploy is not None else None
    if update is None or update.mapping() is None:
        return {}
    if kind not in {"deployment", "daemonset"} or is_alone:
        update.ignored("Its pods are replaced one after another: it is left out.")
        return {}
    made: dict[str, tuple[Any, Part]] = {}
    parallelism, order = update.get("parallelism"), update.get("order")
    count = parallelism.count() if parallelism is not None else 1
    starts_first = order is not None and order.text() == "start-first"
    many: int | str = count if count else ("100%" if count == 0 else 1)
    if kind == "daemonset":
        made["max_unavailable"] = (many, update)
        if starts_first and order is not None:
            order.ignored("A pod of a DaemonSet stops before the next one starts.")
        return made
    made["max_surge"] = (many if starts_first else 0, update)
    made["max_unavailable"] = (0 if starts_first else many, update)
    monitor = update.get("monitor")
    ready = monitor.seconds() if monitor is not None else None
    if ready and monitor is not None:
        made["min_ready_seconds"] = (ready, monitor)
    return made
