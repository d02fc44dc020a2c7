"""uvicorn's HTTP protocol, for clients that take their time: a request's head must come soon.

uvicorn itself waits for ever, and a connection that has sent half a head counts in no other limit.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PatientProtocol(HttpToolsProtocol):
    """Closes connections whose next request has begun but never gets to the point."""

    head_seconds: float
    """From the connection, or from a request's first byte, to the end of its head."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A connection without a request is worth no more than one with half of it."""
        super().connection_made(transport)
        self._expect()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._expect()

    def on_headers_complete(self) -> None:
        """The head is there; what follows has limits of its own."""
        self._relax()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever left is waited for no longer."""
        self._relax()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._relax()
        self._due = self.loop.call_later(self.head_seconds, self.transport.close)

    def _relax(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


def patient(seconds: float) -> type[PatientProtocol]:
    """The protocol with a deadline; uvicorn makes the instances itself."""
    return type("PatientProtocol", (PatientProtocol,), {"head_seconds": seconds})
