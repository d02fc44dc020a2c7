"""Lines of container logs: when they were written, what they say, and whether they came before.

What a container writes is anybody's: bytes that are no text, codes that steer terminals, lines
without end. What comes out here is one line of plain text of a bounded length.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LONGEST = 16 * 1024
"""Bytes of a line that are kept; the rest of it is not read into memory."""
_STAMP = 64
LONGEST_READ = LONGEST + _STAMP
"""The same with the time in front."""
_CUT = "…"

_STAMPED = re.compile(
    rb"(?P<second>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<rest>[0-9]{1,9}))?"
    rb"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})(?: |$)"
)
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # a colour, a movement of the cursor
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # a title, a link, a message to the terminal
    r"|[ -/]*[0-~])"
)
# Tabs are kept. Marks that turn the direction of text around could show another line than it is.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `stamp` is its time in nanoseconds, because many lines share a microsecond."""

    stamp: int | None
    at: datetime | None
    text: str


def read_line(raw: bytes) -> Line:
    """A line as the API server sends it with `timestamps=true`, without its end."""
    match = _STAMPED.match(raw)
    if match is None:
        return Line(None, None, _clean(raw))
    try:
        second = datetime.fromisoformat((match["second"] + match["zone"]).decode())
        moment = second.astimezone(UTC)
    except (ValueError, OverflowError):  # such as the 30th of February
        return Line(None, None, _clean(raw))
    nanoseconds = int((match["rest"] or b"0").ljust(9, b"0"))
    stamp = int(moment.timestamp()) * 10**9 + nanoseconds
    at = moment.replace(microsecond=nanoseconds // 1000)
    return Line(stamp, at, _clean(raw[match.end() :]))


def _clean(raw: bytes) -> str:
    text = raw[:LONGEST].removesuffix(b"\r").decode(errors="replace")
    text = _CONTROLS.sub(" ", _ESCAPES.sub("", text))
    return f"{text}{_CUT}" if len(raw) > LONGEST else text


class Cursor:
    """Where a reader is in one log, so that it can go on there after the connection broke.

    The API server is asked for lines since a second, and sends again what came in that second.
    """

    def __init__(self) -> None:
        self._stamp: int | None = None
        self._count = 0
        self._last = ""
        self._left = 0
        self._again = False

    @property
    def since(self) -> str | None:
        """The second to go on from, as the API wants it; None when nothing was read."""
        if self._stamp is None:
            return None
        return f"{datetime.fromtimestamp(self._stamp // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}"

    def is_within(self, began: datetime | None, length: timedelta) -> bool:
        """Whether the last line is of so short a time after a moment."""
        if self._stamp is None or began is None:
            return False
        last = datetime.fromtimestamp(self._stamp // 10**9, UTC)
        return timedelta() <= last - began < length

    def reopen(self) -> None:
        """The log is about to be read again from `since`."""
        self._again, self._left = self._stamp is not None, self._count

    def is_new(self, line: Line) -> bool:
        """Whether the line, the next one that was read, has not come before."""
        if line.stamp is None:
            return True
        if self._again and self._stamp is not None:
            if line.stamp < self._stamp:
                return False
            if line.stamp == self._stamp and self._left:
                self._left -= 1
                # The connection may have broken in the middle of the last one.
                longer = line.text != self._last and line.text.startswith(self._last)
                if self._left or not longer:
                    return False
                self._last = line.text
                return True
        self._again = False
        self._count = self._count + 1 if line.stamp == self._stamp else 1
        self._stamp, self._last = line.stamp, line.text
        return True
