"""Conditions, as a status lists them."""

from collections.abc import Iterable

from app.sandbox.objects import Object
from app.sandbox.world import World


def with_condition(
    world: World, conditions: Iterable[Object], type_: str, *said: str, updated: bool = False
) -> list[Object]:
    """The conditions with one of them as it is now; its time changes with its status only.

    What is said is a status, a reason and a message. `updated`: whether it also has a
    `lastUpdateTime`, which changes with its reason.
    """
    status, reason, message = said
    kept = [dict(each) for each in conditions]
    before = next((each for each in kept if each["type"] == type_), None)
    now = world.stamp()
    made = {"type": type_, "status": status, "reason": reason, "message": message}
    if updated:
        same = before is not None and (before["status"], before["reason"]) == (status, reason)
        made["lastUpdateTime"] = before["lastUpdateTime"] if same and before else now
    same = before is not None and before["status"] == status
    made["lastTransitionTime"] = before["lastTransitionTime"] if same and before else now
    if before is None:
        return [*kept, made]
    return [made if each is before else each for each in kept]
