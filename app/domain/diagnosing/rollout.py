"""Whether an object has become what was asked for, by the rules of health."""

from collections.abc import Iterator, Mapping

from app.domain.diagnosing.finding import Finding, failed, passed, warned
from app.domain.diagnosing.scene import Scene, Subject
from app.domain.diagnosing.verdicts import verdict
from app.domain.health import Health, HealthState

_ADVICE: Mapping[HealthState, str] = {
    HealthState.SUSPENDED: "Let it go on when you want it to.",
    HealthState.PENDING: "Wait a moment and look again.",
    HealthState.TERMINATING: "Wait until it is gone, then deploy the workflow again.",
    HealthState.DEGRADED: "Look at the other checks.",
    HealthState.MISSING: "Deploy the workflow again.",
    HealthState.ERROR: "Change what it names, and deploy the workflow again.",
}
_BAD = frozenset({HealthState.DEGRADED, HealthState.ERROR})


def rollout(scene: Scene, subject: Subject) -> Iterator[Finding]:
    """A workload, or a kind that has no check of its own."""
    yield told(subject, verdict(scene, subject))


def told(subject: Subject, health: Health) -> Finding:
    """A health as a finding: what is wrong, and apart from it what to do."""
    if health.state is HealthState.HEALTHY:
        return passed(f"{subject.named}: {health.message}")
    hint = health.causes[0].hint if health.causes else ""
    message = health.message.removesuffix(hint).rstrip() if hint else health.message
    bad = health.state in _BAD and not health.advisory
    say = failed if bad else warned
    return say(f"{subject.named}: {message}", hint or _ADVICE[health.state])
