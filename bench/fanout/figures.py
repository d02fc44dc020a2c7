"""What one run has measured, and how runs are laid side by side."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

MILLI = 1e3


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all are not above; `values` are sorted."""
    return values[max(math.ceil(share * len(values)) - 1, 0)]


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def worked(pid: int) -> float:
    """Seconds of processor time that a process has used, in all its threads."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


@dataclass(frozen=True, kw_only=True)
class Run:
    """One contestant, once. Seconds and bytes; lags are sorted, one per event and subscriber."""

    subscribers: int
    seconds_to_subscribe: float
    """With the start of the listeners' processes."""
    bytes_per_subscriber: float
    mongod_bytes_per_subscriber: float
    sent_to_socket: Sequence[float]
    """From the client's sending of the edit."""
    written_to_socket: Sequence[float]
    """From `at`, which each server takes just before its transaction."""
    last_to_hear: Sequence[float]
    """From the sending of an edit until its last subscriber has it."""
    answers: Sequence[float]
    """From the sending of an edit to its answer."""
    server_work: float
    mongod_work: float
    listeners_work: float
    """Processor seconds per event."""
    events_per_second: float


Figure = tuple[str, str, Callable[[Run], float]]

FIGURES: Sequence[Figure] = (
    ("time to subscribe all", "s", lambda r: r.seconds_to_subscribe),
    ("server memory per subscriber", "KiB", lambda r: r.bytes_per_subscriber / 1024),
    ("mongod memory per subscriber", "KiB", lambda r: r.mongod_bytes_per_subscriber / 1024),
    ("commit to socket, median", "ms", lambda r: MILLI * quantile(r.written_to_socket, 0.5)),
    ("commit to socket, 99 %", "ms", lambda r: MILLI * quantile(r.written_to_socket, 0.99)),
    ("commit to socket, worst", "ms", lambda r: MILLI * r.written_to_socket[-1]),
    ("edit sent to socket, median", "ms", lambda r: MILLI * quantile(r.sent_to_socket, 0.5)),
    ("edit sent to socket, 99 %", "ms", lambda r: MILLI * quantile(r.sent_to_socket, 0.99)),
    ("edit sent to last socket", "ms", lambda r: MILLI * statistics.median(r.last_to_hear)),
    ("edit sent to its answer", "ms", lambda r: MILLI * statistics.median(r.answers)),
    ("server work per event", "ms", lambda r: MILLI * r.server_work),
    ("mongod work per event", "ms", lambda r: MILLI * r.mongod_work),
    ("listeners' work per event", "ms", lambda r: MILLI * r.listeners_work),
    ("events per second", "", lambda r: r.events_per_second),
)


def table(runs: dict[str, list[Run]]) -> Iterable[str]:
    """Medians over the rounds, with the extremes, and each one's ratio to ours: Markdown."""
    names = [name for name in runs if runs[name]]
    others = [name for name in names if name != "ours"] if "ours" in names else []
    heads = [f"{name}, {runs[name][0].subscribers:,} subscribers" for name in names]
    yield "| | " + " | ".join([*heads, *(f"{name} / ours" for name in others)]) + " |"
    yield "|---" + "|---:" * (len(names) + len(others)) + "|"
    for title, unit, value in FIGURES:
        medians = {name: statistics.median(map(value, runs[name])) for name in names}
        cells = [_cell(sorted(map(value, runs[name]))) for name in names]
        cells += [f"{medians[name] / medians['ours']:.2f}" for name in others]
        label = f"{title} ({unit})" if unit else title
        yield f"| {label} | " + " | ".join(cells) + " |"


def _cell(values: Sequence[float]) -> str:
    median = f"{statistics.median(values):.3g}"
    return f"{median} ({values[0]:.3g} to {values[-1]:.3g})" if len(values) > 1 else median
