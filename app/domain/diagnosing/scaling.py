"""Whether an autoscaler has something to scale, and something to measure it by."""

from collections.abc import Iterator

from app.domain.diagnosing.finding import Finding, failed, passed, skipped, warned
from app.domain.diagnosing.rollout import told
from app.domain.diagnosing.scene import Look, Scene, Sight, Subject
from app.domain.diagnosing.verdicts import verdict
from app.domain.health import HealthState
from app.domain.health.seen import Object, listed, part, word

_METRICS = "Install a metrics server, and set requests for every container of its target."


def aims(scene: Scene, autoscaler: Subject) -> Iterator[Finding]:
    """Whether what an autoscaler scales is there."""
    sight, called = _target(scene, autoscaler)
    if sight is None:
        yield skipped(f"{autoscaler.named} scales a kind that is not looked at.")
    elif sight.hidden is not None:
        yield skipped(f"{called} cannot be looked at: {sight.hidden}")
    elif sight.one is None:
        message = f"{autoscaler.named} scales {called}, which does not exist."
        yield failed(message, "Connect it to a workload of the canvas, and deploy.")
    else:
        yield passed(f"{autoscaler.named} scales {called}.")


def measured(scene: Scene, autoscaler: Subject) -> Iterator[Finding]:
    """Whether an autoscaler can measure its target."""
    for resource in _utilised(autoscaler.spec):
        lacking = _without(scene, autoscaler, resource)
        if lacking:
            names = ", ".join(lacking[:5])
            message = f"{autoscaler.named} goes by {resource} use, and {names} has no request."
            yield failed(message, f"Set resources.requests.{resource} of every container.")
            return
    health = verdict(scene, autoscaler)
    finding = told(autoscaler, health)
    if health.state is HealthState.HEALTHY:
        limited = [note.message for note in health.notes]
        if health.reason != "ScalingDisabled" and limited:
            finding = warned(f"{autoscaler.named}: {limited[0]}", "Raise its limits, if need be.")
    elif health.reason.startswith("FailedGet") and health.reason.endswith("Metric"):
        finding = finding._replace(suggestion=_METRICS)
    yield finding


def _target(scene: Scene, autoscaler: Subject) -> tuple[Sight | None, str]:
    reference = part(autoscaler.spec, "scaleTargetRef")
    kind, name = word(reference, "kind"), word(reference, "name")
    called = f"the {kind} {name}"
    if kind not in {"Deployment", "ReplicaSet", "StatefulSet"}:
        return None, called
    return scene.look(Look("apps/v1", kind, autoscaler.key.namespace, name)), called


def _utilised(spec: Object) -> Iterator[str]:
    """The resources whose use is compared with requests."""
    for metric in listed(spec, "metrics"):
        resource = part(metric, "resource")
        if word(part(resource, "target"), "type") == "Utilization":
            yield word(resource, "name")


def _without(scene: Scene, autoscaler: Subject, resource: str) -> list[str]:
    """The containers of the target without a request for the resource; a limit is one too."""
    sight, _ = _target(scene, autoscaler)
    template = part(sight.one, "spec", "template") if sight is not None else {}
    return [
        f"container {word(each, 'name')}"
        for each in listed(part(template, "spec"), "containers")
        if resource not in part(each, "resources", "requests")
        and resource not in part(each, "resources", "limits")
    ]
