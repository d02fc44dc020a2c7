"""How tasks wait for something to happen without asking again and again."""

import asyncio


class Bell:
    """Wakes everybody who waits at the moment when it is rung."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def heard(self) -> None:
        await self._next.wait()
