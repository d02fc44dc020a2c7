"""Turns: how many clusters are asked at the same time, and whose.

A cluster that does not answer keeps its turn until the deadline. So one cluster, and all clusters
of one owner together, have only a part of all turns: nobody can take those of everybody.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from app.domain.cluster import Cluster
from app.domain.errors import RateLimited

_OF_OWNER = 4
"""One owner's clusters have at most a quarter of all turns."""
_OF_CLUSTER = 2
_SOON = 10
"""Seconds after which it is worth trying again."""
_BUSY = "This cluster is asked too much now, by you or by others. Try again in a moment."


class Turns:
    """`most` at once. `patience` is how many seconds one waits for a turn; None waits for ever."""

    def __init__(self, *, most: int, patience: float | None) -> None:
        self._of_owner = max(1, most // _OF_OWNER)
        self._patience = patience
        self._all = asyncio.Semaphore(most)
        self._gates: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, cluster: Cluster) -> AsyncIterator[None]:
        """A turn for as long as the block. Raises RateLimited when it does not come."""
        # Who waits for a turn of all holds only turns that are their own.
        gates = (
            self._gate(f"cluster {cluster.id}", _OF_CLUSTER),
            self._gate(f"owner {cluster.owner_id}", self._of_owner),
            self._all,
        )
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._patience):
                    for gate in gates:
                        await stack.enter_async_context(gate)
            except TimeoutError:
                raise RateLimited(_BUSY, retry_after=_SOON) from None
            yield

    def _gate(self, name: str, most: int) -> asyncio.Semaphore:
        gate = self._gates.get(name)
        if gate is None:
            gate = self._gates[name] = asyncio.Semaphore(most)
        return gate
