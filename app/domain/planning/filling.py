"""What a plan says of secret values: which come, which go, and which nobody has given yet."""

from app.domain.comparing import FieldChange
from app.domain.planning import risks
from app.domain.planning.changes import step, written
from app.domain.planning.decision import Decision, Scene
from app.domain.planning.findings import PlanProblemCode, Risk, RiskCode
from app.domain.planning.immutability import fixed
from app.domain.planning.observed import Observed
from app.domain.planning.plan import PlanAction
from app.domain.planning.secretkeys import SecretKeys, is_frozen, secret_keys
from app.domain.planning.veiling import AFTER, BEFORE


def fill(decision: Decision, seen: Observed, scene: Scene) -> None:
    """Decide about the values of a Secret, after its frame.

    What is done because of values is no part of the hash: a plan is looked at before they are
    given.
    """
    frame = decision.planned.action
    given = scene.question.given.get(seen.manifest.node_id, ())
    keys = secret_keys(seen.manifest, seen.live, given, replaced=frame is PlanAction.REPLACE)
    if is_frozen(seen.live) and (keys.given or keys.stale) and frame is not PlanAction.REPLACE:
        message = f"The values of {seen.key} can't be changed. {fixed(seen.key).advice}"
        decision.warn(Risk(RiskCode.IMMUTABLE_FIELD, message))
        decision.becomes(action=PlanAction.REPLACE, frame_action=frame)
        keys = secret_keys(seen.manifest, seen.live, given, replaced=True)
    elif (keys.given or keys.stale) and frame is PlanAction.UNCHANGED:
        decision.becomes(action=PlanAction.UPDATE, frame_action=frame)
    decision.becomes(values=bool(keys.given or keys.stale))
    if seen.live is not None:
        decision.becomes(changes=(*decision.planned.changes, *_changes(keys)))
    decision.warn(*risks.of_keys(keys))
    decision.missing = keys.missing
    if keys.unknown:
        decision.refuse(
            PlanProblemCode.SECRET_VALUES_UNKNOWN,
            f"{seen.key} has no key {', '.join(keys.unknown)}. Add it to the canvas, or leave its "
            "value out.",
        )


def _changes(keys: SecretKeys) -> tuple[FieldChange, ...]:
    """The keys that are written and removed; their values always look the same."""
    present = frozenset(keys.present)
    found: dict[str, tuple[str | None, str | None]] = dict.fromkeys(keys.stale, (BEFORE, None))
    for name in keys.given:
        found[name] = (BEFORE if name in present else None, AFTER)
    return tuple(FieldChange(written(("data", step(name))), *found[name]) for name in sorted(found))
