"""What is done to one object of a run. Every step may be done twice, and changes nothing then."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from app.domain.errors import ClusterError, ClusterFault, Invalid
from app.domain.labels import MANAGER
from app.domain.planning import ObjectKey, Owner, PlanAction, ownership
from app.domain.planning.conflicts import conflicts
from app.domain.planning.objects import Object, uid_of
from app.domain.planning.plan import moved as moved_since
from app.domain.planning.replicas import REPLICAS_MANAGER, ReplicasMove, ReplicasStep
from app.kube import applying
from app.kube.client import KubeClient
from app.services.deploying.failing import (
    Failed,
    Failure,
    moved,
    not_applied,
    not_removed,
    too_late,
)
from app.services.deploying.leaving import Tell, gone, named
from app.services.deploying.targets import Target
from app.services.deploying.trying import Late, Trying

_RACES = 5
"""How often an object is applied that others change at the same moment."""


class Steps:
    """The steps of one run on its cluster. `seconds` is what the run may take, for sentences.

    All of them raise Failed, and Left when the run is cancelled where it may stop.
    """

    def __init__(
        self,
        client: KubeClient,
        trying: Trying,
        *,
        workflow_id: str,
        seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._trying = trying
        self._workflow_id = workflow_id
        self._seconds = seconds
        self._now = now

    async def apply(self, target: Target, tell: Tell) -> Object:
        """Creates, updates or replaces it; the object as it is then."""
        planned = target.planned
        try:
            if planned.action is PlanAction.REPLACE and not planned.values:
                return await self._replace(target, tell)
            # Values went into a Secret beside the plan: then it is not the one that was planned.
            uid = planned.uid if not planned.values else None
            if planned.replicas is not None:
                await self._move_replicas(planned.replicas, uid)
            live = await self._put(target, uid=uid)
            if planned.replicas is not None and planned.replicas.release is not None:
                await self._send(planned.replicas.release, manager=REPLICAS_MANAGER)
        except ClusterError as error:
            raise Failed(not_applied(target.key, error, is_live=planned.uid is not None)) from error
        except Late as late:
            raise Failed(too_late(target.key, late, seconds=self._seconds)) from late
        except Invalid as error:
            raise Failed(Failure("Invalid", f"{target.key}: {error.message}")) from error
        return live

    async def remove(self, target: Target) -> None:
        """Deletes it, if it is still the one that was planned. It may live on for a while."""
        try:
            await self._delete(target.key, target.planned.uid)
        except ClusterError as error:
            raise Failed(not_removed(target.key, error)) from error
        except Late as late:
            raise Failed(too_late(target.key, late, seconds=self._seconds)) from late

    async def until_gone(self, target: Target, tell: Tell) -> None:
        """Waits until what was deleted is not there any more."""
        try:
            await self._until_gone(target, tell)
        except ClusterError as error:
            raise Failed(not_removed(target.key, error)) from error
        except Late as late:
            raise Failed(too_late(target.key, late, seconds=self._seconds)) from late

    async def look(self, key: ObjectKey) -> Object | None:
        """The object as it is. Raises ClusterError, Late, Left."""
        return await self._trying.asked(lambda _: applying.read(self._client, named(key)))

    async def _replace(self, target: Target, tell: Tell) -> Object:
        """Deletes exactly the planned object, and makes it anew; not left in the middle."""
        key, uid = target.key, target.planned.uid
        if not await self._delete(key, uid, to_the_end=True):
            live = await self.look(key)
            if live is not None and not self._is_ours(live):
                raise Failed(moved(moved_since(target.planned, uid=uid_of(live), state="")))
        else:
            await self._until_gone(target, tell, to_the_end=True)
        return await self._put(target, uid=None, to_the_end=True)

    def _is_ours(self, live: Object) -> bool:
        return ownership(live, self._workflow_id).owner is Owner.OURS

    async def _until_gone(self, target: Target, tell: Tell, *, to_the_end: bool = False) -> None:
        await gone(
            self._client,
            target.key,
            target.planned.uid,
            self._trying,
            tell=tell,
            now=self._now,
            to_the_end=to_the_end,
        )

    async def _delete(self, key: ObjectKey, uid: str | None, *, to_the_end: bool = False) -> bool:
        """Whether the object with this uid was there to be deleted."""
        if uid is None:
            return False
        try:
            return await self._trying.asked(
                lambda seconds: applying.delete(self._client, named(key), uid=uid, seconds=seconds),
                to_the_end=to_the_end,
            )
        except ClusterError as error:
            if error.fault is not ClusterFault.CONFLICT:
                raise
            live = await self.look(key)
            if uid_of(live) == uid:
                raise
            return False

    async def _move_replicas(self, step: ReplicasStep, uid: str | None) -> None:
        try:
            await self._send(_meant(step.body, uid), manager=REPLICAS_MANAGER, force=step.force)
        except ClusterError as error:
            # The autoscaler has said another number since: it has been handed over before.
            if step.move is not ReplicasMove.HAND_OVER or not conflicts(error):
                raise

    async def _put(self, target: Target, *, uid: str | None, to_the_end: bool = False) -> Object:
        """Applies the manifest; again when somebody else was at it at the same moment."""
        if target.manifest is None:
            raise AssertionError(f"{target.key} is to be deleted")
        body, force = _meant(target.manifest.object, uid), target.planned.force
        for race in range(_RACES):
            try:
                return await self._send(body, force=force, to_the_end=to_the_end)
            except ClusterError as error:
                if not _is_overtaken(error):
                    raise
                last = error
            live_uid = uid_of(await self.look(target.key))
            if uid is not None and live_uid != uid:
                raise Failed(moved(moved_since(target.planned, uid=live_uid, state="")))
            await self._trying.pause(race, to_the_end=to_the_end)
        raise last

    async def _send(
        self,
        body: Mapping[str, Any],
        *,
        manager: str = MANAGER,
        force: bool = False,
        to_the_end: bool = False,
    ) -> Object:
        applied = await self._trying.asked(
            lambda seconds: applying.apply(
                self._client, body, manager=manager, force=force, seconds=seconds
            ),
            to_the_end=to_the_end,
        )
        return applied.object


def _is_overtaken(error: ClusterError) -> bool:
    """Whether it is not about what was sent, but about another object or state than was meant.

    A uid that is another object's is answered as a field that can't change, one that is nobody's
    as a conflict.
    """
    if error.fault is ClusterFault.CONFLICT:
        return not conflicts(error)
    return any(cause.field == "metadata.uid" for cause in error.causes)


def _meant(body: Mapping[str, Any], uid: str | None) -> Mapping[str, Any]:
    """The body for the object with this uid, and for no other that has its name."""
    if uid is None:
        return body
    return {**body, "metadata": {**body["metadata"], "uid": uid}}
