"""The node of a service's workload."""

from collections.abc import Callable

from app.domain.image import is_reference
from app.domain.importing.compose import reasons
from app.domain.importing.compose.board import Board, Fields
from app.domain.importing.compose.contents import Contents
from app.domain.importing.compose.exposure import put_ports
from app.domain.importing.compose.healthcheck import read_probe
from app.domain.importing.compose.images import repaired
from app.domain.importing.compose.part import Part
from app.domain.importing.compose.resources import read_resources
from app.domain.importing.compose.rollout import read_node_selector, read_update
from app.domain.importing.compose.security import read_security
from app.domain.importing.compose.service import Service
from app.domain.importing.compose.storage import Storage
from app.domain.importing.compose.volumes import Mount, Source
from app.domain.importing.imported import ImportCode
from app.domain.importing.secrecy import holds_secret, is_secret, marks

_PULLS = {
    "always": "Always",
    "never": "Never",
    "missing": "IfNotPresent",
    "if_not_present": "IfNotPresent",
}
_SERVING = {"deployment", "statefulset", "daemonset"}


def put_workload(
    service: Service, board: Board, storage: Storage, contents: Contents, project: str
) -> None:
    """Draws the workload with everything that it mounts."""
    part = service.part
    fields = Fields(service.kind, part)
    fields.put("name", service.workload)
    fields.put("image", _image(service, project))
    has_scratch = _put_mounts(service, fields, storage, contents)
    put_ports(service, fields)
    probe = read_probe(part, service.environment)
    if probe is not None and (check := part.get("healthcheck")) is not None:
        if service.kind == "job":
            check.ignored("A Job is no server: nothing asks whether it is ready.")
        else:
            fields.put("readiness_probe", probe, check)
    _put_command(service, fields)
    fields.put("resources", read_resources(part))
    fields.put("security_context", read_security(part, has_scratch=has_scratch))
    for label, (value, at) in read_node_selector(part, service.deploy).items():
        fields.set("node_selector", label, value, at)
    _put_rest(service, fields, is_alone=storage.has_single_disk(service))
    _put_annotations(service, fields)
    for name, (value, at) in service.environment.values().items():
        fields.set("env", name, value, at)
    for name, at in service.environment.keys_in_order().items():
        fields.add("env_keys", {"name": name}, at)
    board.put(service.id, fields)


def _image(service: Service, project: str) -> str:
    image, build = service.part.get("image"), service.part.get("build")
    if build is not None and not service.image:
        name = repaired(f"{project}-{service.name}" if project else service.name, service.label)
        build.done()
        build.changed(f"It is drawn with the image {name}: build it, push it and correct the name.")
        return name
    if build is not None:
        build.ignored(reasons.of_service(("build",)))
    if is_reference(service.image):
        return service.image
    text = "" if holds_secret(service.image) else service.image
    name = repaired(text, service.label)
    (image or service.part).changed(f"This is no image reference: {name} is drawn. Correct it.")
    return name


def _put_command(service: Service, fields: Fields) -> None:
    for name, words in (("command", service.entrypoint), ("args", service.command)):
        for word in words.words if words is not None else ():
            if words is not None:
                fields.add(name, service.environment.refer(word, words.part), words.part)


def _put_mounts(service: Service, fields: Fields, storage: Storage, contents: Contents) -> bool:
    """Whether the container wants parts of its disk writable that nothing is mounted at."""
    has_scratch = False
    contents.mount_all(service, fields)
    for mount in service.mounts:
        if storage.mount(service, mount, fields):
            continue
        if mount.kind is Source.BIND:
            contents.mount_host(service, mount, fields)
            continue
        has_scratch = True
        _refuse(mount)
    fields.keep_first(("volume_claim_templates", "volume_mounts"), "mount_path")
    return has_scratch


def _refuse(mount: Mount) -> None:
    if mount.kind is Source.MEMORY:
        mount.part.ignored(
            f"A folder in memory is not on the canvas: {mount.target[:128]} is on the container's "
            "own disk."
        )
    else:
        mount.part.ignored(
            f"A volume without a name lasts as long as its container: {mount.target[:128]} is on "
            "the container's own disk. Name the volume to keep it."
        )


def _put_rest(service: Service, fields: Fields, *, is_alone: bool) -> None:
    part, deploy, kind = service.part, service.deploy, service.kind
    replicas = deploy.get("replicas") if deploy is not None else None
    at = replicas or part.get("scale") or part
    if service.replicas is not None and kind == "daemonset":
        at.note_ignored("A DaemonSet has one pod on every node: the number is left out.")
    elif service.replicas is not None and kind == "job":
        fields.put("completions", service.replicas, at)
        fields.put("parallelism", service.replicas, at)
    else:
        fields.put("replicas", service.replicas, at)
    if kind == "deployment" and is_alone:
        fields.put("strategy", "Recreate")
    for name, (value, said) in read_update(kind, deploy, is_alone=is_alone).items():
        fields.put(name, value, said)
    if (policy := part.get("pull_policy")) is not None:
        word = policy.text() or ""
        fields.put("image_pull_policy", _PULLS.get(word), policy)
        if word not in _PULLS:
            policy.ignored("Kubernetes pulls always, never, or when the image is not there.")
    if (grace := part.get("stop_grace_period")) is not None:
        fields.put("termination_grace_period_seconds", grace.seconds(), grace)
    if kind == "job":
        _put_restarts(service, fields)
    _put_host(service, fields)


def _put_restarts(service: Service, fields: Fields) -> None:
    policy = service.deploy.section("restart_policy") if service.deploy is not None else None
    said = (policy.get("condition") if policy is not None else None) or service.part.get("restart")
    word, _, times = ((said.text() if said is not None else None) or "").partition(":")
    if word in {"no", "none", "false"}:
        fields.put("backoff_limit", 0, said)
    elif word == "on-failure":
        fields.put("restart_policy", "OnFailure", said)
        if times.isascii() and times.isdigit() and len(times) < 10:
            fields.put("backoff_limit", int(times), said)
    if policy is not None and (attempts := policy.get("max_attempts")) is not None:
        fields.put("backoff_limit", attempts.count(), attempts)


def _put_host(service: Service, fields: Fields) -> None:
    """What a pod shares with its node."""
    shared: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
        ("network_mode", "host_network", _SERVING.__contains__),
        ("pid", "host_pid", "daemonset".__eq__),
        ("ipc", "host_ipc", "daemonset".__eq__),
    )
    for key, name, is_for in shared:
        said = service.part.get(key)
        word = said.text() if said is not None else None
        if said is None or word is None:
            continue
        if word == "host" and is_for(service.kind):
            fields.put(name, value=True, part=said)
        elif word not in {"bridge", "private", "shareable", "default"}:
            said.is_read = False


def _put_annotations(service: Service, fields: Fields) -> None:
    """Labels are for people and tools here, and their values are free: that is an annotation."""
    sections = [service.part.get("labels"), service.part.get("annotations")]
    if service.deploy is not None:
        sections.append(service.deploy.get("labels"))
    for section in sections:
        pairs = section.pairs() if section is not None else []
        for key, value, at in pairs:
            _annotate(key, value or "", at, fields)
        if section is not None and section.path[-1] == "labels" and pairs:
            section.changed("Labels become annotations of the object.")


def _annotate(key: str, value: str, at: Part, fields: Fields) -> None:
    if marks(value) or holds_secret(value) or is_secret(key, value):
        at.note(ImportCode.SECRET_LEFT_OUT, "Its value looks secret and is not kept.")
    else:
        fields.set("annotations", key, value, at)
