"""A few looks at a time for each person: one look may hold tens of megabytes of what a cluster
says, and one query can ask for many."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from app.domain.ids import Id

AT_ONCE = 2


class Turns:
    """Whose turn it is; one person's looks never wait for another's."""

    def __init__(self) -> None:
        self._of: WeakValueDictionary[Id, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def taken(self, person: Id) -> AsyncIterator[None]:
        """Waits for one."""
        mine = self._of.get(person)
        if mine is None:
            mine = self._of[person] = asyncio.Semaphore(AT_ONCE)
        async with mine:
            yield
