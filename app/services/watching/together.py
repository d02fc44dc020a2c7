"""Work that is done once for all who want it at the same time, as long as anybody waits for it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.domain.ids import Id

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Shared(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class Together(Generic[T]):
    """What is under way, by what it is about."""

    def __init__(self) -> None:
        self._shared: dict[Id, _Shared[T]] = {}
        self._tasks: set[asyncio.Task[T]] = set()

    async def do(self, about: Id, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work` comes to, begun now or by somebody before. The last who stops waiting ends
        it."""
        shared = self._shared.get(about)
        if shared is None:
            shared = self._shared[about] = _Shared(asyncio.create_task(work()))
            self._tasks.add(shared.task)
            shared.task.add_done_callback(self._done)
        shared.waiting += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if shared.task.done() or not shared.waiting:
                shared.task.cancel()
                if self._shared.get(about) is shared:  # who comes now begins anew
                    del self._shared[about]

    async def close(self) -> None:
        """Breaks off what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits has it; when nobody does any more, it is nobody's
