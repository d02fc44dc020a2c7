"""Counting what MongoDB is asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo import monitoring

_UNCOUNTED = {"hello", "ismaster", "ping", "endSessions", "killCursors", "getMore"}


class Commands(monitoring.CommandListener):
    """The commands that a client has sent, by name."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _UNCOUNTED:
            self.sent.append(event.command_name)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass

    @contextmanager
    def during(self) -> Iterator[list[str]]:
        """The commands sent meanwhile."""
        start = len(self.sent)
        counted: list[str] = []
        yield counted
        counted += self.sent[start:]


commands = Commands()
monitoring.register(commands)
