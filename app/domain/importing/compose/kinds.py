"""Which kind of workload a service becomes.

- DaemonSet: `deploy.mode: global`, one on every node.
- Job: another service waits until it has completed successfully, its mode is one of a job, or it
  says that it is never restarted and nothing is ever asked of it (no port, no health check).
- StatefulSet: the image is that of a database or a queue, and it keeps data in a volume of its own.
  That is how data is run on Kubernetes: the pod keeps its name and its disk, a new one starts when
  the old one is gone, and the disk stays when the workload is deleted.
- Deployment: everything else, with a claim for each named volume. A service that keeps uploads in a
  volume is no database: it scales, and shares the volume when the storage class can.
"""

import posixpath

from app.domain.importing.compose.images import known
from app.domain.importing.compose.part import Part
from app.domain.importing.compose.service import Service
from app.domain.importing.compose.volumes import Mount, Source

_RESTARTS = {
    **dict.fromkeys(("no", "none", "false"), "no"),
    **dict.fromkeys(("always", "any", "unless-stopped", "true"), "always"),
    "on-failure": "on-failure",
}
_SAYS_RESTART = (
    "Pods of this kind are always restarted. If it is meant to end, make it a Job instead."
)


def choose_kind(service: Service, *, is_waited_for: bool, is_shared: dict[str, bool]) -> None:
    """Sets the kind. `is_shared` says which volumes others use too."""
    mode = service.deploy.get("mode") if service.deploy is not None else None
    word = (mode.text() if mode is not None else None) or "replicated"
    restart = _restart(service)
    if mode is not None and word not in {"replicated", "global", "replicated-job", "global-job"}:
        mode.ignored("Write replicated, global or replicated-job: it is taken as replicated.")
    if word == "global":
        service.kind = "daemonset"
    elif (
        is_waited_for
        or word in {"replicated-job", "global-job"}
        or (restart == "no" and _is_quiet(service))
    ):
        service.kind = "job"
        if mode is not None and word == "global-job":
            mode.changed("The job runs once, not on every node.")
    elif any(is_data(service, mount, is_shared) for mount in service.mounts):
        service.kind = "statefulset"
    said = _restart_part(service)
    if said is not None and restart in {"no", "on-failure"} and service.kind != "job":
        said.changed(_SAYS_RESTART)


def is_data(service: Service, mount: Mount, is_shared: dict[str, bool]) -> bool:
    """Whether a mount holds the data of a database, in a volume that nobody else has."""
    image = known(service.image)
    if image is None or not image.keeps_data or mount.read_only or mount.sub_path:
        return False
    match mount.kind:
        case Source.VOLUME:
            return not is_shared.get(mount.source, False)
        case Source.ANONYMOUS:
            return True
        case Source.BIND:
            last = posixpath.basename(mount.target)
            named = mount.target.startswith(("/var/lib/", "/bitnami/")) or last in {"data", "db"}
            return named and "." not in posixpath.basename(mount.source.rstrip("/")).lstrip(".")
    return False


def _is_quiet(service: Service) -> bool:
    return not service.ports and not service.has_check


def _restart_part(service: Service) -> Part | None:
    """Where restarts are decided: `deploy` goes over the service's own key."""
    policy = service.deploy.section("restart_policy") if service.deploy is not None else None
    condition = policy.get("condition") if policy is not None else None
    if condition is None:
        return service.part.get("restart")
    own = service.part.value.get("restart")
    if own is not None and _word(own) == _word(condition):
        own.is_read = True
    return condition


def _word(part: Part) -> str | None:
    """`no`, `on-failure` or `always`; None for anything else."""
    return _RESTARTS.get(str(part.value).lower().partition(":")[0])


def _restart(service: Service) -> str | None:
    """`no`, `on-failure` or `always`, when it is said."""
    part = _restart_part(service)
    word = part.text() if part is not None else None
    if part is None or word is None:
        return None
    known_word = _RESTARTS.get(word.partition(":")[0])
    if known_word is None:
        part.ignored("Write no, always, on-failure or unless-stopped: it is taken as always.")
    return known_word
