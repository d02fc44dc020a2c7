"""One sandbox cluster: its objects, its kinds, who may come in, and how fast time passes."""

from dataclasses import dataclass, field

from app.sandbox.authority import Authority
from app.sandbox.resources import Registry
from app.sandbox.store import Store

VERSION = "v1.36.0-sandbox"


@dataclass(frozen=True)
class SandboxSettings:
    """How a cluster is made."""

    token: str = field(repr=False)
    """The administrator's bearer token."""
    speed: float = 1.0
    """How many times faster than in a real cluster everything happens."""
    history: int = 10_000
    """At least how many writes a watch may have missed."""


class Cluster:
    """Everything that requests share. Streams end while `closing` is true."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.speed = settings.speed
        self.store = Store(history=settings.history)
        self.registry = Registry()
        self.authority = Authority(settings.token)
        self.closing = False

    def close(self) -> None:
        """End every open watch and log, and each that is asked for until the next start."""
        self.closing = True
        self.store.wake()
