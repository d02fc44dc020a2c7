"""Whom we talk to, for error messages, and what must not be in them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

_READ = 65_536
_SHORTEST_LINE = 16


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`name` is host and port; `secrets` are the texts that prove who we are."""

    name: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, name: str, secrets: Iterable[str | None]) -> "Endpoint":
        """Keys of many lines count line by line as well: messages are cut anywhere."""
        texts = [text for text in secrets if text]
        lines = [
            line.strip()
            for text in texts
            for line in text.splitlines()
            if len(line.strip()) >= _SHORTEST_LINE and not line.startswith("-----")
        ]
        return cls(name, tuple(sorted({*texts, *lines}, key=len, reverse=True)))

    def clean(self, text: str, *, most: int = 500) -> str:
        """What a server said, fit for a message: printable, short, and without our secrets."""
        text = text[:_READ]
        for secret in self.secrets:
            text = text.replace(secret, "***")
        printable = "".join(letter if letter.isprintable() else " " for letter in text)
        words = " ".join(printable.split())
        return words if len(words) <= most else f"{words[: most - 1]}…"
