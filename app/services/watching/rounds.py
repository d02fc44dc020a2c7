"""Looking for drifts again and again, where this process looks after the cluster anyway."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from pymongo.errors import PyMongoError

from app.documents.drifts import DriftStore
from app.domain.errors import DomainError
from app.domain.ids import Id
from app.domain.inventory import Inventory
from app.services.watching.deployed import Deployed
from app.services.watching.drifting import Drifts

log = structlog.get_logger("kubeorch.status")

_OUTAGE_PAUSE = 5.0
_Deploy = tuple[int | None, datetime]
"""What a look is good for: the version, and when it was deployed."""


class Rounds:
    """Checks what is deployed on one cluster, one workflow at a time. `every` is the pause between
    two checks of one workflow, a little different each time, lest all come at once."""

    def __init__(
        self,
        *,
        drifts: Drifts,
        store: DriftStore,
        every: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._drifts = drifts
        self._store = store
        self._every = every
        self._now = now

    async def make(self, deployed: Deployed, changed: asyncio.Event) -> None:
        """Goes on until it is cancelled. `changed` rings when other things are deployed."""
        due: dict[Id, tuple[_Deploy, datetime]] = {}
        while True:
            changed.clear()
            try:
                await self._plan(deployed, due)
                first = min(due, key=lambda id_: due[id_][1], default=None)
                if first is None or due[first][1] > self._now():
                    await self._until(None if first is None else due[first][1], changed)
                    continue
                inventory = deployed.here[first]
                due[first] = (_deploy(inventory), self._now() + self._next())
                await self._drifts.look(inventory)
            except DomainError as error:
                # The monitor says how the cluster is.
                log.info("status.undrifted", workflow=first, error=error.message)
            except PyMongoError as error:
                log.warning("status.waiting", error=str(error))
                await asyncio.sleep(_OUTAGE_PAUSE)
            except Exception:
                log.exception("status.undrifted", workflow=first)

    async def _plan(self, deployed: Deployed, due: dict[Id, tuple[_Deploy, datetime]]) -> None:
        """When each workflow is to be looked at, of which a version is deployed."""
        there = {id_: one for id_, one in deployed.here.items() if one.version is not None}
        for id_ in due.keys() - there.keys():
            del due[id_]
        new = [id_ for id_, one in there.items() if id_ not in due or due[id_][0] != _deploy(one)]
        if not new:
            return
        known = await self._store.of(new)
        for id_ in new:
            last = known.get(id_)
            since = self._now()
            if last is not None and last.version == there[id_].version:
                since = last.drift.checked_at
            due[id_] = (_deploy(there[id_]), since + self._next())

    def _next(self) -> timedelta:
        return self._every * random.uniform(0.8, 1.2)  # noqa: S311

    async def _until(self, moment: datetime | None, changed: asyncio.Event) -> None:
        seconds = None if moment is None else max((moment - self._now()).total_seconds(), 0.01)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await changed.wait()


def _deploy(inventory: Inventory) -> _Deploy:
    return (inventory.version, inventory.updated_at)
