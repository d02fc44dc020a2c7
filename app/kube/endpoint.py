"""Whom we talk to, for error messages, and what must not be in them."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

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
        plain = {*texts, *lines}
        every = plain.union(*map(_spellings, plain))
        return cls(name, tuple(sorted(every, key=len, reverse=True)))

    def clean(self, text: str, *, most: int = 500) -> str:
        """What a server said, fit for a message: printable, short, and without our secrets."""
        text = self._masked(text)
        # What does not show may stand in the midst of a secret.
        shown = "".join(letter for letter in text if letter.isprintable() or letter.isspace())
        text = text if self._masked(shown) == shown else self._masked(shown)
        printable = "".join(letter if letter.isprintable() else " " for letter in text[:_READ])
        words = " ".join(printable.split())
        return words if len(words) <= most else f"{words[: most - 1]}…"

    def _masked(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def _spellings(secret: str) -> set[str]:
    """Other ways to write it: those of URLs and forms, and base64."""
    raw = secret.encode()
    encoded = {base64.b64encode(raw), base64.urlsafe_b64encode(raw)}
    padless = {one.decode().rstrip("=") for one in encoded}
    return {quote(secret), quote(secret, safe=""), quote_plus(secret), *padless}
