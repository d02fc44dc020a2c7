"""What is wrong with a node, and what to do: decided purely, from what was seen on its cluster."""

from app.domain.diagnosing.finding import Finding, folded, worst_first
from app.domain.diagnosing.podview import pod_seen
from app.domain.diagnosing.scene import MOST, Look, Scene, Sight, Subject
from app.domain.diagnosing.table import EXISTENCE, QUESTIONS
from app.domain.diagnosing.verdicts import verdict
from app.domain.health import Health, HealthState, combined
from app.domain.inspecting import Check, CheckOutcome, Diagnosis

NOTHING_DEPLOYED = "Nothing of this node is on a cluster: deploy the workflow first."


def diagnose(node_id: str, scene: Scene) -> Diagnosis:
    """The checks of a node, the worst first; final when the scene has nothing unseen.

    Any JSON is accepted, and no value of a Secret is ever looked at.
    """
    if not scene.subjects:
        check = Check(EXISTENCE.name, CheckOutcome.SKIPPED, NOTHING_DEPLOYED)
        return Diagnosis(node_id, HealthState.MISSING, NOTHING_DEPLOYED, (check,), scene.now)
    found: dict[str, list[Finding]] = {}
    for question in QUESTIONS:
        for subject in scene.subjects:
            if question is not EXISTENCE and subject.live is None:
                continue
            if question.fits(subject.group_kind):
                found.setdefault(question.name, []).extend(question.ask(scene, subject))
    checks = [folded(name, findings) for name, findings in found.items() if findings]
    health = _together(scene)
    return Diagnosis(node_id, health.state, health.message, worst_first(checks), scene.now)


def _together(scene: Scene) -> Health:
    told = [verdict(scene, each) for each in scene.subjects if each.hidden is None]
    if told:
        return combined(told)
    message = "The cluster does not let anything of this node be looked at."
    return Health(HealthState.PENDING, "Hidden", message)


__all__ = [
    "MOST",
    "NOTHING_DEPLOYED",
    "QUESTIONS",
    "Look",
    "Scene",
    "Sight",
    "Subject",
    "diagnose",
    "pod_seen",
]
