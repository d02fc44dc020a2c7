"""Names that Kubernetes takes, made of those that compose takes, and no name twice."""

import re
from collections.abc import Iterable

_LIMIT = 63


def dns_label(text: str, *, fallback: str, limit: int = _LIMIT) -> str:
    """The nearest name of a Service: lower-case letters, digits and '-', beginning with a letter.

    Every object can be called so.
    """
    label = re.sub("[^a-z0-9]+", "-", text[:512].lower()).strip("-")
    if not label:
        label = fallback
    if not label[0].isalpha():
        label = f"{fallback}-{label}"
    return label[:limit].rstrip("-")


class Names:
    """The names that are taken."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def take(self, wanted: str, *, limit: int = _LIMIT) -> str:
        """The name, or the first of `name-2`, `name-3` … that is free."""
        name, number = wanted[:limit].rstrip("-"), self._numbers.get(wanted, 1)
        while name in self._taken:
            number += 1
            end = f"-{number}"
            name = f"{wanted[: limit - len(end)].rstrip('-')}{end}"
        self._taken.add(name)
        self._numbers[wanted] = number
        return name

    def reserve(self, name: str) -> bool:
        """Takes a name as it is; False when somebody has it."""
        if name in self._taken:
            return False
        self._taken.add(name)
        return True


def dns_labels(wanted: Iterable[str], *, fallback: str, limit: int = _LIMIT) -> dict[str, str]:
    """A name for each text; those that are names already keep them."""
    texts = list(wanted)
    names = Names()
    made: dict[str, str] = {}
    exact = [t for t in texts if dns_label(t, fallback=fallback, limit=limit) == t]
    for text in exact:
        made[text] = names.take(text, limit=limit)
    for text in texts:
        if text not in made:
            label = dns_label(text, fallback=fallback, limit=limit)
            made[text] = names.take(label, limit=limit)
    return {text: made[text] for text in texts}
