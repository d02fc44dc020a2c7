"""A plan that was looked at, held against the cluster without asking everything again.

What a dry run answers follows from the manifest and from the object that is there. When both are
as they were, down to the resourceVersion, so is the plan. Asked anew is what has moved in whatever
way, be it its status or how many pods an autoscaler wants; Secrets, because of the values that come
with a deploy; what is to be deleted; and what says where and whether the others can be at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.domain.errors import ClusterError
from app.domain.manifest import Manifest
from app.domain.planning import InventoryEntry, Plan, PlanAction, PlannedObject, Question, make_plan
from app.domain.planning.binding import digest_of_manifest, state_of
from app.domain.planning.objects import uid_of, version_of
from app.domain.problems import Problem, Severity
from app.kube.client import KubeClient
from app.services.deploying.faults import is_of_the_cluster
from app.services.deploying.observing import live_objects, look_at_left, observe

_UNDER_OTHERS = frozenset({"Namespace", "CustomResourceDefinition"})


async def confirm(
    client: KubeClient,
    plan: Plan,
    manifests: Sequence[Manifest],
    left: Sequence[InventoryEntry],
    question: Question,
    *,
    problems: Iterable[Problem],
    at_once: int,
) -> Plan | None:
    """The plan with the values that are given now, if it still is what would be done.

    None when it is not, or when that can only be seen by planning anew. `problems` are those of the
    canvas as it is now. Raises ClusterError.
    """
    if any(one.severity is Severity.ERROR for one in (*plan.problems, *problems)):
        return None
    planned = {one.key.identity: one for one in plan.objects if one.action is not PlanAction.DELETE}
    if {m.identity: digest_of_manifest(m) for m in manifests} != {
        identity: one.digest for identity, one in planned.items()
    }:
        return None
    plain = [m for m in manifests if not _is_asked(planned[m.identity])]
    asked = [m for m in manifests if _is_asked(planned[m.identity])]
    try:
        lives = await live_objects(client, plain, at_once=at_once)
    except ClusterError as error:
        if is_of_the_cluster(error):
            raise
        return None
    for manifest, live in zip(plain, lives, strict=True):
        before = planned[manifest.identity]
        if (before.uid, before.state) != (uid_of(live), state_of(live, manifest.object)):
            return None
        if before.version != version_of(live):
            asked.append(manifest)
    fresh = make_plan(
        await observe(client, asked, at_once=at_once),
        question,
        left=await look_at_left(client, left, workflow_id=question.workflow_id, at_once=at_once),
    )
    now = _merged(plan, fresh)
    return now if now.hash == plan.hash else None


def _is_asked(one: PlannedObject) -> bool:
    return one.key.is_secret or one.key.kind in _UNDER_OTHERS


def _merged(plan: Plan, fresh: Plan) -> Plan:
    """The plan, with what is fresh in place of what was asked anew."""
    anew = {one.key.identity: one for one in fresh.objects}
    kept: list[PlannedObject] = [
        anew.pop(one.key.identity, one)
        for one in plan.objects
        if one.action is not PlanAction.DELETE
    ]
    told = set(plan.problems)
    return replace(
        plan,
        objects=(*kept, *anew.values()),
        missing_secret_keys=fresh.missing_secret_keys,
        problems=(*(one for one in fresh.problems if one not in told), *plan.problems),
        kept=fresh.kept,
    )
