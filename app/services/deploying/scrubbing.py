"""Keeps the secret values of a request out of what is answered to it.

A webhook of a cluster, or a cluster that means harm, may quote a value in what it says of any
object. Whatever goes wrong in a deploy therefore passes here, with the values in hand.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

from app.domain.deploying import DeployRefused, Values
from app.domain.errors import ClusterError, DomainError, Invalid

SHORTEST = 4
"""Characters of a value that is looked for. A shorter one is in every second sentence, and to leave
it out would tell it."""
_SHORTEST_LINE = 16
_MASK, _CUT = "***", "…"
_MANIFEST = 3
"""A problem's path begins with `manifests`, kind and name; what follows is the cluster's."""


@contextmanager
def scrubbed(values: Values) -> Iterator[None]:
    """What is raised within says nothing of the values."""
    try:
        yield
    except DomainError as error:
        _Scrubber(text for given in values.values() for text in given.values()).error(error)
        raise


class _Scrubber:
    """Some texts in all their spellings, to be found anywhere in others."""

    def __init__(self, values: Iterable[str]) -> None:
        self._by_start: dict[str, list[str]] = {}
        for spelling in sorted(set(_spellings(values)), key=len, reverse=True):
            self._by_start.setdefault(spelling[:SHORTEST], []).append(spelling)

    def error(self, error: DomainError) -> None:
        """Cleans an error, whatever it carries."""
        error.message = self.text(error.message)
        error.args = (error.message,)
        if isinstance(error, DeployRefused):
            error.problems = [self._problem(one) for one in error.problems]
            error.path = list(error.problems[0].path)
        elif isinstance(error, Invalid):
            error.problems = [self._problem(one) for one in error.problems]
        elif isinstance(error, ClusterError):
            error.causes = [
                replace(
                    one,
                    message=self.text(one.message),
                    field=one.field and self.text(one.field),
                )
                for one in error.causes
            ]

    def _problem(self, problem: Any) -> Any:
        path = tuple(problem.path)
        if path[:1] == ("manifests",):
            path = (*path[:_MANIFEST], *map(self.text, path[_MANIFEST:]))
        return replace(problem, message=self.text(problem.message), path=path)

    def text(self, text: str) -> str:
        """The text with a mask for each value, also for one that is cut off."""
        cleaned, at = [], 0
        while at < len(text):
            width = self._width(text, at)
            cleaned.append(_MASK if width else text[at])
            at += width or 1
        return "".join(cleaned)

    def _width(self, text: str, at: int) -> int:
        """How long the value is that begins there; 0 when none does."""
        spellings = self._by_start.get(text[at : at + SHORTEST], ())
        for spelling in spellings:
            if text.startswith(spelling, at):
                return len(spelling)
        cut = text.find(_CUT, at)
        rest = text[at:cut] if cut >= 0 else ""
        return len(rest) if any(one.startswith(rest) for one in spellings if rest) else 0


def _spellings(values: Iterable[str]) -> Iterator[str]:
    """The ways to write each value, and each of its lines: plain, and as JSON, URLs, forms and
    Secrets have it."""
    for value in values:
        lines = [line.strip() for line in value.splitlines()]
        for text in (value, *(line for line in lines if len(line) >= _SHORTEST_LINE)):
            if len(text) < SHORTEST:
                continue
            raw = text.encode("utf-8", "surrogatepass")
            for spelling in (
                text,
                " ".join(text.split()),
                json.dumps(text)[1:-1],
                json.dumps(text, ensure_ascii=False)[1:-1],
                quote(raw),
                quote(raw, safe=""),
                quote_plus(raw),
                base64.b64encode(raw).decode().rstrip("="),
                base64.urlsafe_b64encode(raw).decode().rstrip("="),
            ):
                if len(spelling) >= SHORTEST:
                    yield spelling
