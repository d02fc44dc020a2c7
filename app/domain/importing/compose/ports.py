"""Ports: which the container listens on, and under which number they are published."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from app.domain.importing.compose.part import Part
from app.domain.pod import Protocol

_SHORT = re.compile(
    r"(?:(?:(?P<host>\[[0-9A-Fa-f:.%]+\]|[0-9.]*|[A-Za-z][\w.-]*):)?"
    r"(?P<published>[0-9]{1,5}(?:-[0-9]{1,5})?)?:)?"
    r"(?P<target>[0-9]{1,5}(?:-[0-9]{1,5})?)(?:/(?P<protocol>[A-Za-z]+))?"
)
_MOST = 64
"""Ports of one entry."""
_MOST_IN_ALL = 256
_MOST_LOOKED_AT = 16 * _MOST_IN_ALL
"""Ports that are read, those that are there already too."""
_SAYS = "Write a port such as 8080, 8080:80 or 127.0.0.1:8080:80/udp: it is left out."


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A port of the container; `published` is the number on the host, when one is given."""

    target: int
    part: Part
    protocol: Protocol = Protocol.TCP
    published: int | None = None
    name: str | None = None
    app_protocol: str | None = None
    is_exposed_only: bool = False
    on_each_node: bool = False


def read_ports(service: Part) -> list[PublishedPort]:
    """What `ports` and `expose` say, each port of the container with each number once."""
    bounded = _Bounded()
    ports = bounded.ports
    said = service.get("ports")
    for part in said.items() if said is not None else ():
        for port in bounded.read(_long(part) if isinstance(part.value, dict) else _short(part)):
            ports.setdefault((port.target, port.protocol, port.published), port)
    targets = {(port.target, port.protocol) for port in ports.values()}
    exposed = service.get("expose")
    for part in exposed.items() if exposed is not None else ():
        for port in bounded.read(_short(part, is_exposed_only=True)):
            if (port.target, port.protocol) not in targets:
                ports.setdefault((port.target, port.protocol, None), port)
    return list(ports.values())


@dataclass(slots=True)
class _Bounded:
    """As many ports as a container has, and not many more that are looked at."""

    ports: dict[tuple[int, Protocol, int | None], PublishedPort] = field(default_factory=dict)
    looked_at: int = 0

    def read(self, said: Iterable[PublishedPort]) -> Iterator[PublishedPort]:
        for port in said:
            self.looked_at += 1
            if len(self.ports) >= _MOST_IN_ALL or self.looked_at > _MOST_LOOKED_AT:
                port.part.ignored("A container has no more ports: it is left out.")
                return
            yield port


def _short(part: Part, *, is_exposed_only: bool = False) -> Iterator[PublishedPort]:
    text = part.text()
    if text is None:
        return
    match = _SHORT.fullmatch(text.strip())
    targets = _numbers(match["target"] if match else "")
    protocol = _protocol(match["protocol"] if match else None)
    if match is None or not targets or protocol is None:
        part.ignored(_SAYS)
        return
    published: Sequence[int | None] = [None] * _MOST
    if match["published"]:
        numbers = _numbers(match["published"])
        if len(numbers) == len(targets):
            published = numbers
        elif not numbers or len(targets) > 1:
            part.ignored("Publish as many ports as the container has: the entry is left out.")
            return
    for target, number in zip(targets[:_MOST], published, strict=False):
        yield PublishedPort(target, part, protocol, number, is_exposed_only=is_exposed_only)
    if len(targets) > _MOST:
        part.ignored(f"Only the first {_MOST} ports of the range are kept.")


def _long(part: Part) -> Iterator[PublishedPort]:
    target, published = part.get("target"), part.get("published")
    targets = _numbers((target.text() if target is not None else None) or "")
    said, mode = part.get("protocol"), part.get("mode")
    protocol = _protocol(said.text() if said is not None else None)
    if not targets or protocol is None:
        part.ignored("Write the container's port as target, and tcp, udp or sctp as protocol.")
        return
    if (host := part.get("host_ip")) is not None:
        host.done()
    numbers = _numbers((published.text() if published is not None else None) or "")
    name, app = part.get("name"), part.get("app_protocol")
    number = numbers[0] if len(numbers) == 1 else None
    yield PublishedPort(
        targets[0],
        part,
        protocol,
        number,
        name=name.text() if name is not None else None,
        app_protocol=app.text() if app is not None else None,
        on_each_node=mode is not None and mode.text() == "host",
    )


def _numbers(text: str) -> range:
    """A port or a range of ports; empty when it is neither."""
    match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text.strip())
    if match is None:
        return range(0)
    first = int(match[1])
    last = int(match[2] or match[1])
    return range(first, last + 1) if 1 <= first <= last <= 65535 else range(0)


def _protocol(text: str | None) -> Protocol | None:
    word = (text or "tcp").upper()
    return Protocol(word) if word in set(Protocol) else None
