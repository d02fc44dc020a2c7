"""Why a stream ends before its time: said once, from outside, to whoever is waiting."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.events import EndReason


class Ending:
    """The end of a caller's welcome. Until somebody says why, there is no reason."""

    def __init__(self) -> None:
        self.reason: EndReason | None = None
        self._bells: set[asyncio.Event] = set()

    @property
    def heard(self) -> bool:
        """Whether anybody waits for it."""
        return bool(self._bells)

    def say(self, reason: EndReason) -> None:
        """Ends it. The first reason stays."""
        if self.reason is None:
            self.reason = reason
            for bell in self._bells:
                bell.set()

    @contextmanager
    def listening(self, bell: asyncio.Event) -> Iterator[None]:
        """Rings `bell` when the reason is known, at once when it already is."""
        self._bells.add(bell)
        if self.reason is not None:
            bell.set()
        try:
            yield
        finally:
            self._bells.discard(bell)
