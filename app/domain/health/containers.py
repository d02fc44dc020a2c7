"""What one container of a pod tells of its trouble."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.health import explaining
from app.domain.health.seen import Object, Seen, listed, number, part, said, time, word
from app.domain.health.verdict import Cause, CauseSeverity

_START_GRACE = 15
"""Seconds that a new pod has before what only a change heals counts as fatal: in the same run, what
it needs may come a moment later."""

_READY_GRACE = 60
"""Seconds that a started container has to pass its readiness probe before it is told of."""

_FLAPPING = 3
_FLAPPING_WINDOW = 600
"""So many restarts, the last within so many seconds, are worth a warning."""

_PREAMBLE = re.compile(
    r"(?:Back-off pulling|Failed to pull) image (?:\"[^\"]*\")?(?:: |$)(?:ErrImagePull: )?"
)
"""What a text says before it comes to the point."""

_USUAL = frozenset({"", "ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, slots=True)
class Container:
    """A container's status, with its pod. `serves` is false for pods that run until done."""

    seen: Seen
    pod: Object
    pod_name: str
    status: Object
    is_init: bool
    serves: bool

    @property
    def name(self) -> str:
        return word(self.status, "name")

    @property
    def spec(self) -> Object:
        """What was asked for: the container of this name in the pod's spec."""
        containers = listed(
            part(self.pod, "spec"), "initContainers" if self.is_init else "containers"
        )
        return next((c for c in containers if word(c, "name") == self.name), {})

    @property
    def is_sidecar(self) -> bool:
        """Whether it is an init container that runs for as long as the pod."""
        return self.is_init and word(self.spec, "restartPolicy") == "Always"

    @property
    def called(self) -> str:
        kind = "Init container" if self.is_init and not self.is_sidecar else "Container"
        return f"{kind} {self.name or '?'} of pod {self.pod_name}"

    @property
    def image(self) -> str:
        return word(self.spec, "image") or word(self.status, "image") or "its image"

    @property
    def created(self) -> bool:
        """Whether the pod is old enough for what only a change heals to be fatal."""
        born = time(part(self.pod, "metadata"), "creationTimestamp")
        return self.seen.past(born, _START_GRACE)

    def cause(
        self,
        severity: CauseSeverity,
        reason: str,
        message: str,
        hint: str = "",
        *,
        exit_code: int | None = None,
        fatal: bool = False,
    ) -> Cause:
        """A cause at this container."""
        return Cause(
            severity,
            reason,
            f"{self.called} {message}.",
            hint,
            pod=self.pod_name,
            container=self.name,
            is_init=self.is_init,
            restarts=number(self.status, "restartCount"),
            exit_code=exit_code,
            fatal=fatal,
        )


def trouble(container: Container) -> Cause | None:
    """What is wrong with a container, or how far it is; nothing when it is as it should be."""
    state = part(container.status, "state")
    waiting = state.get("waiting")
    if isinstance(waiting, dict):
        return _waiting(container, waiting)
    terminated = state.get("terminated")
    if isinstance(terminated, dict):
        return _terminated(container, terminated)
    running = state.get("running")
    if isinstance(running, dict):
        return _running(container, running)
    return None


def _waiting(container: Container, waiting: Object) -> Cause | None:
    reason = word(waiting, "reason")
    if reason in _USUAL:
        return None
    explain = _REASONS.get(reason)
    if explain is None:
        if not (reason.startswith("Err") or reason.endswith(("Error", "BackOff"))):
            return None
        explain = _cannot_start
    return explain(container, reason, said(waiting))


def _bad_name(container: Container, reason: str, _: str) -> Cause:
    return container.cause(
        CauseSeverity.ERROR,
        reason,
        f"cannot run: {container.image} is no image reference",
        "Correct the image's name.",
        fatal=container.created,
    )


def _never_pulled(container: Container, reason: str, _: str) -> Cause:
    return container.cause(
        CauseSeverity.ERROR,
        reason,
        f"may not pull {container.image}, and the node does not have it",
        "Set the pull policy to IfNotPresent, or load the image into the nodes.",
        fatal=container.created,
    )


def _not_pulled(container: Container, reason: str, text: str) -> Cause:
    if reason == "ImagePullBackOff" and "ErrImagePull" not in text:
        # Older kubelets only say here that they wait; the failure itself is an event.
        told = container.seen.told(container.pod, "Failed")
        text = next((words for words in told if words.startswith("Failed to pull")), text)
    text = _PREAMBLE.sub("", text)
    return container.cause(
        CauseSeverity.ERROR,
        reason,
        f"cannot pull the image {container.image}{f': {text}' if text else ''}",
        explaining.pull(reason, text),
    )


def _not_configured(container: Container, reason: str, text: str) -> Cause:
    missing = explaining.absent(text)
    if missing is not None:
        message, advice = f"needs {missing[0]}", missing[1]
    elif "runAsNonRoot" in text:
        message = "may not run as root, and its image does"
        advice = "Set a user id other than 0, or use an image that has one."
    else:  # such as a cache of the kubelet that is late: it may heal
        message = f"cannot be configured{f': {text}' if text else ''}"
        return container.cause(CauseSeverity.ERROR, reason, message)
    return container.cause(CauseSeverity.ERROR, reason, message, advice, fatal=container.created)


def _cannot_start(container: Container, reason: str, text: str) -> Cause:
    advice = "Look at the pod's events."
    if re.search("executable file not found|no such file or directory", text):
        advice = "Correct the command, or use an image that has it."
    elif "permission denied" in text:
        advice = "Check that the file is a program for this image."
    return container.cause(
        CauseSeverity.ERROR, reason, f"cannot start{f': {text}' if text else ''}", advice
    )


def _hook_failed(container: Container, reason: str, _: str) -> Cause:
    # The message quotes what the hook printed, which may be anything.
    return container.cause(
        CauseSeverity.ERROR,
        reason,
        "is stopped, because its postStart hook fails",
        "Correct the hook's command.",
    )


def _crashing(container: Container, reason: str, _: str) -> Cause:
    last = part(container.status, "lastState", "terminated")
    restarts = number(container.status, "restartCount")
    again = f" (restarted {_times(restarts)})" if restarts else ""
    if word(last, "reason") == "OOMKilled":
        return _out_of_memory(container, last, CauseSeverity.ERROR, f"keeps being killed{again}")
    what = f"keeps ending{again}" if last else f"keeps crashing{again}"
    code = number(last, "exitCode", -1)
    return _ended(container, reason, code, what, log="Look at its previous log.")


def _terminated(container: Container, terminated: Object) -> Cause | None:
    code = number(terminated, "exitCode", -1)
    if word(terminated, "reason") == "OOMKilled":
        return _out_of_memory(container, terminated, CauseSeverity.ERROR, "was killed")
    if code <= 0:
        return None
    return _ended(container, word(terminated, "reason") or "Error", code, "failed")


def _ended(
    container: Container, reason: str, code: int, what: str, *, log: str = "Look at its log."
) -> Cause:
    """What the process itself wrote as its last words may be anything, so it is never repeated."""
    if code < 0:
        return container.cause(CauseSeverity.ERROR, reason, what, log)
    meaning, advice = explaining.exit_words(code)
    advice = advice or log
    if code in {137, 143} and _probed(container, "Liveness"):
        advice = "Its liveness probe fails: check the probe, or give it more time to start."
    return container.cause(
        CauseSeverity.ERROR, reason, f"{what}: {meaning}", advice, exit_code=code
    )


def _out_of_memory(
    container: Container, ended: Object, severity: CauseSeverity, what: str
) -> Cause:
    limit = word(part(container.spec, "resources", "limits"), "memory")
    than = f"its limit of {limit}" if limit else "there is"
    return container.cause(
        severity,
        "OOMKilled",
        f"{what} because it used more memory than {than}",
        "Raise its memory limit, or make it use less.",
        exit_code=number(ended, "exitCode", 137),
    )


def _running(container: Container, running: Object) -> Cause | None:
    if container.is_init and not container.is_sidecar:
        return container.cause(
            CauseSeverity.WAITING, "PodInitializing", "is at work; the others start after it"
        )
    last = part(container.status, "lastState", "terminated")
    restarts = number(container.status, "restartCount")
    if word(last, "reason") == "OOMKilled":
        return _out_of_memory(
            container, last, CauseSeverity.WARNING, f"was killed and restarted {_times(restarts)}"
        )
    if restarts >= _FLAPPING and last:
        ended = time(last, "finishedAt")
        if ended is not None and not container.seen.past(ended, _FLAPPING_WINDOW):
            return _flapping(container, restarts, number(last, "exitCode", -1))
    if container.serves and container.status.get("ready") is False:
        return _not_ready(container, running)
    return None


def _flapping(container: Container, restarts: int, code: int) -> Cause:
    message = f"restarted {_times(restarts)}"
    if code < 0:
        return container.cause(CauseSeverity.WARNING, "Restarting", message)
    meaning, advice = explaining.exit_words(code)
    return container.cause(
        CauseSeverity.WARNING,
        "Restarting",
        f"{message}, the last time because {meaning}" if code == 0 else f"{message}: {meaning}",
        advice or "Look at its previous log.",
        exit_code=code,
    )


def _not_ready(container: Container, running: Object) -> Cause | None:
    if not container.seen.past(time(running, "startedAt"), _READY_GRACE):
        return None
    probe = part(container.spec, "readinessProbe")
    what = "the command" if "exec" in probe else "the port and path"
    text = "" if "exec" in probe else _probed(container, "Readiness")  # it prints anything
    return container.cause(
        CauseSeverity.WAITING,
        "NotReady",
        f"runs, and has not become ready{f': {text}' if text else ''}",
        f"Check {what} of its readiness probe, and its log." if probe else "",
    )


def _probed(container: Container, probe: str) -> str:
    """What the last failure of a probe was."""
    told = container.seen.told(container.pod, "Unhealthy")
    return next((words for words in told if words.startswith(f"{probe} probe")), "")


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


_REASONS: dict[str, Callable[[Container, str, str], Cause]] = {
    "InvalidImageName": _bad_name,
    "ErrImageNeverPull": _never_pulled,
    "ErrImagePull": _not_pulled,
    "ImagePullBackOff": _not_pulled,
    "ImageInspectError": _not_pulled,
    "RegistryUnavailable": _not_pulled,
    "SignatureValidationFailed": _not_pulled,
    "CreateContainerConfigError": _not_configured,
    "CrashLoopBackOff": _crashing,
    "PostStartHookError": _hook_failed,
}
