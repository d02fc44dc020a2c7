"""What is done to one object of a run. Every step may be done twice, and changes nothing then."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from app.domain.errors import ClusterError, ClusterFault, Invalid
from app.domain.labels import MANAGER, WORKFLOW_ID, of_id
from app.domain.planning import ObjectKey, Owner, PlanAction, ownership
from app.domain.planning.conflicts import conflicts
from app.domain.planning.objects import Object, owner_labels, uid_of
from app.domain.planning.plan import moved as moved_since
from app.domain.planning.replicas import REPLICAS_MANAGER, ReplicasMove, ReplicasStep
from app.kube import applying
from app.kube.client import KubeClient
from app.kube.gathering import gather
from app.services.deploying.failing import (
    Failed,
    Failure,
    moved,
    not_applied,
    not_made_anew,
    not_removed,
    too_late,
)
from app.services.deploying.leaving import Tell, gone, named
from app.services.deploying.targets import Target
from app.services.deploying.trying import Late, Left, Trying, passes

_RACES = 5
"""How often an object is applied that others change at the same moment."""
_MOMENT = 1.0
"""Seconds for which a glance is believed."""
_GLANCE_SECONDS = 3.0
"""A glance that takes longer is given up: it is only a short cut."""
_FEW = 4
"""Objects that are looked at one by one."""
_THEIRS = "not this workflow's."
_OWNER_LABELS = frozenset(owner_labels(""))


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
        self._loop = asyncio.get_running_loop()
        self._absent: set[ObjectKey] = set()
        """What was not there a moment ago, which ends at `_until`."""
        self._until = 0.0

    async def glance(self, targets: Iterable[Target], *, at_once: int) -> None:
        """Looks at once at everything that is to be made: what is not there need not be looked at
        again by itself, for a moment."""
        keys = [
            target.key
            for target in targets
            if target.planned.action is PlanAction.CREATE and not target.is_done
        ]
        if len(keys) < _FEW:
            return
        try:
            found = await self._trying.asked(
                lambda seconds: self._gathered(keys, at_once, min(seconds, _GLANCE_SECONDS)),
                writes=False,
                once=True,
            )
        except (ClusterError, Invalid, Late, Left, TimeoutError):
            return  # each is looked at when its turn comes, and told of
        self._absent = {key for key, live in found.items() if live is None}
        self._until = self._loop.time() + _MOMENT

    async def _gathered(
        self, keys: list[ObjectKey], at_once: int, seconds: float
    ) -> Mapping[ObjectKey, Object | None]:
        selector = f"{WORKFLOW_ID}={of_id(self._workflow_id)}"
        async with asyncio.timeout(seconds):
            return await gather(self._client, keys, selector=selector, at_once=at_once)

    async def apply(self, target: Target, tell: Tell) -> Object:
        """Creates, updates or replaces it; the object as it is then."""
        planned = target.planned
        try:
            if planned.action is PlanAction.REPLACE and not planned.values:
                return await self._replace(target, tell)
            if planned.uid is None:
                return await self._create(target)
            if planned.replicas is not None:
                await self._move_replicas(planned.replicas, planned.uid)
            live = await self._put(target, planned.uid)
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

    async def look(self, key: ObjectKey, *, to_the_end: bool = False) -> Object | None:
        """The object as it is. Raises ClusterError, Late, Left."""
        return await self._trying.asked(
            lambda seconds: applying.read(self._client, named(key), seconds=seconds),
            writes=False,
            to_the_end=to_the_end,
        )

    async def _replace(self, target: Target, tell: Tell) -> Object:
        """Deletes exactly the planned object, and makes it anew; not left in the middle, unless
        something holds the old one."""
        key, uid = target.key, target.planned.uid
        if await self._delete(key, uid, to_the_end=True):
            try:
                await self._until_gone(target, tell, to_the_end=True)
            except Left:
                raise Failed(not_made_anew(key)) from None
        return await self._create(target, to_the_end=True)

    async def _create(self, target: Target, *, to_the_end: bool = False) -> Object:
        """Makes it. What has its name by now stays as it is, unless this workflow has made it: the
        process that was at it before may have died over it."""
        races, failures, last = 0, 0, None
        while True:
            try:
                live = await self._looked(target.key, to_the_end=to_the_end)
            except Late as late:
                raise Late(late.error or last) from late
            if live is not None:
                if ownership(live, self._workflow_id).owner is not Owner.OURS:
                    raise Failed(moved(f"{target.key} is on the cluster now, and is {_THEIRS}"))
                return await self._put(target, uid_of(live), to_the_end=to_the_end)
            try:
                return await self._make(target, to_the_end=to_the_end)
            except ClusterError as error:
                is_race = error.fault is ClusterFault.CONFLICT
                races += is_race
                if not passes(error) and (not is_race or races > _RACES):
                    raise
                last = error
            await self._trying.pause(failures, last.retry_after, to_the_end=to_the_end)
            failures += 1

    async def _looked(self, key: ObjectKey, *, to_the_end: bool) -> Object | None:
        """The object, from the glance if that is fresh."""
        if key in self._absent and self._loop.time() < self._until:
            self._absent.discard(key)
            return None
        return await self.look(key, to_the_end=to_the_end)

    async def _make(self, target: Target, *, to_the_end: bool) -> Object:
        """Applies what was not there a moment ago. An apply can't be told to make objects only: who
        was faster by that moment gets theirs back."""
        body = _manifest(target)
        applied = await self._trying.asked(
            lambda seconds: applying.apply(self._client, body, once=True, seconds=seconds),
            once=True,
            to_the_end=to_the_end,
        )
        if applied.created:
            return applied.object
        try:
            await self._give_back(target, uid_of(applied.object))
        except ClusterError as error:
            told = f"What was written to it could not be taken back: {error.message}"
        else:
            told = "What was written to it was taken back."
        raise Failed(moved(f"{target.key} was made at the same moment, and is {_THEIRS} {told}"))

    async def _give_back(self, target: Target, uid: str | None) -> None:
        """Gives up every field, or at least the labels that make it this workflow's: some objects
        can't do without what only we say."""
        try:
            await self._send(_meant(_bare(target.key), uid), to_the_end=True)
        except ClusterError as error:
            if error.fault is not ClusterFault.INVALID:
                raise
            await self._send(_meant(_without_owner(_manifest(target)), uid), to_the_end=True)

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
            live = await self.look(key, to_the_end=to_the_end)
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

    async def _put(self, target: Target, uid: str | None, *, to_the_end: bool = False) -> Object:
        """Applies the manifest to the object with this uid; again when somebody else was at it at
        the same moment."""
        body, force = _meant(_manifest(target), uid), target.planned.force
        for race in range(_RACES):
            try:
                return await self._send(body, force=force, to_the_end=to_the_end)
            except ClusterError as error:
                if not _is_overtaken(error):
                    raise
                last = error
            live_uid = uid_of(await self.look(target.key, to_the_end=to_the_end))
            if live_uid != uid:
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


def _manifest(target: Target) -> Object:
    if target.manifest is None:
        raise AssertionError(f"{target.key} is to be deleted")
    return target.manifest.object


def _bare(key: ObjectKey) -> Object:
    """A body that says nothing but which object is meant."""
    body = named(key)
    return {**body, "metadata": {k: v for k, v in body["metadata"].items() if v is not None}}


def _without_owner(body: Object) -> Object:
    metadata = body["metadata"]
    kept = {k: v for k, v in metadata.get("labels", {}).items() if k not in _OWNER_LABELS}
    return {**body, "metadata": {**metadata, "labels": kept}}


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
