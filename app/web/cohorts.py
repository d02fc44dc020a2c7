"""Subscribers who ask the same of the same event, with the same rights, share one answer.

The first who comes for it has it executed and encoded; the others get the same bytes. Whoever
leaves meanwhile takes nothing from the rest.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from app.metrics import Metrics
from app.web.responses import Outcome, Reply

MOST_BYTES: Final = 2**24
"""Answers kept for those who read more slowly: 16 MiB."""
OVERHEAD: Final = 1_024
"""Bytes that an answer takes beside its text: small ones must not become countless."""


class Cohorts:
    """The answers to the newest events, by who asks what of which event. Keys are to be small."""

    def __init__(self, metrics: Metrics, *, most_bytes: int = MOST_BYTES) -> None:
        self._metrics = metrics
        self._most_bytes = most_bytes
        self._made: OrderedDict[Hashable, Reply] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Reply]] = {}
        self._bytes = 0

    async def reply(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        """What `make` makes of `key`; made once for all who ask while it is known."""
        made = self._made.get(key)
        if made is not None:
            self._made.move_to_end(key)
            return made
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(key, make))
        return await asyncio.shield(task)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Reply]]) -> Reply:
        self._metrics.executions.inc()
        try:
            reply = await make()
        finally:
            del self._making[key]
        if reply.outcome is Outcome.DONE:
            # What failed for one may not fail for the next.
            self._keep(key, reply)
        return reply

    def _keep(self, key: Hashable, reply: Reply) -> None:
        self._made[key] = reply
        self._bytes += len(reply.body) + OVERHEAD
        while self._bytes > self._most_bytes:
            _, dropped = self._made.popitem(last=False)
            self._bytes -= len(dropped.body) + OVERHEAD
