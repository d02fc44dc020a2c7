"""From what a dry run of a deployed version would change to how far the cluster has moved: pure."""

from collections.abc import Mapping, Sequence

from app.domain.drift import DriftedObject, DriftState
from app.domain.errors import ClusterFault
from app.domain.manifest import Identity
from app.domain.planning import Observed, Plan, PlanAction, PlannedObject
from app.domain.planning.conflicts import conflicts
from app.domain.planning.findings import RiskCode
from app.domain.planning.objects import is_terminating
from app.domain.problems import Severity

_UNANSWERED = frozenset({ClusterFault.FORBIDDEN, ClusterFault.UNAVAILABLE, ClusterFault.THROTTLED})
"""Faults that do not tell whether there is such an object."""


def drifted(observed: Sequence[Observed], plan: Plan) -> tuple[DriftedObject, ...]:
    """The objects of a version that is deployed, in the order of its plan.

    `observed` is what the cluster says of its manifests, and `plan` what was made of that, with no
    secret values given and without consents.
    """
    seen = {one.key.identity: one for one in observed}
    missing = {one.node_id: frozenset(one.keys) for one in plan.missing_secret_keys}
    said = _said(plan)
    return tuple(
        _drifted(one, seen[one.key.identity], missing, said)
        for one in plan.objects
        if one.key.identity in seen
    )


def _drifted(
    planned: PlannedObject,
    seen: Observed,
    missing: Mapping[str, frozenset[str]],
    said: Mapping[Identity, str],
) -> DriftedObject:
    key = planned.key
    state = _state(planned, seen)
    lacking = sorted(missing.get(seen.manifest.node_id, frozenset()) & set(seen.manifest.keys))
    words = said.get(key.identity)
    if seen.live is not None and lacking and state is not DriftState.UNKNOWN:
        state = DriftState.MODIFIED
        words = f"It has no value for {', '.join(lacking)} any more."
    modified = state is DriftState.MODIFIED
    return DriftedObject(
        node_id=planned.node_id,
        kind=key.kind,
        namespace=key.namespace,
        name=key.name,
        state=state,
        message=words if state is not DriftState.IN_SYNC else None,
        changes=planned.changes if modified else (),
    )


def _state(planned: PlannedObject, seen: Observed) -> DriftState:
    if seen.live is None:
        unanswered = seen.refusal is not None and seen.refusal.fault in _UNANSWERED
        return DriftState.UNKNOWN if unanswered else DriftState.MISSING
    if seen.refusal is not None:
        understood = planned.action is PlanAction.REPLACE or conflicts(seen.refusal)
        return DriftState.MODIFIED if understood else DriftState.UNKNOWN
    same = planned.action is PlanAction.UNCHANGED and not is_terminating(seen.live)
    return DriftState.IN_SYNC if same else DriftState.MODIFIED


def _said(plan: Plan) -> dict[Identity, str]:
    """What is said of each object: who has set its fields, else what stands in the way."""
    problems: dict[tuple[str, ...], list[str]] = {}
    for problem in plan.problems:
        if problem.severity is Severity.ERROR and len(problem.path) >= 3:
            problems.setdefault(problem.path[1:3], []).append(problem.message)
    found: dict[Identity, str] = {}
    for one in plan.objects:
        conflicted = [risk.message for risk in one.risks if risk.code is RiskCode.CONFLICT]
        words = conflicted or problems.get((one.key.kind, one.key.name), [])
        if words:
            found[one.key.identity] = " ".join(words[:5])
    return found
