"""An object as it was seen on the cluster, with what belongs to it.

What an API server sends is not ours: a field can be missing, null or of another type, and is then
taken for not said. Nothing here raises for any JSON.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

Object = Mapping[str, Any]
"""A Kubernetes object, or a part of one, as parsed JSON."""

_NOTHING: Object = {}
_LIMIT = 600
_UNFIT = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")
# Words of operators, volume drivers and registries may quote an address or an option with a
# password in it.
_CREDENTIALS = re.compile(
    r"(?i)(://)[^/\s@]{1,400}@|(\bbearer )\s{0,3}[^\s\"',;]+|"
    r"((?:password|passwd|pwd|token|secret|api[-_]?key|credentials?)[\w-]{0,40}"
    r"[\"']?\s{0,3}(?:=|:\s{0,3}[\"'])\s{0,3}[\"']?)[^\s\"',;&)]+"
)


def part(value: object, *path: str) -> Object:
    """The mapping at a path; an empty one when there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else _NOTHING


def word(value: Object, name: str) -> str:
    """A text of the API's own: a name, a reason, a phase. Empty when there is none."""
    found = value.get(name)
    if type(found) is not str:
        return ""
    return found if found.isprintable() and len(found) <= 253 else plain(found)[:253]


def number(value: Object, name: str, default: int = 0) -> int:
    """A count. Not said, or not a number from zero: the default."""
    found = value.get(name)
    return found if type(found) is int and 0 <= found < 2**63 else default


def listed(value: Object, name: str) -> Iterator[Object]:
    """The mappings of a list."""
    found = value.get(name)
    if type(found) is list:
        for item in found:
            if isinstance(item, dict):
                yield item


def time(value: Object, name: str) -> datetime | None:
    """A moment, with its zone."""
    found = value.get(name)
    if type(found) is not str:
        return None
    try:
        moment = datetime.fromisoformat(found)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def plain(found: object) -> str:
    """A text of the cluster as part of a sentence: one line, not long, without credentials."""
    if type(found) is not str:
        return ""
    line = _UNFIT.sub(" ", found[: 4 * _LIMIT]).strip()
    line = _CREDENTIALS.sub(lambda match: f"{match[1] or match[2] or match[3]}***", line)
    line = f"{line[: _LIMIT - 1]}…" if len(line) > _LIMIT else line
    return line.rstrip(" .")


def said(value: Object, name: str = "message") -> str:
    """The words of a condition, an event or a container state, without the last full stop."""
    return plain(value.get(name))


class Seen:
    """An object with everything that a rule may look at.

    `related` are objects that belong to it, of any kinds, of which rules look at pods, ReplicaSets,
    a CronJob's Jobs, a Service's EndpointSlices and a claim's StorageClass. An object of a list
    whose `kind` was not filled in is taken for a pod.
    """

    __slots__ = (
        "_conditions",
        "_events",
        "_told",
        "metadata",
        "name",
        "now",
        "object",
        "related",
        "spec",
        "status",
        "wakes",
    )

    def __init__(
        self, obj: Object, related: Iterable[Object], events: Iterable[Object], now: datetime
    ) -> None:
        self.object = obj
        self.metadata = part(obj, "metadata")
        self.spec = part(obj, "spec")
        self.status = part(obj, "status")
        self.name = word(self.metadata, "name")
        self.related = related
        self.now = now
        self.wakes: float | None = None
        self._events = events
        self._told: dict[str, list[Object]] | None = None
        self._conditions: dict[str, Object] | None = None

    @property
    def uid(self) -> str:
        return word(self.metadata, "uid")

    def condition(self, type_: str) -> Object:
        """The first condition of a type; empty when there is none."""
        if self._conditions is None:
            self._conditions = {}
            for condition in listed(self.status, "conditions"):
                self._conditions.setdefault(word(condition, "type").strip(), condition)
        return self._conditions.get(type_, _NOTHING)

    def holds(self, type_: str) -> bool:
        """Whether the condition of a type is true."""
        return self.condition(type_).get("status") == "True"

    def of_kind(self, kind: str) -> Iterator[Object]:
        """The related objects of a kind."""
        for obj in self.related:
            if isinstance(obj, dict) and (obj.get("kind") or "Pod") == kind:
                yield obj

    def past(self, since: datetime | None, seconds: float) -> bool:
        """Whether so many seconds have gone by. An unknown beginning is long ago."""
        if since is None:
            return True
        left = seconds - (self.now - since).total_seconds()
        if left <= 0:
            return True
        self.wakes = left if self.wakes is None else min(self.wakes, left)
        return False

    def told(self, obj: Object, *reasons: str) -> list[str]:
        """The words of the events about an object that have one of the reasons, newest first."""
        found = [
            (happened(event), said(event) or said(event, "note"))
            for event in self._about(obj)
            if word(event, "reason") in reasons
        ]
        found.sort(key=lambda entry: entry[0], reverse=True)
        return [words for _, words in found if words]

    def _about(self, obj: Object) -> list[Object]:
        if self._told is None:
            self._told = {}
            for event in self._events:
                if not isinstance(event, dict):
                    continue
                about = part(event, "involvedObject") or part(event, "regarding")
                key = word(about, "uid") or _called(about, about)
                self._told.setdefault(key, []).append(event)
        if not self._told:
            return []
        metadata = part(obj, "metadata")
        uid = self._told.get(word(metadata, "uid"), [])
        return uid + self._told.get(_called(obj, metadata), [])


def _called(obj: Object, metadata: Object) -> str:
    return f"{word(obj, 'kind') or 'Pod'} {word(metadata, 'name')}"


_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


def happened(event: Object) -> datetime:
    """When an event came last; long ago when it does not say."""
    return (
        time(part(event, "series"), "lastObservedTime")
        or time(event, "lastTimestamp")
        or time(event, "eventTime")
        or time(part(event, "metadata"), "creationTimestamp")
        or _LONG_AGO
    )
