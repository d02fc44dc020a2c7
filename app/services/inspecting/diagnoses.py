"""Diagnoses: what is wrong with a node, asked of its cluster round by round.

What a check wants to see may hang on what another look has brought, so it is read and decided in
turn, until nothing is unseen.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from itertools import islice

from app.domain.diagnosing import Look, Scene, Sight, diagnose
from app.domain.errors import ClusterError, ClusterFault
from app.domain.inspecting import Diagnosis
from app.services.checking import Connect
from app.services.inspecting.looking import Looking
from app.services.inspecting.whereabouts import Whereabouts

_ROUNDS = 5
_MOST_LOOKS = 150
_MOST_OBJECTS = 50
"""Objects of one node that are looked at."""
_SECONDS = 20.0
"""Of a whole diagnosis."""
_TOO_MANY = Sight(hidden="There is too much to look at.")


class Diagnoses:
    """Makes diagnoses."""

    def __init__(self, *, connect: Connect, now: Callable[[], datetime]) -> None:
        self._connect = connect
        self._now = now

    async def diagnose(self, node_id: str, where: Whereabouts | None) -> Diagnosis:
        """What is wrong with a node, if anything. Raises ClusterError."""
        if where is None:
            return diagnose(node_id, Scene((), self._now()))
        try:
            async with asyncio.timeout(_SECONDS), self._connect(where.cluster) as client:
                return await self._look(node_id, where, Looking(client, held_to=where.held_to))
        except TimeoutError:
            raise ClusterError(
                ClusterFault.TIMED_OUT,
                f"The cluster did not tell enough within {_SECONDS:.0f} s. Try again.",
            ) from None

    async def _look(self, node_id: str, where: Whereabouts, looking: Looking) -> Diagnosis:
        keys = [entry.key for entry in where.entries[:_MOST_OBJECTS]]
        subjects = await looking.subjects(keys)
        sights: dict[Look, Sight] = {}
        for _ in range(_ROUNDS):
            scene = Scene(subjects, self._now(), sights)
            diagnosis = diagnose(node_id, scene)
            if not scene.unseen:
                break
            wanted = list(islice(scene.unseen, max(_MOST_LOOKS - len(sights), 0)))
            sights |= dict.fromkeys(scene.unseen, _TOO_MANY)
            sights |= await looking.sights(wanted)
        return diagnosis
