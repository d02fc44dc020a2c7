"""What a check finds, and how several findings become one answer."""

from collections.abc import Sequence
from typing import NamedTuple

from app.domain.inspecting import Check, CheckOutcome

_RANK = {
    CheckOutcome.FAILED: 0,
    CheckOutcome.WARNING: 1,
    CheckOutcome.SKIPPED: 2,
    CheckOutcome.PASSED: 3,
}
_TOLD = 3
"""Sentences of one check that are told; the others are counted."""


class Finding(NamedTuple):
    """What one check says of one object; one that is not well has a suggestion."""

    outcome: CheckOutcome
    message: str
    suggestion: str | None = None


def passed(message: str) -> Finding:
    return Finding(CheckOutcome.PASSED, message)


def skipped(message: str) -> Finding:
    return Finding(CheckOutcome.SKIPPED, message)


def warned(message: str, suggestion: str) -> Finding:
    return Finding(CheckOutcome.WARNING, message, suggestion)


def failed(message: str, suggestion: str) -> Finding:
    return Finding(CheckOutcome.FAILED, message, suggestion)


def folded(name: str, findings: Sequence[Finding]) -> Check:
    """The worst of the findings, which are not empty; of equals the first few, and how many more.

    Suggestions are said once, however many need them.
    """
    worst = min((finding.outcome for finding in findings), key=_RANK.__getitem__)
    alike = list(dict.fromkeys(each for each in findings if each.outcome is worst))
    told = alike[:_TOLD]
    sentences = list(dict.fromkeys(each.message for each in told))
    if left := len(alike) - len(told):
        sentences.append(f"And {left} more.")
    advice = dict.fromkeys(each.suggestion for each in told if each.suggestion)
    return Check(name, worst, " ".join(sentences), " ".join(advice) or None)


def worst_first(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks by outcome, equals in the order they came."""
    return tuple(sorted(checks, key=lambda check: _RANK[check.outcome]))
