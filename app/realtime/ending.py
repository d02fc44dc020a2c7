"""Why a stream ends before its time: said once, from outside, to whoever is waiting."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from app.domain.events import EndReason


class Ending:
    """The end of a caller's welcome. Until somebody says why, there is no reason.

    One that is `within` another ends with it, and perhaps sooner.
    """

    def __init__(self, within: "Ending | None" = None) -> None:
        self._within = within
        self._reason: EndReason | None = None
        self._bells: set[asyncio.Event] = set()

    @property
    def reason(self) -> EndReason | None:
        """Why it has ended; None while it has not."""
        if self._reason is None and self._within is not None:
            return self._within.reason
        return self._reason

    @property
    def heard(self) -> bool:
        """Whether anybody waits for it."""
        return bool(self._bells)

    def say(self, reason: EndReason) -> None:
        """Ends it. The first reason stays."""
        if self.reason is None:
            self._reason = reason
            for bell in self._bells:
                bell.set()

    @contextmanager
    def listening(self, bell: asyncio.Event) -> Iterator[None]:
        """Rings `bell` when the reason is known, at once when it already is."""
        within = self._within.listening(bell) if self._within is not None else nullcontext()
        self._bells.add(bell)
        if self.reason is not None:
            bell.set()
        try:
            with within:
                yield
        finally:
            self._bells.discard(bell)
