"""Whether the pods of a workload find a node, get their image, are configured, run and are ready.

The rules of health have said what is wrong with pods; here it is sorted under what was asked.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from app.domain.diagnosing import looks
from app.domain.diagnosing.finding import Finding, failed, passed, skipped, warned
from app.domain.diagnosing.kinds import ONCE
from app.domain.diagnosing.scene import Scene, Subject
from app.domain.diagnosing.verdicts import causes, pods_of, seen_pods
from app.domain.health import Cause, CauseSeverity
from app.domain.health.seen import Object, Seen, listed, number, part, word
from app.domain.health.workloads import youngest

Ask = Callable[[Scene, Subject], Iterator[Finding]]

SCHEDULING, IMAGE, CONFIGURATION, PROBES, CREATION, RUNNING = range(6)

_OF_REASON: Mapping[str, int] = {
    "Unschedulable": SCHEDULING,
    "PodNotScheduled": SCHEDULING,
    "SchedulingGated": SCHEDULING,
    "ErrImageNeverPull": IMAGE,
    "ErrImagePull": IMAGE,
    "ImageInspectError": IMAGE,
    "ImagePullBackOff": IMAGE,
    "InvalidImageName": IMAGE,
    "RegistryUnavailable": IMAGE,
    "SignatureValidationFailed": IMAGE,
    "CreateContainerConfigError": CONFIGURATION,
    "FailedAttachVolume": CONFIGURATION,
    "FailedMapVolume": CONFIGURATION,
    "FailedMount": CONFIGURATION,
    "NotReady": PROBES,
    "AdmissionRefused": CREATION,
    "FailedCreate": CREATION,
    "LimitRangeExceeded": CREATION,
    "PodSecurityViolation": CREATION,
    "QuotaExceeded": CREATION,
    "ServiceAccountMissing": CREATION,
}
"""Under which question a cause falls; everything else is about running."""

_PATIENCE = "Wait a moment and look again."
_OTHERWISE: Mapping[int, str] = {
    SCHEDULING: "Change what the pod asks for, or add a node that has it.",
    IMAGE: "Check the image's name and tag, and the image pull secret if it is private.",
    CONFIGURATION: "Look at the recent warnings: they say what it needs.",
    PROBES: "Check the port and path of its readiness probe, and its log.",
    CREATION: "Look at the recent warnings, or ask the cluster's operator.",
    RUNNING: "Look at its log.",
}
_LOG = "Look at its previous log."
_KEEPS_ENDING = frozenset({"CrashLoopBackOff", "OOMKilled", "Restarting"})


def found(scene: Scene, workload: Subject, family: int) -> Iterator[Finding]:
    """What the pods tell that falls under a question."""
    for cause in causes(scene, workload):
        if _OF_REASON.get(cause.reason, RUNNING) == family:
            yield _finding(cause, family)


def _finding(cause: Cause, family: int) -> Finding:
    more = f" {cause.pods} pods have this." if cause.pods > 1 else ""
    message = f"{cause.message}{more}"
    if cause.severity is CauseSeverity.WAITING and family != PROBES:
        return warned(message, cause.hint or _PATIENCE)
    advice = cause.hint or _OTHERWISE[family]
    if cause.reason in _KEEPS_ENDING and "log" not in advice:
        advice = f"{advice} {_LOG}"
    say = failed if cause.severity is CauseSeverity.ERROR else warned
    return say(message, advice)


def absent(scene: Scene, workload: Subject) -> Iterator[Finding]:
    """Why there are no pods to ask; nothing when there are some."""
    sight = seen_pods(scene, workload)
    if sight.hidden is not None:
        yield skipped(f"The pods of {workload.named} cannot be looked at: {sight.hidden}")
    elif not pods_of(scene, workload):
        wants = number(workload.spec, "replicas", 1)
        scaled = workload.key.kind in {"Deployment", "StatefulSet"} and wants == 0
        why = "it is scaled to 0" if scaled else "there are none"
        yield skipped(f"{workload.named} has no pods to look at: {why}.")


def question(family: int, well: str) -> Ask:
    """The check that tells the causes of a family, and `well` when every pod is past it."""

    def ask(scene: Scene, workload: Subject) -> Iterator[Finding]:
        findings = list(found(scene, workload, family)) or list(absent(scene, workload))
        if findings:
            yield from findings
        elif all(map(_IS_PAST[family], _told_of(scene, workload))):
            yield passed(well.format(workload.named))
        else:
            yield skipped(f"Not every pod of {workload.named} has come so far yet.")

    return ask


def _told_of(scene: Scene, workload: Subject) -> Sequence[Object]:
    """The pods that count: of what runs until it is done, the last attempt."""
    pods = [
        pod
        for pod in pods_of(scene, workload)
        if not part(pod, "metadata").get("deletionTimestamp")
    ]
    last = youngest(pods)
    return [last] if workload.group_kind in ONCE and last is not None else pods


def _is_placed(pod: Object) -> bool:
    return bool(word(part(pod, "spec"), "nodeName"))


def _is_pulled(pod: Object) -> bool:
    return _every_container(pod, _has_image)


def _is_running(pod: Object) -> bool:
    return _every_container(pod, _runs)


def _every_container(pod: Object, holds: Callable[[Object], bool]) -> bool:
    statuses = list(listed(part(pod, "status"), "containerStatuses"))
    return bool(statuses) and all(map(holds, statuses))


def _has_image(status: Object) -> bool:
    waiting = part(status, "state", "waiting")
    begun = part(status, "lastState", "terminated") or word(waiting, "reason") in _HAVE_IMAGE
    return bool(begun) or not waiting


def _runs(status: Object) -> bool:
    state = part(status, "state")
    ended = state.get("terminated")
    return "running" in state or (isinstance(ended, dict) and number(ended, "exitCode", 1) == 0)


_IS_PAST: Mapping[int, Callable[[Object], bool]] = {
    SCHEDULING: _is_placed,
    IMAGE: _is_pulled,
    RUNNING: _is_running,
}
_HAVE_IMAGE = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "PostStartHookError",
        "RunContainerError",
    }
)


def creation(scene: Scene, workload: Subject) -> Iterator[Finding]:
    """Whether anything keeps the cluster from making pods: quotas, limits, admission."""
    yield from list(found(scene, workload, CREATION)) or [
        passed(f"Nothing keeps the cluster from making the pods of {workload.named}.")
    ]


def probes(scene: Scene, workload: Subject) -> Iterator[Finding]:
    """Whether containers pass their probes."""
    findings = [*found(scene, workload, PROBES), *_probed(scene, workload)]
    findings = findings or list(absent(scene, workload))
    if findings:
        yield from findings
        return
    if any(name in c for c in looks.containers(looks.template(workload)) for name in _PROBES):
        if all(map(_is_running, _told_of(scene, workload))):
            yield passed(f"The containers of {workload.named} pass their probes.")
        else:
            yield skipped(f"Not every container of {workload.named} runs yet.")
    elif workload.group_kind in ONCE:
        yield skipped(f"{workload.named} runs until it is done, and has no probes.")
    else:
        yield skipped(f"{workload.named} has no probes: a pod is ready as soon as it runs.")


_PROBES = ("readinessProbe", "livenessProbe", "startupProbe")
_FAILED = re.compile(r"(?P<probe>Readiness|Liveness|Startup) probe (?:failed|errored)")
_NETWORK = re.compile(
    r"(?P<said>[A-Z][a-z]+ probe (?:failed|errored): "
    r"(?:HTTP probe failed with statuscode: [0-9]{3}|dial tcp [^ ]+: .*|Get \"[^\"]*\": .*|"
    r"timeout: .*|service unhealthy .*))"
)
_ADVICE = {
    "Readiness": "Check the port and path of its readiness probe, and its log.",
    "Liveness": "Check its liveness probe, or give it more time to start.",
    "Startup": "Give it more time to start, or correct its startup probe.",
}


def probe_words(text: str) -> str:
    """What the event of a failed probe says, without what a command printed: that may be anything.

    Empty for another event.
    """
    if match := _NETWORK.match(text):
        return match["said"]
    match = _FAILED.match(text)
    return match[0] if match else ""


def _probed(scene: Scene, workload: Subject) -> Iterator[Finding]:
    """Failures of probes that the causes do not tell, of pods that are not ready now."""
    told = {cause.pod for cause in causes(scene, workload) if cause.reason == "NotReady"}
    for pod in pods_of(scene, workload):
        name = word(part(pod, "metadata"), "name")
        if name in told or not _runs_unready(pod):
            continue
        seen = Seen(pod, (), scene.events(pod), scene.now)
        words = next(filter(None, map(probe_words, seen.told(pod, "Unhealthy"))), "")
        match = _FAILED.match(words)
        if match:
            yield warned(f"Pod {name} is not ready: {words}.", _ADVICE[match["probe"]])


def _runs_unready(pod: Object) -> bool:
    statuses = listed(part(pod, "status"), "containerStatuses")
    return any(
        each.get("ready") is False and isinstance(part(each, "state").get("running"), dict)
        for each in statuses
    )
