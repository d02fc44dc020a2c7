"""What pretended containers have said: lines by pod, container and run, a bounded number of each.

The pretended kubelet writes them (`store.logs.write(pod uid, container, run, text)`, where `run`
is the container's `restartCount`), `pods/<name>/log` reads them.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.sandbox.waiting import Bell

LINES = 1_000
RUNS = 5_000
"""Runs remembered in the whole cluster; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `number` counts from 0 within its run, so that a reader knows where it was."""

    number: int
    time: datetime
    text: str


class Logs:
    """The logs of every container."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._runs: OrderedDict[tuple[str, str, int], deque[Line]] = OrderedDict()
        self._bell = Bell()

    def write(self, uid: str, container: str, run: int, *texts: str) -> None:
        """Say some lines, now."""
        lines = self._runs.setdefault((uid, container, run), deque(maxlen=LINES))
        for text in texts:
            number = lines[-1].number + 1 if lines else 0
            lines.append(Line(number, self._now(), text))
        if len(self._runs) > RUNS:
            self._runs.popitem(last=False)
        self._bell.ring()

    def read(self, uid: str, container: str, run: int, after: int = -1) -> list[Line]:
        """The lines of one run with a number greater than `after`."""
        lines = self._runs.get((uid, container, run), ())
        return [line for line in lines if line.number > after]

    async def more(self) -> None:
        """Wait until anybody says anything."""
        await self._bell.heard()
