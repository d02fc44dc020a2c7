"""How it is decided what is done to one object, and what stands in the way.

The action never depends on consents, so that a plan that was looked at and the one that is deployed
with a consent have the same hash. A consent only turns a problem into a risk.
"""

from app.domain.planning import risks
from app.domain.planning.changes import changes, stated_changes
from app.domain.planning.conflicts import conflicts, owner_of_field, path_of_field
from app.domain.planning.decision import Decision, Scene
from app.domain.planning.filling import fill
from app.domain.planning.findings import PlanProblemCode, Risk, RiskCode, problem
from app.domain.planning.immutability import Replacing, fixed
from app.domain.planning.objects import Object, Owner, is_terminating, ownership
from app.domain.planning.observed import Observed
from app.domain.planning.plan import PlanAction
from app.domain.planning.refusals import Asked, Meaning, Outcome, meaning
from app.domain.planning.replicas import PATH, ReplicasMove, ReplicasStep, hand_over, take_back


def decide(seen: Observed, scene: Scene) -> Decision:
    """What is done to the object."""
    decision = Decision.beginning(seen)
    if seen.live is not None:
        _compare(decision, seen, seen.live)
    if seen.refusal is not None:
        asked = Asked(seen.key, seen.live is not None, seen.refusal, scene.namespaces, scene.kinds)
        found = meaning(asked)
        _OUTCOMES[found.outcome](decision, seen, found, scene)
    if seen.live is not None:
        _own(decision, seen, seen.live, scene)
    if seen.key.is_secret:
        fill(decision, seen, scene)
    return decision


def _compare(decision: Decision, seen: Observed, live: Object) -> None:
    """What an update changes."""
    key, manifest = seen.key, seen.manifest.object
    handed = None
    if seen.answer is not None:
        found = changes(live, seen.answer)
        handed = hand_over(key, manifest, live, seen.answer)
        if handed is not None:
            found = found.without(PATH)
        same = not found and handed is None
    else:
        found, same = stated_changes(live, manifest), False
        if seen.refusal is None:
            decision.warn(Risk(RiskCode.UNVERIFIED, f"{key} was not checked beforehand."))
    decision.becomes(
        action=PlanAction.UNCHANGED if same else PlanAction.UPDATE, changes=found.shown
    )
    if handed is not None:
        _move_replicas(decision, handed)
    decision.warn(*risks.of_update(key, live, found))
    if is_terminating(live):
        decision.refuse(
            PlanProblemCode.TERMINATING,
            f"{key} is being deleted. Wait until it is gone, and plan again.",
        )


def _move_replicas(decision: Decision, step: ReplicasStep) -> None:
    if step.move is ReplicasMove.HAND_OVER:
        message = (
            f"From now on an autoscaler says how many pods {step.key} has; it begins with the "
            f"{step.replicas} that there are."
        )
    else:
        message = f"The canvas says again how many pods {step.key} has: {step.replicas}."
    decision.becomes(replicas=step)
    decision.warn(Risk(RiskCode.REPLICAS_MOVE, message))


def _unverified(decision: Decision, _: Observed, found: Meaning, __: Scene) -> None:
    decision.warn(Risk(RiskCode.UNVERIFIED, found.message))


def _problem(decision: Decision, seen: Observed, found: Meaning, _: Scene) -> None:
    code = found.code or PlanProblemCode.INVALID
    if code is PlanProblemCode.QUOTA:
        decision.warn(Risk(RiskCode.QUOTA, found.message))
    # A missing namespace is no node's fault, and is said once for all of them.
    node_id = None if code is PlanProblemCode.NAMESPACE_MISSING else seen.manifest.node_id
    decision.problems.append(
        problem(code, found.message, seen.key, node_id=node_id, field=_first(found))
    )


def _conflict(decision: Decision, seen: Observed, found: Meaning, scene: Scene) -> None:
    key = seen.key
    causes = conflicts(seen.refusal) if seen.refusal is not None else ()
    autoscaler = scene.unscaled.get((key.kind, key.namespace or "", key.name))
    step = take_back(key, seen.manifest.object, causes, autoscaler=autoscaler)
    if step is not None:
        _move_replicas(decision, step)
        return
    for cause in causes:
        where = path_of_field(cause.field or "a field")
        message = f"{where} of {key} is set by {owner_of_field(cause)}."
        decision.warn(Risk(RiskCode.CONFLICT, message))
    if scene.question.consents.takes_over(key):
        decision.becomes(force=True)
        return
    decision.refuse(
        PlanProblemCode.CONFLICT,
        f"Somebody else has set fields of {key}: {found.message} Take them over explicitly, or "
        "let the canvas say the same.",
        field=_first(found),
    )


def _immutable(decision: Decision, seen: Observed, found: Meaning, scene: Scene) -> None:
    key, rule = seen.key, fixed(seen.key)
    message = f"{found.message} {rule.advice}"
    decision.warn(Risk(RiskCode.IMMUTABLE_FIELD, message))
    if rule.replacing is Replacing.REFUSED:
        decision.refuse(PlanProblemCode.IMMUTABLE_FIELD, message, field=_first(found))
        return
    decision.becomes(action=PlanAction.REPLACE)
    if rule.replacing is Replacing.AFTER_CONSENT:
        why = f"{key} has to be replaced. {rule.advice}"
        decision.warn(Risk(RiskCode.DISRUPTION, why))
        if not scene.question.consents.replaces(key):
            decision.refuse(
                PlanProblemCode.REPLACE_UNCONFIRMED,
                f"{why} Deploy by a plan that says so, to agree to it.",
                field=_first(found),
            )


_OUTCOMES = {
    Outcome.CONFLICT: _conflict,
    Outcome.IMMUTABLE: _immutable,
    Outcome.UNVERIFIED: _unverified,
    Outcome.PROBLEM: _problem,
}


def _first(found: Meaning) -> str | None:
    """The first field at fault, as changes write it."""
    return path_of_field(found.fields[0]) if found.fields else None


_WHOSE = {
    Owner.OTHER_WORKFLOW: "{key} belongs to another workflow.",
    Owner.SOMEBODY_ELSE: "{key} belongs to {by}.",
    Owner.NOBODY: "{key} is there already, and was not made by this workflow.",
}


def _own(decision: Decision, seen: Observed, live: Object, scene: Scene) -> None:
    """Whether it is ours to change."""
    key, question = seen.key, scene.question
    whose = ownership(live, question.workflow_id, made=scene.made.get(key.identity))
    if whose.owner is Owner.OURS:
        return
    said = _WHOSE[whose.owner].format(key=key, by=whose.by)
    decision.warn(Risk(RiskCode.NOT_OWNED, said))
    if question.consents.adopts(key):
        decision.becomes(force=True)
        return
    decision.refuse(
        PlanProblemCode.NOT_OWNED,
        f"{said} Adopt it explicitly, or give the node another name or namespace.",
    )
