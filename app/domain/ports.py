"""Names for the ports of Services: several need one each, and no two the same."""

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

from app.domain import pod


class _Port(Protocol):
    @property
    def name(self) -> str | None: ...
    @property
    def port(self) -> int: ...
    @property
    def protocol(self) -> pod.Protocol: ...


_AnyPort = TypeVar("_AnyPort", bound=_Port)


def named(ports: Sequence[_AnyPort]) -> Iterator[tuple[_AnyPort, str]]:
    """Each port with its name; those without one are called after their number."""
    taken = {port.name for port in ports}
    for port in ports:
        name = port.name or f"port-{port.port}-{port.protocol.lower()}"
        while port.name is None and name in taken:
            name += "-x"
        taken.add(name)
        yield port, name
